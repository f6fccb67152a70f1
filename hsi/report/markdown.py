"""Tables as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hsi.report.legend import plain_text
from hsi.report.table import Table

# What begins or ends something; an underscore within a word does not.
_SPECIAL = re.compile(r"([\\`*|<>\[\]]|(?<!\w)_|_(?!\w))")


def escape(text: str) -> str:
    r"""Return `text` so that Markdown shows it as it is, in one line.

    Examples
    --------
    >>> print(escape("a|b *c* salinas_a"))
    a\|b \*c\* salinas_a
    """
    return _SPECIAL.sub(r"\\\1", plain_text(text))


def markdown_table(table: Table, *, level: int = 3) -> str:
    """Return a table, its title as a heading of that level, and its notes as a paragraph."""
    marks = ["---"] * table.texts + ["---:"] * (len(table.head) - table.texts)
    rows = [
        [
            f"**{escape(text)}**" if (number, column) in table.bold else escape(text)
            for column, text in enumerate(row)
        ]
        for number, row in enumerate(table.rows)
    ]
    lines = [f"{'#' * level} {escape(table.title)}", ""] if table.title else []
    lines += [_row(cells) for cells in ([escape(text) for text in table.head], marks, *rows)]
    if table.all_notes:
        lines += ["", " ".join(escape(note) for note in table.all_notes)]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
