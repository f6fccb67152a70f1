"""The report of a run: one HTML page that holds all it shows."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from hsi.errors import UsageError
from hsi.report.numbers import percent
from hsi.report.template import PAGE, STYLE

_PNG = b"\x89PNG\r\n\x1a\n"
# Figures have 200 pixels an inch for print; on a screen, 8 points should be about 15 pixels high.
_SCREEN_SCALE = 0.65


def render_report(
    *,
    title: str,
    summary: Sequence[tuple[str, str]],
    metrics: Mapping[str, Any],
    figures: Sequence[tuple[str, bytes]],
    notes: Sequence[str],
    command: str,
    versions: Mapping[str, str],
    tested: str = "test",
    counted: str = "pixels",
    subject: str = "Scene, model and split",
) -> str:
    """Return a page that needs no network, no script and no file beside it.

    All texts are taken as texts: whatever looks like HTML in them is shown as it stands. The same
    arguments give the same page.

    Parameters
    ----------
    title : str
        Heading of the page.
    summary : sequence of (label, value)
        What a reader wants to know first.
    metrics : mapping
        ``oa``, ``aa`` and ``kappa`` (fractions; None where undefined), ``per_class`` (dicts with
        ``name``, ``id``, ``accuracy``, ``f1``, ``pixels``) and, if known, ``test_pixels``; both
        named after `tested` and `counted`.
    figures : sequence of (caption, bytes)
        Pictures as PNG; the caption is the alternative text, too.
    notes : sequence of str
        What one must know to judge the numbers. They stand right under these.
    command : str
        Runs it again.
    versions : mapping
        Version by package.
    tested, counted : str
        What the accuracies were measured on: which set, and what it consists of.
    subject : str
        What the summary is of.

    Raises
    ------
    UsageError
        If a figure is no PNG.
    """
    return PAGE.substitute(
        title=escape(title),
        style=STYLE,
        scores=_scores(metrics, f"{tested} {counted}"),
        notes=_notes(notes),
        summary=_pairs("Summary", subject, summary),
        classes=_classes(metrics["per_class"], tested, counted),
        figures=_figures(figures),
        command=escape(command),
        versions=_pairs("Versions", "Packages that made this run", versions.items()),
    )


def _scores(metrics: Mapping[str, Any], basis: str) -> str:
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


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    items = "\n".join(f"<li>{escape(note)}</li>" for note in notes)
    heading = "<h2>Read the numbers with this in mind</h2>"
    return f'<section class="notes">\n{heading}\n<ul>\n{items}\n</ul>\n</section>'


def _pairs(heading: str, caption: str, pairs: Iterable[tuple[str, str]]) -> str:
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


def _classes(per_class: Sequence[Mapping[str, Any]], tested: str, counted: str) -> str:
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


def _figures(figures: Sequence[tuple[str, bytes]]) -> str:
    if not figures:
        return ""
    shown = "\n".join(_figure(caption, png) for caption, png in figures)
    return f"<section>\n<h2>Figures</h2>\n{shown}\n</section>"


def _figure(caption: str, png: bytes) -> str:
    if not png.startswith(_PNG) or len(png) < 24:
        raise UsageError(f"the figure {caption!r} is no PNG file; save it with save_figure")
    # Width and height stand first in the header chunk (PNG specification, section 11.2.1).
    width, height = (round(side * _SCREEN_SCALE) for side in struct.unpack(">II", png[16:24]))
    data = base64.b64encode(png).decode("ascii")
    return (
        f"<figure>\n<figcaption>{escape(caption)}</figcaption>\n"
        f'<img alt="{escape(caption)}" width="{width}" height="{height}" '
        f'src="data:image/png;base64,{data}">\n</figure>'
    )


def _percent(share: float | None) -> str:
    return escape(percent(share, digits=2))


def _kappa(kappa: float) -> str:
    """Return kappa, which may be negative, with four digits; 1 only if it is 1."""
    return f"{min(kappa, 0.9999) if kappa < 1 else kappa:.4f}"
