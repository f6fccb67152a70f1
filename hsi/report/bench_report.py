"""The report of a benchmark: its tables, each with what must be said of it, in one order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hsi.evaluation.findings import BEST, Findings
from hsi.evaluation.results import Group
from hsi.report.bench_words import (
    FIXED_SPLITS,
    best_sentence,
    lead_sentence,
    machine_sentences,
    note_sentences,
    reading_sentences,
    remark_sentences,
    split_sentences,
    standing_sentences,
)
from hsi.report.comparison_tables import standings_table
from hsi.report.latex import latex_tables
from hsi.report.markdown import escape, markdown_table
from hsi.report.result_tables import (
    accuracy_table,
    amount_name,
    group_title,
    overview_table,
    splits_table,
)
from hsi.report.table import Table


class Picture(NamedTuple):
    """A picture beside the report."""

    file: str
    """Its path, relative to the report's folder."""
    caption: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the report.

    Attributes
    ----------
    heading : str
        What it is about.
    tables : tuple of Table
        In their order.
    sentences : tuple of str
        What follows from them.
    picture : Picture or None
        Of the split.
    """

    heading: str
    tables: tuple[Table, ...]
    sentences: tuple[str, ...] = ()
    picture: Picture | None = None


def bench_sections(
    findings: Findings, *, pictures: Mapping[Group, Picture] | None = None
) -> list[Section]:
    """Return all tables and sentences of a benchmark, in the order in which one reads them.

    Parameters
    ----------
    findings : Findings
        What there is to say.
    pictures : mapping, optional
        Of splits.
    """
    sections = [
        dataclasses.replace(_of_group(findings, group), picture=(pictures or {}).get(group))
        for group in findings.groups
    ]
    drawn = [group for group in findings.groups if group.split not in FIXED_SPLITS]
    for scene, train in dict.fromkeys(
        (group.scene, amount_name(group.train)) for group in drawn or findings.groups
    ):
        members = [
            summary
            for summary in findings.summaries
            if summary.group.scene == scene
            and (amount_name(summary.group.train) == train or summary.group.split in FIXED_SPLITS)
        ]
        if len({summary.group.split for summary in members}) > 1:
            losses = [
                each
                for each in findings.drops
                if (each.scene, amount_name(each.train)) == (scene, train)
            ]
            table = splits_table(members, losses, measure=findings.measure)
            sections.append(Section(heading=table.title, tables=(table,)))
    if len(findings.groups) > 1:
        table = overview_table(findings.summaries, measure=findings.measure)
        sections.append(Section(heading=table.title, tables=(table,)))
    if findings.results:
        said = [*machine_sentences(findings.results), *reading_sentences(findings)]
        sections.append(Section(heading="How to read this", tables=(), sentences=tuple(said)))
    return sections


def _of_group(findings: Findings, group: Group) -> Section:
    results = [result for result in findings.results if result.cell.group == group]
    tables = [accuracy_table(findings.of_group(group))]
    sentences: list[str] = []
    found = findings.standings.get(group)
    if found:
        tables.append(standings_table(found, measure=findings.measure))
        sentences += standing_sentences(found)
        if findings.against == BEST:
            sentences.append(best_sentence(found[0].reference))
    for lead, standing in findings.leads:
        if lead.group == group:
            pairs = [{each.model, each.reference} for each in found or []]
            known = {lead.model, lead.other} in pairs  # said already
            sentences.append(
                lead_sentence(lead, measure=findings.measure, standing=None if known else standing)
            )
    sentences += split_sentences(group)
    sentences += remark_sentences(results)
    sentences += note_sentences(results)
    return Section(heading=group_title(group), tables=tuple(tables), sentences=tuple(sentences))


def as_markdown(sections: Iterable[Section], *, title: str, about: Sequence[str]) -> str:
    """Return the report as Markdown, with `about` (how it came about) as its last paragraphs."""
    parts = [f"# {escape(title)}\n"]
    for section in sections:
        parts.append(f"## {escape(section.heading)}\n")
        parts += [markdown_table(_untitled(table, section)) for table in section.tables]
        if section.sentences:
            parts.append("\n".join(f"- {escape(text)}" for text in section.sentences) + "\n")
        if section.picture:
            caption = escape(section.picture.caption)
            parts.append(f"![{caption}](<{section.picture.file}>)\n\n*{caption}*\n")
    parts.append("## How to have it again\n")
    parts.append("\n".join(f"- {escape(line)}" for line in about) + "\n")
    return "\n".join(parts)


def _untitled(table: Table, section: Section) -> Table:
    """Return a table without the part of its title that stands above it already."""
    rest = table.title.removeprefix(section.heading).removeprefix(": ")
    return table.titled(rest[:1].upper() + rest[1:])


def as_latex(sections: Iterable[Section], *, about: Sequence[str]) -> str:
    """Return all tables as LaTeX; sentences and how it came about are comments."""
    sections = list(sections)
    tables = [table for section in sections for table in section.tables]
    said = [text for section in sections for text in section.sentences]
    return latex_tables(tables, remarks=[*about, *said])
