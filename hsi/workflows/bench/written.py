"""The files that a benchmark writes after every training, so that a stop leaves what there is."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hsi.errors import RunError
from hsi.evaluation import Cell
from hsi.evaluation.findings import Findings
from hsi.files import write_text
from hsi.report.bench_report import as_latex, as_markdown, bench_sections
from hsi.report.result_rows import csv_text, result_rows, summary_rows
from hsi.report.result_tables import amount_name, seeds_words
from hsi.sums import check_sum
from hsi.workflows.bench.about import about_lines
from hsi.workflows.bench.split_pictures import pictures_of

FILES = ("results.json", "results.csv", "summary.csv", "results.tex", "results.md")


def write_results(
    out: Path, findings: Findings, failures: Mapping[Cell, str], *, facts: dict[str, Any]
) -> None:
    """Write all tables of a benchmark, each file whole or not at all."""
    sections = bench_sections(findings, pictures=pictures_of(out, findings))
    lines = about_lines(facts)
    rows = failure_rows(failures)
    failed = failure_lines(failures)
    write_text(out / "results.csv", csv_text(result_rows(findings.results)))
    write_text(out / "summary.csv", csv_text(summary_rows(findings.summaries)))
    write_text(out / "results.tex", as_latex(sections, about=[*lines, *failed]))
    write_text(
        out / "results.md",
        as_markdown(sections, title="Benchmark", about=[*lines, *failed]),
    )
    table = as_json(findings, failures=rows, facts=facts)
    write_text(out / "results.json", json.dumps(table, indent=2) + "\n")


def failure_lines(failures: Mapping[Cell, str]) -> list[str]:
    """Return which cells could not be trained, and why: a line for seeds that differ in nothing."""
    alike: dict[tuple[str, str], list[int]] = {}
    for cell, reason in failures.items():
        name = f"{cell.scene}, {cell.split} {amount_name(cell.train)}, {cell.model}"
        alike.setdefault((name, _in_one_line(reason)), []).append(cell.seed)
    return [
        f"Failed: {name}, {seeds_words(seeds)}: {reason}" for (name, reason), seeds in alike.items()
    ]


def _in_one_line(reason: str) -> str:
    """Return an error as one line: what came, then what to do."""
    lines = [" ".join(line.split()) for line in reason.splitlines() if line.strip()]
    ended = [line if line.endswith((".", ":", ";", ",")) else f"{line}." for line in lines[:-1]]
    return " ".join([*ended, *lines[-1:]])


def failure_rows(failures: Mapping[Cell, str]) -> list[dict[str, Any]]:
    """Return cells that could not be trained, and why, for JSON."""
    return [{**cell._asdict(), "reason": reason} for cell, reason in failures.items()]


def as_json(
    findings: Findings, *, failures: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Return everything for JSON; what is nan elsewhere is None."""
    sections = bench_sections(findings)
    trainings = []
    for each in findings.results:
        row = each.cell._asdict() | dataclasses.asdict(each)
        del row["cell"]
        row["classes"] = [known._asdict() for known in each.classes]
        trainings.append(row)
    whole = {
        "about": facts,
        "measure": findings.measure,
        "against": findings.against,
        "trainings": trainings,
        "failed": list(failures),
        "summary": summary_rows(findings.summaries),
        "comparisons": [
            {**dataclasses.asdict(each), "group": each.group._asdict()}
            for found in findings.standings.values()
            for each in found
        ],
        "drops": [dataclasses.asdict(each) for each in findings.drops],
        "sentences": {section.heading: list(section.sentences) for section in sections},
    }
    found: dict[str, Any] = without_nan(whole)
    return found


def read_failures(out: Path) -> dict[Cell, str]:
    """Return which trainings failed, and why, as they were written last.

    Raises
    ------
    RunError
        If `results.json` is damaged.
    """
    path = out / "results.json"
    check_sum(path)
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["failed"]
        return {
            Cell(**{name: row[name] for name in Cell._fields}): str(row["reason"]) for row in rows
        }
    except FileNotFoundError:
        return {}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"{path} is damaged: {error}\nRemove it: it is made anew from the runs beside it."
        ) from error


def name_of(cell: Cell) -> str:
    """Return a cell in words."""
    amount = amount_name(cell.train)
    return f"{cell.scene}, {cell.split} {amount}, {cell.model}, seed {cell.seed}"


def without_nan(value: Any) -> Any:
    """Return the same with None for what JSON cannot say."""
    if isinstance(value, Mapping):
        return {name: without_nan(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value
