"""Queries with what they found: pictures of patches, and spectra where there are many bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.report.canvas import INK, MUTED, TINY_SIZE, fit_figure, new_figure
from hsi.report.contact_sheet import shortened

# Right and wrong differ in more than their hue.
RIGHT, WRONG, UNKNOWN = "#1b7837", "#d6604d", "#999999"
# In pixels of the figure.
_SIDE, _GAP, _ASIDE, _BELOW = 190, 20, 56, 62
_LONGEST, _LONGEST_QUERY = 20, 26  # letters; queries have more room


@dataclass(frozen=True, kw_only=True, eq=False)
class Tile:
    """A place as one modality shows it.

    Attributes
    ----------
    picture : ndarray or None
        ``(h, w, 3)`` uint8: the surroundings, where the modality has few bands.
    box : tuple of float
        Left, top, width and height of the patch in the picture, in its pixels.
    spectrum : ndarray or None
        ``(bands,)`` in place of a picture.
    positions : ndarray or None
        ``(bands,)`` where the values of the spectrum lie, such as wavelengths; ascending.
    name : str
        Its class; a dash if none is known.
    place : str
        Where it is, in words.
    """

    picture: NDArray[np.uint8] | None = None
    box: tuple[float, float, float, float] | None = None
    spectrum: NDArray[np.floating] | None = None
    positions: NDArray[np.floating] | None = None
    name: str
    place: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Retrieved:
    """A query, and what it found in the other modality in order of rank."""

    query: Tile
    found: Sequence[Tile]
    right: Sequence[bool | None]
    """Whether each is of the query's class; None where one of both is unknown."""
    similarities: Sequence[float]


def retrieved_figure(rows: Sequence[Retrieved], *, columns: int = 10) -> Figure:
    """Draw queries on the left, and what they found to the right of them.

    What is of the query's class has a green frame, what is not a red, broken one. Spectra of a row
    have one scale.

    Parameters
    ----------
    rows : sequence of Retrieved
        From top to bottom; one that found more than `columns` goes on in the next line.
    columns : int
        What is drawn beside each other.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UsageError
        If there is no row, or one found nothing.
    """
    if not rows or not all(row.found for row in rows):
        raise UsageError("a figure of queries that found nothing; expected one result at least")
    figure = new_figure()
    boxes: dict[Axes, tuple[int, int, int, int]] = {}
    top = 0
    for number, row in enumerate(rows):
        axes = figure.add_axes((0, 0, 0.1, 0.1), label=f"query {number}")
        _draw(axes, row.query, limits=None, color=INK, broken=False)
        named = [(f"query: {row.query.name}", INK), (f"({row.query.place})", MUTED)]
        _write(axes, named, longest=_LONGEST_QUERY)
        boxes[axes] = (0, -top, _SIDE, _SIDE)
        limits = _limits(row.found)
        for place, (tile, right, similarity) in enumerate(
            zip(row.found, row.right, row.similarities, strict=True)
        ):
            line, column = divmod(place, columns)
            axes = figure.add_axes((0, 0, 0.1, 0.1), label=f"{number} {place}")
            color = UNKNOWN if right is None else RIGHT if right else WRONG
            _draw(axes, tile, limits=limits, color=color, broken=right is False)
            _write(axes, [(tile.name, color), (f"({tile.place}): {similarity:.3f}", MUTED)])
            left = _SIDE + _ASIDE + column * (_SIDE + _GAP)
            boxes[axes] = (left, -(top + line * (_SIDE + _BELOW)), _SIDE, _SIDE)
        top += (1 + (len(row.found) - 1) // columns) * (_SIDE + _BELOW) + _GAP
    fit_figure(figure, boxes)
    return figure


def _draw(
    axes: Axes, tile: Tile, *, limits: tuple[float, float] | None, color: str, broken: bool
) -> None:
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(color=color, linewidth=2.0, linestyle="--" if broken else "-")
    if tile.picture is not None:
        axes.imshow(tile.picture, interpolation="nearest", aspect="auto")
        if tile.box is not None:
            left, upper, width, height = tile.box
            # Two lines, so that it is seen on what is white and on what is black.
            for color, wide in (("black", 1.8), ("white", 0.8)):
                corner = (left - 0.5, upper - 0.5)
                axes.add_patch(
                    Rectangle(corner, width, height, fill=False, color=color, linewidth=wide)
                )
        return
    assert tile.spectrum is not None
    positions = np.arange(len(tile.spectrum)) if tile.positions is None else tile.positions
    axes.plot(positions, tile.spectrum, color=INK, linewidth=0.8)
    low, high = limits or _limits([tile])
    axes.set_ylim(low, high)


def _limits(tiles: Sequence[Tile]) -> tuple[float, float]:
    """Return the scale of all spectra among `tiles`."""
    spectra = [tile.spectrum for tile in tiles if tile.spectrum is not None]
    if not spectra:
        return 0.0, 1.0
    low = min(float(each.min()) for each in spectra)
    high = max(float(each.max()) for each in spectra)
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin


def _write(axes: Axes, lines: Sequence[tuple[str, str]], *, longest: int = _LONGEST) -> None:
    for line, (text, color) in enumerate(lines):
        axes.annotate(
            shortened(text, longest), (0, 0), (0, -8 - 8 * line),
            xycoords="axes fraction", textcoords="offset points", fontsize=TINY_SIZE, color=color,
            annotation_clip=False, parse_math=False,
        )  # fmt: skip
