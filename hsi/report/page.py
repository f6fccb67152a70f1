"""The report of a run: one HTML page that holds all it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hsi.report.explorer import Explorer
from hsi.report.sections import (
    PageFigure,
    areas_section,
    classes_section,
    command_section,
    figures_section,
    notes_section,
    pairs_section,
    scores_section,
)
from hsi.report.template import EXPLORER, render_page


def render_report(
    *,
    title: str,
    summary: Sequence[tuple[str, str]],
    metrics: Mapping[str, Any] | None,
    figures: Sequence[tuple[str, bytes] | PageFigure],
    notes: Sequence[str],
    command: str,
    versions: Mapping[str, str],
    tested: str = "test",
    counted: str = "pixels",
    subject: str = "Scene, model and split",
    recipe: Sequence[tuple[str, str]] = (),
    explorer: Explorer | None = None,
) -> str:
    """Return a page that needs no network and no file beside it, and scripts only to explore.

    All texts are taken as texts: whatever looks like HTML in them is shown as it stands. The same
    arguments give the same page.

    Parameters
    ----------
    title : str
        Heading of the page.
    summary : sequence of (label, value)
        What a reader wants to know first.
    metrics : mapping or None
        ``oa``, ``aa`` and ``kappa`` (fractions; None where undefined), ``per_class`` (dicts with
        ``name``, ``id``, ``accuracy``, ``f1``, ``pixels``) and, if known, ``test_pixels``; both
        named after `tested` and `counted`; ``area`` where the classes have one. None where nothing
        was tested.
    figures : sequence of (caption, bytes)
        Pictures as PNG; the caption is the alternative text, too. A `PageFigure` names the chart
        that takes its place where scripts run.
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
    recipe : sequence of (label, value)
        How it was trained.
    explorer : Explorer, optional
        Shows the scene.

    Raises
    ------
    UsageError
        If a figure is no PNG.
    """
    basis = f"{tested} {counted}"
    return render_page(
        title,
        [
            scores_section(metrics, basis) if metrics else "",
            notes_section(notes),
            EXPLORER,
            classes_section(metrics["per_class"], tested, counted) if metrics else "",
            areas_section(metrics["area"]) if metrics and "area" in metrics else "",
            figures_section(figures),
            pairs_section("Summary", subject, summary),
            pairs_section("Recipe", "How the network was trained", recipe),
            command_section(command),
            pairs_section("Versions", "Packages that made this run", versions.items()),
        ],
        explorer=explorer,
    )
