"""The mistakes that a classifier was surest of, to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.report.canvas import INK, MUTED, TINY_SIZE, fit_figure, new_figure
from hsi.report.numbers import percent

COLUMNS = 5
FRAME = "#999999"
# In pixels of the figure.
_SIDE, _GAP, _LINE = 256, 24, 25
# In letters: so many are about as wide as a photograph.
_LONGEST = 24


@dataclass(frozen=True, eq=False)
class Mistake:
    """A photograph ``(h, w, 3)`` uint8 that was taken for another class, and how surely."""

    image: NDArray[np.uint8]
    truth: str
    prediction: str
    probability: float
    source: str
    """Where it is: the folder of its class, and whatever else tells it from others; slashes."""


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
    places: dict[Axes, tuple[int, int]] = {}
    most_lines = 0
    for place, mistake in enumerate(mistakes):
        row, col = divmod(place, COLUMNS)
        axes = figure.add_axes((0, 0, 0.1, 0.1), label=str(place))
        # Small photographs are shown with their pixels, as the network got them; large ones smooth.
        axes.imshow(mistake.image, interpolation="antialiased")
        # Of a photograph with a white border, too, one sees where it ends.
        axes.set(xticks=[], yticks=[])
        # The frame lies under it, so that half of its width is seen, and no pixel lost.
        axes.spines[:].set(color=FRAME, linewidth=1.0, zorder=-1)
        lines = [
            (f"{shortened(mistake.truth)}, taken for", INK),
            (f"{shortened(mistake.prediction)} ({percent(mistake.probability, digits=0)} %)", INK),
            *((text, MUTED) for text in _source_lines(mistake.source)),
        ]
        most_lines = max(most_lines, len(lines))
        for line, (text, color) in enumerate(lines):
            axes.annotate(
                text, (0, 0), (0, -8 - 9 * line), xycoords="axes fraction",
                textcoords="offset points", fontsize=TINY_SIZE + 0.5, color=color,
                annotation_clip=False, parse_math=False,
            )  # fmt: skip
        places[axes] = (row, col)
    step = _SIDE + _GAP
    height = step + most_lines * _LINE + _GAP // 3
    fit_figure(
        figure,
        {axes: (col * step, -row * height, _SIDE, _SIDE) for axes, (row, col) in places.items()},
    )
    return figure


def shortened(name: str, longest: int = _LONGEST) -> str:
    """Return a name in one line, without its middle if it is too long: ends tell names apart.

    Examples
    --------
    >>> shortened("holiday/2019-07-14 at the lake/0001.jpg")
    'holiday/2019…ke/0001.jpg'
    """
    name = " ".join(name.split())
    if len(name) <= longest:
        return name
    end = (longest - 1) // 2
    return f"{name[: longest - 1 - end]}…{name[-end:]}"


def _source_lines(source: str) -> list[str]:
    """Return where a photograph is in one line, or folder and name in one each if it is long."""
    folder, slash, name = source.rpartition("/")
    if len(source) <= _LONGEST or not slash:
        return [shortened(source)]
    return [shortened(folder + slash), shortened(name)]
