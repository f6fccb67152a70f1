"""Figures in the shape of the scene: class map and ground truth, and the split."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.report.canvas import INK, TEXT_SIZE, Box, add_legend, fit_figure, new_figure, set_name
from hsi.report.raster import Color, check_ids

# Pixels of the figure that a picture may fill: 7 inches, a journal's two columns, in all.
_PAGE_WIDTH, _PAGE_HEIGHT = 1400, 1300
_HALF_WIDTH, _HALF_HEIGHT = 680, 640
_SINGLE_WIDTH = 900
# A pixel of a tiny scene gets no more than that: 2 millimetres.
_LARGEST_ZOOM = 16
# Beyond, only every n-th pixel of the scene is shown.
_LONGEST_SIDE = 3000
# A legend may be wider than a narrow map: 3.5 inches, a journal's column.
_LEGEND_WIDTH = 700
_GAP, _TITLE_HEIGHT, _TITLE_WIDTH = 40, 50, 200

# Okabe and Ito's, which stay apart for colour-blind readers and on a dark background.
_TRAINING, _VALIDATION, _TEST = (213, 94, 0), (240, 228, 66), (86, 180, 233)


def class_map_figure(
    class_map: NDArray[np.integer],
    *,
    labels: NDArray[np.integer] | None,
    names: Mapping[int, str],
    colors: Mapping[int, Color],
    title: str,
    step: int = 1,
    heading: str = "Class map",
) -> Figure:
    """Draw a class map, the ground truth beside it if there is one, and the legend.

    Every pixel of the scene becomes a square of whole pixels of the figure; of a scene with a side
    of more than 3000 pixels, only every n-th pixel is shown.

    Parameters
    ----------
    class_map : ndarray of int
        ``(rows, cols)`` label ids; 0, no data, is black.
    labels : ndarray of int or None
        ``(rows, cols)`` ground truth; 0, unlabelled, is black.
    names, colors : mapping
        Name and colour (red, green, blue in 0..255) by id. The legend lists the classes that
        occur in either picture.
    title : str
        What the map shows, usually the scene's name.
    step : int
        Of a large scene, `class_map` and `labels` may hold every `step`-th row and column only.
    heading : str
        Of the picture of `class_map`.

    Raises
    ------
    UsageError
        If the two differ in shape, are no label ids, or hold an id without a name or colour.
    """
    check_ids(class_map, what="class map")
    shown = {heading: class_map}
    if labels is not None:
        check_ids(labels, what="ground truth")
        if labels.shape != class_map.shape:
            raise UsageError(
                f"a class map of shape {class_map.shape} with a ground truth of shape "
                f"{labels.shape}; expected the same rows and columns"
            )
        shown["Ground truth"] = labels
    occurring = sorted(set().union(*(np.unique(ids).tolist() for ids in shown.values())) - {0})
    unknown = [each for each in occurring if each not in names or each not in colors]
    if unknown:
        raise UsageError(
            f"a map with the ids {', '.join(map(str, unknown[:9]))}, which have no name or colour; "
            "expected both for every id that occurs"
        )

    figure = new_figure()
    plan = _plan(class_map.shape, panels=len(shown))
    panels = [figure.add_axes((0, 0, 0.5, 0.5), label=name) for name in shown]
    for axes, (name, ids) in zip(panels, shown.items(), strict=True):
        _draw(axes, _in_colors(ids[:: plan.step, :: plan.step], colors), class_map.shape)
        shown_step = step * plan.step
        thinned = f", one pixel in {shown_step} × {shown_step}" if shown_step > 1 else ""
        axes.set_title(name + thinned, loc="left", fontsize=TEXT_SIZE, color=INK, pad=4)
    caption = panels[0].annotate(
        "", (0, 1), (0, 18), "axes fraction", "offset points",
        fontsize=TEXT_SIZE + 1, fontweight="bold", color=INK, annotation_clip=False,
    )  # fmt: skip
    set_name(caption, title)

    handles: list[Artist] = [Patch(facecolor=_hex(colors[each])) for each in occurring]
    texts = [names[each] for each in occurring]
    without = [
        word
        for ids, word in zip(shown.values(), ("no data", "unlabelled"), strict=False)
        if (ids == 0).any()
    ]
    if without:
        handles.append(Patch(facecolor="black"))
        texts.append(" or ".join(without).capitalize())
    _finish(figure, plan, panels, handles, texts)
    return figure


def split_figure(
    train: NDArray[np.bool_],
    validation: NDArray[np.bool_],
    test: NDArray[np.bool_],
    *,
    patch_size: int,
    background: NDArray[np.uint8],
) -> Figure:
    """Draw which pixels train, validate and test, over the scene in dark grey.

    A frame shows, to scale, the patch of one training pixel.

    Parameters
    ----------
    train, validation, test : ndarray of bool
        ``(rows, cols)`` masks. The legend tells how many pixels each has.
    patch_size : int
        Side of a patch, in pixels of the scene.
    background : ndarray of uint8
        ``(rows, cols, 3)`` picture of the scene.

    Raises
    ------
    UsageError
        If masks and background differ in rows or columns.
    """
    shapes = {np.shape(each)[:2] for each in (train, validation, test, background)}
    if len(shapes) > 1 or background.shape[2:] != (3,):
        raise UsageError(
            f"masks of shapes {train.shape}, {validation.shape} and {test.shape} over a picture "
            f"of shape {background.shape}; expected (rows, cols) and (rows, cols, 3)"
        )
    parts = [
        ("Test", test, _TEST),
        ("Validation", validation, _VALIDATION),
        ("Training", train, _TRAINING),
    ]
    plan = _plan(train.shape, panels=1)
    # Half as bright: the masks' colours stand out, and dark stays apart from no picture at all.
    grey = background[:: plan.step, :: plan.step].mean(axis=2, keepdims=True) / 2
    picture = np.repeat(np.rint(grey), 3, axis=2).astype(np.uint8)
    for _, mask, color in parts:
        picture[mask[:: plan.step, :: plan.step]] = color

    figure = new_figure()
    axes = figure.add_axes((0, 0, 0.5, 0.5))
    _draw(axes, picture, train.shape)
    row, col = _central_pixel(train, patch_size)
    frame = Rectangle(
        (col - patch_size / 2, row - patch_size / 2), patch_size, patch_size,
        fill=False, edgecolor="white", linewidth=1.0,
        path_effects=[withStroke(linewidth=2.2, foreground="black")],
    )  # fmt: skip
    axes.add_patch(frame)

    handles: list[Artist] = []
    texts = []
    for name, mask, color in reversed(parts):
        if mask.any():
            handles.append(Patch(facecolor=_hex(color)))
            texts.append(f"{name}: {np.count_nonzero(mask):,} pixels")
    handles.append(Patch(facecolor="white", edgecolor="black", linewidth=1.0))
    texts.append(f"Patch of a training pixel, {patch_size} × {patch_size}")
    _finish(figure, plan, [axes], handles, texts)
    return figure


@dataclass(frozen=True)
class _Plan:
    """Where pictures of a scene go: `boxes` in pixels, each with every `step`-th pixel."""

    step: int
    boxes: list[Box]

    @property
    def width(self) -> int:
        return max(left + width for left, _, width, _ in self.boxes)


def _plan(shape: tuple[int, ...], *, panels: int) -> _Plan:
    """Choose the largest whole magnification that fits the page, side by side or stacked."""
    step = max(1, math.ceil(max(shape) / _LONGEST_SIDE))
    rows, cols = (math.ceil(side / step) for side in shape)
    beside, stacked = (_HALF_WIDTH, _PAGE_HEIGHT), (_PAGE_WIDTH, _HALF_HEIGHT)
    if panels == 1:
        beside = stacked = (_SINGLE_WIDTH, _PAGE_HEIGHT)
        if cols > rows:
            beside = stacked = (_PAGE_WIDTH, _PAGE_HEIGHT // 2)

    def fits(space: tuple[int, int]) -> float:
        return min(space[0] / cols, space[1] / rows)

    zoom = min(max(1, int(max(fits(beside), fits(stacked)))), _LARGEST_ZOOM)
    width, height = zoom * cols, zoom * rows
    if int(fits(beside)) >= int(fits(stacked)) and fits(beside) >= min(1, fits(stacked)):
        across = max(width, _TITLE_WIDTH) + _GAP
        return _Plan(step, [(panel * across, 0, width, height) for panel in range(panels)])
    down = height + _TITLE_HEIGHT + _GAP // 2
    return _Plan(step, [(0, -panel * down, width, height) for panel in range(panels)])


def _draw(axes: Axes, picture: NDArray[np.uint8], shape: tuple[int, ...]) -> None:
    """Show `picture`, in coordinates of the whole scene of `shape`."""
    rows, cols = shape
    axes.imshow(
        picture,
        interpolation="nearest",
        aspect="equal",
        extent=(-0.5, cols - 0.5, rows - 0.5, -0.5),
    )
    axes.set_axis_off()


def _finish(
    figure: Figure, plan: _Plan, panels: list[Axes], handles: list[Artist], texts: list[str]
) -> None:
    """Place the pictures, and the legend under the lowest of the first ones."""
    boxes = dict(zip(panels, plan.boxes, strict=True))
    fit_figure(figure, boxes)
    lowest = min(panels, key=lambda axes: (boxes[axes][1], boxes[axes][0]))
    add_legend(lowest, handles, texts, below=_GAP // 2, width=max(plan.width, _LEGEND_WIDTH))
    fit_figure(figure, boxes)


def _in_colors(ids: NDArray[np.integer], colors: Mapping[int, Color]) -> NDArray[np.uint8]:
    """Return ``(rows, cols, 3)``: the colour of each id; 0 is black."""
    occurring, index = np.unique(ids, return_inverse=True)
    known = {**colors, 0: (0, 0, 0)}
    table = np.array([known[each] for each in occurring.tolist()], dtype=np.uint8)
    return table[index.reshape(ids.shape)]


def _central_pixel(mask: NDArray[np.bool_], patch_size: int) -> tuple[int, int]:
    """Return the pixel of `mask` nearest to the centre; the centre itself if it has none."""
    centre = np.array(mask.shape) // 2
    pixels = np.argwhere(mask)
    if len(pixels) == 0:
        return int(centre[0]), int(centre[1])
    # A patch inside the scene is preferred to one that overhangs.
    overhang = np.maximum(patch_size // 2 - np.minimum(pixels, mask.shape - pixels - 1), 0)
    distance = np.hypot(*(pixels - centre).T)
    row, col = pixels[np.lexsort((distance, overhang.max(axis=1)))[0]]
    return int(row), int(col)


def _hex(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
