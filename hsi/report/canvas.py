"""What all figures share: type sizes, a page cut to what is on it, legends, saving.

Axes are placed at whole pixels of a figure of known resolution, and the figure gets the size that
holds them with all their texts. A map is therefore saved pixel for pixel, and no label is cut off,
however long a class name is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

from hsi.errors import UsageError
from hsi.files import atomic_path
from hsi.report.legend import plain_text

DPI = 200
# In points, as journals ask for: nothing below 5.5.
TEXT_SIZE = 8.0
SMALL_SIZE = 7.0
TINY_SIZE = 5.5
INK = "#222222"
MUTED = "#666666"

# left, bottom, width, height in pixels; the origin is arbitrary.
Box = tuple[int, int, int, int]

_MARGIN = 20
_LONGEST_NAME = 48


def new_figure() -> Figure:
    """Return an empty white figure of `DPI`; `fit_figure` gives it its size."""
    figure = Figure(dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def fit_figure(figure: Figure, boxes: Mapping[Axes, Box]) -> None:
    """Put each of the axes where its box says, and cut the figure to what it shows."""
    _place(figure, boxes, left=0, bottom=0)
    # In inches, and relative to a figure whose size is still arbitrary.
    shown = figure.get_tightbbox()
    left = _MARGIN - math.floor(shown.x0 * DPI)
    bottom = _MARGIN - math.floor(shown.y0 * DPI)
    width = left + math.ceil(shown.x1 * DPI) + _MARGIN
    height = bottom + math.ceil(shown.y1 * DPI) + _MARGIN
    # Sizes in pixels are truncated when drawn; a hair more keeps 1401 / 200 * 200 from being 1400.
    figure.set_size_inches((width + 1e-3) / DPI, (height + 1e-3) / DPI)
    _place(figure, boxes, left=left, bottom=bottom)


def add_legend(
    axes: Axes, handles: Sequence[Artist], labels: Sequence[str], *, below: int, width: int
) -> Legend:
    """Add a legend `below` pixels under `axes`, in as many columns as `width` pixels hold."""
    height = axes.get_position().height * axes.figure.bbox.height
    for rows in range(1, len(labels) + 1):
        legend = axes.legend(
            handles,
            # Matplotlib leaves out labels that begin with an underscore.
            ["-"] * len(labels),
            ncols=math.ceil(len(labels) / rows),
            loc="upper left",
            bbox_to_anchor=(0.0, -below / height),
            borderaxespad=0.0,
            borderpad=0.0,
            frameon=False,
            fontsize=SMALL_SIZE,
            labelcolor=INK,
            handlelength=1.0,
            handleheight=1.0,
            handletextpad=0.5,
            columnspacing=1.4,
            labelspacing=0.45,
        )
        for text, label in zip(legend.get_texts(), labels, strict=True):
            set_name(text, label)
        if legend.get_window_extent().width <= width:
            break
    return legend


def one_line(name: str) -> str:
    """Return a name from a file as a label: in one line, and shortened if endless."""
    name = plain_text(name)
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1].rstrip() + "…"


def set_name(text: Text, name: str) -> None:
    """Show a name from a file in `text` as it stands: dollar signs make no formula of it."""
    text.set_parse_math(False)
    text.set_text(one_line(name))


def save_figure(figure: Figure, path: Path | str) -> None:
    """Write a figure as PNG, all of it or nothing; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Any figure. It is saved in its own resolution: 200 dots per inch for those made here.
    path : path
        Ends in ``.png``; its folder exists.

    Raises
    ------
    UsageError
        If `path` has another suffix.
    OSError
        If the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise UsageError(f"figures are saved as PNG, but the path is {path}; let it end in .png")
    with atomic_path(path) as temporary:
        figure.savefig(
            temporary,
            format="png",
            dpi="figure",
            facecolor=figure.get_facecolor(),
            metadata={"Software": None},
        )


def _place(figure: Figure, boxes: Mapping[Axes, Box], *, left: int, bottom: int) -> None:
    page = figure.bbox
    for axes, (x, y, width, height) in boxes.items():
        axes.set_position(
            (
                (x + left) / page.width,
                (y + bottom) / page.height,
                width / page.width,
                height / page.height,
            )
        )
