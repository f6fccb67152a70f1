"""A table of texts, before anyone knows where it will be printed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from hsi.evaluation.results import Repeated
from hsi.report.numbers import percent


@dataclass(frozen=True, kw_only=True)
class Table:
    """Texts in rows, with what every form of the table needs to know of them.

    Attributes
    ----------
    title : str
        Above it.
    head : tuple of str
        One text for each column.
    rows : tuple of tuple of str
        As long as the head.
    texts : int
        The first so many columns are read from the left; figures are compared from the right.
    rules : frozenset of int
        Rows before which there is a line.
    bold : frozenset of (int, int)
        Row and column of the highest means.
    notes : tuple of str
        Sentences below it.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1
    rules: frozenset[int] = frozenset()
    bold: frozenset[tuple[int, int]] = frozenset()
    notes: tuple[str, ...] = ()

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes of a form that shows what is bold."""
        return (*self.notes, "Bold: the highest mean of the row.") if self.bold else self.notes

    def titled(self, title: str) -> Table:
        """Return the table with another title."""
        return dataclasses.replace(self, title=title)

    def columns(self, chosen: Sequence[int]) -> Table:
        """Return the table with some of its columns, among them all those of texts."""
        place = {column: new for new, column in enumerate(chosen)}
        return dataclasses.replace(
            self,
            head=tuple(self.head[column] for column in chosen),
            rows=tuple(tuple(row[column] for column in chosen) for row in self.rows),
            bold=frozenset((row, place[c]) for row, c in self.bold if c in place),
        )


def percent_text(figure: Repeated | None, *, digits: int = 2) -> str:
    """Return mean and standard deviation of fractions in percent.

    Examples
    --------
    >>> percent_text(Repeated(10, 0.98701, 0.00523)), percent_text(Repeated(1, 0.98701, None))
    ('98.70 ± 0.52', '98.70')
    >>> percent_text(Repeated(10, 0.98701, 0.00001)), percent_text(None)
    ('98.70 ± <0.01', '–')
    """
    if figure is None:
        return "–"
    mean = percent(figure.mean, digits=digits)
    if figure.spread is None:
        return mean
    # A deviation may be larger than 1, and is 0 only where nothing differs.
    least = 10.0**-digits
    small = 0 < 100 * figure.spread < least
    spread = f"<{least:.{digits}f}" if small else f"{100 * figure.spread:.{digits}f}"
    return f"{mean} ± {spread}"


def seconds_text(figure: Repeated | None) -> str:
    """Return mean and standard deviation of times in seconds, to three digits or so.

    Examples
    --------
    >>> seconds_text(Repeated(3, 123.456, 4.2)), seconds_text(Repeated(3, 0.01234, 0.002))
    ('123 ± 4', '0.012 ± 0.002')
    """
    if figure is None:
        return "–"
    digits = next((n for n, least in enumerate((100, 10, 1)) if figure.mean >= least), 3)
    mean = f"{figure.mean:,.{digits}f}"
    return mean if figure.spread is None else f"{mean} ± {figure.spread:,.{digits}f}"


def count_text(figure: Repeated | None) -> str:
    """Return a whole number; of numbers that differ, mean and standard deviation.

    Examples
    --------
    >>> count_text(Repeated(3, 5122176.0, 0.0)), count_text(Repeated(2, 10.5, 0.7071))
    ('5,122,176', '10 ± 1')
    """
    if figure is None:
        return "–"
    mean = f"{figure.mean:,.0f}"
    return f"{mean} ± {figure.spread:,.0f}" if figure.spread else mean
