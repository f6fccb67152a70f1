"""The sections of a page as HTML. All texts are taken as texts."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from hsi.errors import UsageError
from hsi.report.area_rows import area_table
from hsi.report.numbers import percent

_PNG = b"\x89PNG\r\n\x1a\n"
# Figures have 200 pixels an inch for print; on a screen, 8 points should be about 15 pixels high.
_SCREEN_SCALE = 0.65
_NUMBER = ' class="number"'


class PageFigure(NamedTuple):
    """A picture, and the chart that takes its place where scripts run."""

    caption: str
    png: bytes
    chart: str = ""
    """``"confusion"``, ``"history"``, or nothing."""


def scores_section(metrics: Mapping[str, Any], basis: str) -> str:
    """Return the section with the overall accuracies, measured on `basis`."""
    kappa = metrics["kappa"]
    scores = {
        "Overall accuracy": f"{_percent(metrics['oa'])} %",
        "Average accuracy": f"{_percent(metrics['aa'])} %",
        "Cohen’s kappa": "–" if kappa is None or math.isnan(kappa) else _kappa(kappa),
    }
    items = "\n".join(f"<div><dt>{name}</dt><dd>{text}</dd></div>" for name, text in scores.items())
    number = metrics.get(basis.replace(" ", "_"))
    said = f'\n<p class="basis">On {number:,} {basis}.</p>' if number is not None else ""
    return f'<section aria-label="Accuracy">\n<dl class="scores">\n{items}\n</dl>{said}\n</section>'


def notes_section(notes: Sequence[str]) -> str:
    """Return the section with what one must know to judge the numbers; nothing without notes."""
    if not notes:
        return ""
    items = "\n".join(f"<li>{escape(note)}</li>" for note in notes)
    heading = "<h2>Read the numbers with this in mind</h2>"
    return f'<section class="notes">\n{heading}\n<ul>\n{items}\n</ul>\n</section>'


def pairs_section(heading: str, caption: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return a section with a table of two columns; nothing without pairs."""
    rows = "\n".join(
        f'<tr><th scope="row">{escape(str(label))}</th><td>{escape(str(value))}</td></tr>'
        for label, value in pairs
    )
    if not rows:
        return ""
    return (
        f'<section>\n<h2>{heading}</h2>\n<table class="pairs">\n<caption>{caption}</caption>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table>\n</section>"
    )


def classes_section(per_class: Sequence[Mapping[str, Any]], tested: str, counted: str) -> str:
    """Return the section with the accuracy of each class."""
    basis = f"{tested} {counted}"
    columns = (basis.capitalize(), "Accuracy (%)", "F1 (%)")
    head = "".join(f'<th scope="col" class="number">{column}</th>' for column in columns)
    rows = "\n".join(
        f'<tr><td class="number">{each["id"]}</td><th scope="row">{escape(each["name"])}</th>'
        f'<td class="number">{each[counted]:,}</td>'
        f'<td class="number">{_percent(each["accuracy"])}</td>'
        f'<td class="number">{_percent(each["f1"])}</td></tr>'
        for each in per_class
    )
    return (
        '<section>\n<h2>Classes</h2>\n<div class="wide">\n<table>\n'
        f"<caption>Accuracy is the share of a class’s {basis} that are right (recall). "
        f"A dash: no {basis.removesuffix('s')}.</caption>\n"
        f'<thead>\n<tr><th scope="col" class="number">Id</th><th scope="col">Class</th>{head}</tr>'
        f"\n</thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>\n</section>"
    )


def areas_section(area: Mapping[str, Any]) -> str:
    """Return the section with the area of each class, as mapped and as estimated.

    Parameters
    ----------
    area : mapping
        As `hsi.evaluation.summarise_area` makes it.
    """
    table = area_table(area)
    head = "".join(
        f'<th scope="col"{_NUMBER if place != 1 else ""}>{escape(text)}</th>'
        for place, text in enumerate(table.head)
    )
    rows = "\n".join(
        f'<tr><td{_NUMBER}>{escape(first)}</td><th scope="row">{escape(name)}</th>'
        + "".join(f"<td{_NUMBER}>{escape(text)}</td>" for text in texts)
        + "</tr>"
        for first, name, *texts in table.rows
    )
    notes = "\n".join(f"<li>{escape(note)}</li>" for note in area["notes"])
    listed = f'<ul class="basis">\n{notes}\n</ul>\n' if notes else ""
    return (
        '<section>\n<h2>Areas</h2>\n<div class="wide">\n<table>\n'
        "<caption>What is mapped as each class, and what it is estimated to have from the errors "
        "that the test found.</caption>\n"
        f"<thead>\n<tr>{head}</tr>\n</thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>\n"
        f"{listed}</section>"
    )


def figures_section(figures: Sequence[tuple[str, bytes] | PageFigure]) -> str:
    """Return a section with pictures; nothing without any.

    Raises
    ------
    UsageError
        If a picture is no PNG.
    """
    if not figures:
        return ""
    shown = "\n".join(_figure(PageFigure(*figure)) for figure in figures)
    return f"<section>\n<h2>Figures</h2>\n{shown}\n</section>"


def _figure(figure: PageFigure) -> str:
    caption, png, chart = figure
    if not png.startswith(_PNG) or len(png) < 24:
        raise UsageError(f"the figure {caption!r} is no PNG file; save it with save_figure")
    # Width and height stand first in the header chunk (PNG specification, section 11.2.1).
    width, height = (round(side * _SCREEN_SCALE) for side in struct.unpack(">II", png[16:24]))
    data = base64.b64encode(png).decode("ascii")
    live = f'<div class="chart" id="chart-{chart}" hidden></div>\n' if chart else ""
    return (
        f"<figure>\n<figcaption>{escape(caption)}</figcaption>\n{live}"
        f'<img alt="{escape(caption)}" width="{width}" height="{height}" '
        f'src="data:image/png;base64,{data}">\n</figure>'
    )


def command_section(command: str) -> str:
    """Return the section that says how to run it again."""
    return (
        f"<section>\n<h2>Run it again</h2>\n<pre><code>{escape(command)}</code></pre>\n</section>"
    )


def _percent(share: float | None) -> str:
    return escape(percent(share, digits=2))


def _kappa(kappa: float) -> str:
    """Return kappa, which may be negative, with four digits; 1 only if it is 1."""
    return f"{min(kappa, 0.9999) if kappa < 1 else kappa:.4f}"
