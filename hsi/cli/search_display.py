"""What ``hsi search`` shows: each trial as it ends, and in the end the best and what matters."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from hsi.cli.console import duration, print_table
from hsi.errors import visible

if TYPE_CHECKING:
    from hsi.workflows.search import SearchResult
    from hsi.workflows.search.journal import Tally
    from hsi.workflows.search.rows import Row

BEST = 10


class SearchDisplay:
    """Shows a search on standard error: live on a terminal, in plain lines elsewhere."""

    def __init__(self, objective: str) -> None:
        self.objective = objective
        self.console = Console(stderr=True, highlight=False)
        self.live: Progress | None = None
        self.task = TaskID(0)
        self.total = self.before = 0
        self.start = 0.0
        self.best: Row | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.live:
            self.live.stop()

    def begun(self, best: Row | None, tally: Tally, total: int, notes: Sequence[str]) -> None:
        """Say what must be known of the pixels, and how much is done already."""
        self.best, self.total = best, total
        self.before, self.start = tally.finished, time.monotonic()
        for note in notes:
            self.console.print(f"Note: {visible(note)}", markup=False, soft_wrap=True)
        if tally.finished:
            self.console.print(f"Continuing: {tally.finished} of {total} trials are finished.")
        if self.console.is_terminal:
            self.live = Progress(
                TextColumn("trial {task.completed:.0f}/{task.total:.0f}"),
                BarColumn(),
                TextColumn("{task.fields[figures]}"),
                TimeElapsedColumn(),  # what moves while a trial goes on
                console=self.console,
            )
            self.task = self.live.add_task("", total=total, completed=tally.finished, figures="")
            self.live.start()

    def finished(self, row: Row, tally: Tally) -> None:
        """Show what a trial came to, and the best so far."""
        if row.value is not None and (self.best is None or row.value > (self.best.value or 0.0)):
            self.best = row
        best = "" if self.best is None else f"  best {self._shown(self.best)}"
        figures = f"{best}{self._time_left(tally.finished)}"
        if self.live:
            self.live.update(self.task, completed=tally.finished, figures=figures.strip())
            return
        came_to = {"pruned": "ended early", "failed": f"failed: {row.reason}"}.get(row.outcome)
        took = "" if row.seconds is None else f"  {row.seconds:.1f} s"
        self.console.print(
            f"trial {tally.finished}/{self.total}  {came_to or self._shown(row)}{took}{figures}",
            markup=False,
            soft_wrap=True,
        )

    def _time_left(self, finished: int) -> str:
        """Return how long the rest takes if all processes go on as they did since the beginning."""
        left, done = self.total - finished, finished - self.before
        if left <= 0 or done <= 0:
            return ""
        seconds = (time.monotonic() - self.start) / done * left
        return f"  about {duration(seconds)} left"

    def _shown(self, row: Row) -> str:
        from hsi.report.numbers import percent

        return f"{self.objective.upper()} {percent(row.value, digits=2)} % (trial {row.number})"


def print_search(result: SearchResult) -> None:
    """Print the best trials, how much settings matter, and what must be said of both."""
    from hsi.report.numbers import percent

    print_table(
        ("trial", f"{result.objective.upper()} %", "OA %", "settings"),
        [
            (
                str(row.number),
                percent(row.value, digits=2)
                + ("" if row.spread is None else f" ± {percent(row.spread, digits=2)}"),
                percent(row.accuracies["oa"], digits=2),
                # As many columns as settings would be too narrow to be read.
                ", ".join(
                    f"{name} {_shown(value)}"
                    for name in result.searched
                    if (value := row.told(name)) is not None
                ),
            )
            for row in result.ranked[:BEST]
        ],
        title=f"The best of {result.tally.finished} trials, on {result.validation_pixels:,} "
        "validation pixels",
    )
    importances = result.importances
    if importances.shares:
        shares = ", ".join(
            f"{name} {percent(share, digits=0)} %" for name, share in importances.shares.items()
        )
        click.echo(
            f"What matters (fANOVA of {importances.trials} complete trials, which tells "
            f"{percent(importances.explained, digits=0)} % of the variance of unseen ones): "
            f"{shares}"
        )
    else:
        click.echo(f"What matters cannot be told: {importances.reason}.")
    _print_remarks(result)


def _print_remarks(result: SearchResult) -> None:
    from hsi.report.numbers import percents
    from hsi.workflows.search.results import failures

    best, usual, counts = result.best, result.usual, result.tally
    if best and usual and usual.value is not None and best.value is not None:
        found, known = percents(best.value, usual.value, digits=2)
        click.echo(
            f"Usual settings (trial {usual.number}): {known} %; best: {found} %. The best of many "
            "is too high by some chance; the test tells."
        )
    ended = [f"{counts.pruned} ended early"] if counts.pruned else []
    ended += [f"{counts.running} are still running elsewhere"] if counts.running else []
    if ended:
        click.echo(f"Of the trials, {' and '.join(ended)}.")
    for reason, count in failures(result.rows).items():
        click.echo(f"Failed, {count} of {counts.finished}: {reason}")
    for note in result.notes:
        click.echo(f"Note: {note}")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)
