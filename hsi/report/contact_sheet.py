"""The mistakes that a classifier was surest of, to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.report.canvas import INK, MUTED, TINY_SIZE, fit_figure, new_figure, one_line
from hsi.report.numbers import percent

COLUMNS = 5
# In pixels of the figure.
_SIDE, _GAP, _TEXT = 256, 24, 84
_LONGEST = 24


@dataclass(frozen=True, eq=False)
class Mistake:
    """A photograph ``(h, w, 3)`` uint8 that was taken for another class, and how surely."""

    image: NDArray[np.uint8]
    truth: str
    prediction: str
    probability: float
    source: str
    """Where it is."""


def contact_sheet(mistakes: Sequence[Mistake]) -> Figure:
    """Draw photographs side by side, each with its true and its predicted class.

    Parameters
    ----------
    mistakes : sequence of Mistake
        In the order in which they are shown.

    Raises
    ------
    UsageError
        If there is none.
    """
    if not mistakes:
        raise UsageError("a contact sheet of no photographs; expected one mistake at least")
    figure = new_figure()
    boxes: dict[Axes, tuple[int, int, int, int]] = {}
    for place, mistake in enumerate(mistakes):
        row, col = divmod(place, COLUMNS)
        axes = figure.add_axes((0, 0, 0.1, 0.1), label=str(place))
        # Small photographs are shown with their pixels, as the network got them.
        axes.imshow(mistake.image, interpolation="nearest")
        axes.set_axis_off()
        lines = (
            (f"{_short(mistake.truth)}, taken for", INK),
            (f"{_short(mistake.prediction)} ({percent(mistake.probability, digits=0)} %)", INK),
            (_short(mistake.source), MUTED),
        )
        for line, (text, color) in enumerate(lines):
            axes.annotate(
                text, (0, 0), (0, -8 - 9 * line), xycoords="axes fraction",
                textcoords="offset points", fontsize=TINY_SIZE + 0.5, color=color,
                annotation_clip=False, parse_math=False,
            )  # fmt: skip
        step = _SIDE + _GAP
        boxes[axes] = (col * step, -row * (step + _TEXT), _SIDE, _SIDE)
    fit_figure(figure, boxes)
    return figure


def _short(name: str) -> str:
    name = one_line(name)
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1].rstrip() + "…"
