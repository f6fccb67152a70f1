"""The mistakes that a classifier was surest of, to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.report.canvas import INK, MUTED, TINY_SIZE, fit_figure, new_figure
from hsi.report.legend import plain_text
from hsi.report.numbers import percent

COLUMNS = 5
FRAME = "#999999"
# In pixels of the figure.
_SIDE, _GAP, _LINE = 256, 24, 25
# In letters; no text is measured that is longer.
_LONGEST = 100
_TEXT_SIZE = TINY_SIZE + 0.5


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
    width = _text_width(figure)
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
        surely = percent(mistake.probability, digits=0)
        lines = [
            (_fitted(mistake.truth, width, end=", taken for"), INK),
            (_fitted(mistake.prediction, width, end=f" ({surely} %)"), INK),
            *((text, MUTED) for text in _source_lines(mistake.source, width)),
        ]
        most_lines = max(most_lines, len(lines))
        for line, (text, color) in enumerate(lines):
            axes.annotate(
                text, (0, 0), (0, -8 - 9 * line), xycoords="axes fraction",
                textcoords="offset points", fontsize=_TEXT_SIZE, color=color,
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


def shortened(name: str, longest: int) -> str:
    """Return a name in one line, without its middle if it is too long: ends tell names apart.

    Examples
    --------
    >>> shortened("holiday/2019-07-14 at the lake/0001.jpg", 24)
    'holiday/2019…ke/0001.jpg'
    """
    name = plain_text(name)
    if len(name) <= longest:
        return name
    end = (longest - 1) // 2
    return f"{name[: longest - 1 - end]}…{name[len(name) - end :]}"


def _fitted(name: str, width: Callable[[str], float], *, end: str = "") -> str:
    """Return a name with an end, the name so short that both are no wider than a photograph."""
    longest = min(len(name), _LONGEST)
    while longest > 1 and width(shortened(name, longest) + end) > _SIDE:
        longest -= 1
    return shortened(name, longest) + end


def _source_lines(source: str, width: Callable[[str], float]) -> list[str]:
    """Return where a photograph is in one line, or folder and name in one each if it is long."""
    source = plain_text(source)
    folder, slash, name = source.rpartition("/")
    if not slash or (len(source) <= _LONGEST and width(source) <= _SIDE):
        return [_fitted(source, width)]
    return [_fitted(folder + slash, width), _fitted(name, width)]


def _text_width(figure: Figure) -> Callable[[str], float]:
    """Return what measures the width of a text in pixels of the figure."""
    renderer = RendererAgg(1, 1, figure.dpi)
    font = FontProperties(size=_TEXT_SIZE)
    return lambda text: renderer.get_text_width_height_descent(text, font, ismath=False)[0]
