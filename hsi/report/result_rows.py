"""The results of a benchmark as rows for other programs: fractions, seconds, whole numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hsi.evaluation.results import Repeated, Result, Summary


def result_rows(results: Iterable[Result]) -> list[dict[str, Any]]:
    """Return a row for each training, with all of its figures.

    The accuracy of the class with id 10 is ``accuracy_10``; a figure that is not there is None.
    """
    results = list(results)
    figures = dict.fromkeys(name for result in results for name in result.figures)
    ids = sorted({each.id for result in results for each in result.classes})
    rows = []
    for result in results:
        accuracies = {each.id: each.accuracy for each in result.classes}
        rows.append(
            result.cell._asdict()
            | {name: result.figures.get(name) for name in figures}
            | {"patch_size": result.patch_size, "device": result.device, "threads": result.threads}
            | {"split_hash": result.split_hash, "folder": result.folder}
            | {f"accuracy_{each}": accuracies.get(each) for each in ids}
        )
    return rows


def summary_rows(summaries: Iterable[Summary]) -> list[dict[str, Any]]:
    """Return a row for each figure of each model on each group, with mean and deviation."""
    rows = []
    for summary in summaries:
        about = summary.group._asdict() | {"model": summary.model}
        for name, figure in summary.figures.items():
            rows.append(about | {"figure": name, "class_id": None, "class": None} | _row(figure))
        for each in summary.classes:
            where = {"figure": "accuracy", "class_id": each.id, "class": each.name}
            rows.append(about | where | _row(each.accuracy))
    return rows


def _row(figure: Repeated | None) -> dict[str, Any]:
    if figure is None:
        return {"trainings": 0, "mean": None, "standard_deviation": None}
    return {
        "trainings": figure.number,
        "mean": figure.mean,
        "standard_deviation": figure.spread,
    }


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows of equal keys as CSV; what is None is empty."""
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue()
