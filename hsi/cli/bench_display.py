"""What ``hsi bench`` prints: its plan, its progress with the time left, and the tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from hsi.cli.console import duration, print_table
from hsi.errors import visible
from hsi.evaluation import Cell, Result
from hsi.report.bench_report import Section
from hsi.report.numbers import percent
from hsi.report.result_tables import amount_name, seeds_words
from hsi.report.table import Table
from hsi.training.split_settings import GUARDED
from hsi.workflows.bench import Bench
from hsi.workflows.bench.pace import Pace
from hsi.workflows.bench.written import failure_lines, name_of

if TYPE_CHECKING:
    from hsi.training import Epoch

# Letters in a line of a terminal that a table may take; wider ones are printed in parts.
WIDTH = 116


def print_plan(
    bench: Bench,
    cells: Sequence[Cell],
    *,
    jobs: int,
    as_json: bool = False,
    on_error_stream: bool = False,
) -> None:
    """Say what is going to be trained, and how long it will take as far as one knows."""
    todo = [cell for cell in cells if cell not in bench.results]
    seconds = Pace(bench.results.values()).left(todo, jobs=jobs)
    guarded = any(cell.split in GUARDED for cell in cells)
    if as_json:
        plan: dict[str, Any] = {
            "cells": [cell._asdict() | {"finished": cell in bench.results} for cell in cells],
            "to_train": len(todo),
            "seconds": seconds,
            "guard": bench.plan.guard if guarded else None,
            "settings": bench.plan.settings,
        }
        click.echo(json.dumps(plan, indent=2))
        return
    names = {
        axis: list(dict.fromkeys(getattr(cell, axis) for cell in cells))
        for axis in ("scene", "split", "train", "model", "seed")
    }
    lines = [
        f"{len(cells)} cells: {', '.join(names['scene'])}; {', '.join(names['split'])}; training "
        f"{', '.join(map(amount_name, names['train']))}; {', '.join(names['model'])}; "
        f"{seeds_words(names['seed'])}."
    ]
    if guarded:
        sides = {model: bench.plan.side_of(model) for model in bench.plan.models}
        largest = max(sides, key=sides.__getitem__)
        lines.append(
            f"Blocks and folds keep {bench.plan.guard} pixels between training and test; the "
            f"largest patches, of {largest}, are {sides[largest]}x{sides[largest]} and need "
            f"{sides[largest] - 1}."
        )
    if bench.plan.settings:
        listed = ", ".join(f"{name} {value}" for name, value in bench.plan.settings.items())
        lines.append(f"Settings of all models: {listed}.")
    took = "" if seconds is None or not todo else f", about {duration(seconds)}"
    lines.append(f"{len(cells) - len(todo)} are finished, {len(todo)} to train{took}.")
    click.echo("\n".join(lines), err=on_error_stream)


def print_sections(sections: Iterable[Section]) -> None:
    """Print tables, their notes, and what follows from them."""
    for section in sections:
        if not section.tables:
            click.echo(section.heading)
        for table in section.tables:
            for number, part in enumerate(_parts(table)):
                print_table(part.head, part.rows, title=None if number else part.title)
            for note in table.notes:
                click.echo(note)
        for sentence in section.sentences:
            click.echo(f"* {sentence}")
        click.echo()


def _parts(table: Table) -> Iterator[Table]:
    """Yield the table in parts that fit into a line, each with the columns of texts."""
    widths = [
        3 + max(len(text) for text in (table.head[column], *(row[column] for row in table.rows)))
        for column in range(len(table.head))
    ]
    texts = list(range(table.texts))
    room = WIDTH - sum(widths[column] for column in texts)
    chosen: list[int] = []
    for column in range(table.texts, len(table.head)):
        if chosen and sum(widths[each] for each in (*chosen, column)) > room:
            yield table.columns([*texts, *chosen])
            chosen = []
        chosen.append(column)
    yield table.columns([*texts, *chosen])


def print_failures(bench: Bench) -> None:
    """Say which cells could not be trained, and why."""
    for line in failure_lines(bench.failures):
        click.echo(line, err=True)


class BenchDisplay:
    """Shows on standard error how far a benchmark is: live on a terminal, elsewhere a line a cell.

    Parameters
    ----------
    bench : Bench
        What is trained.
    cells : sequence of Cell
        What is asked for.
    jobs : int
        Processes.
    """

    def __init__(self, bench: Bench, cells: Sequence[Cell], *, jobs: int) -> None:
        self.bench, self.jobs = bench, jobs
        self.left = [cell for cell in cells if cell not in bench.results]
        self.total = len(self.left)
        self.pace = Pace(bench.results.values())
        self.console = Console(stderr=True, highlight=False)
        self.live: Progress | None = None
        self.progress = _Steps(self)

    def __enter__(self) -> Self:
        if self.console.is_terminal and self.left:
            self.live = Progress(
                TextColumn("{task.completed:.1f} of {task.total:.0f}"),
                BarColumn(),
                TextColumn("{task.description}", markup=False),
                console=self.console,
            )
            self.task = self.live.add_task("", total=self.total)
            self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.live:
            self.live.stop()

    def started(self, cell: Cell) -> None:
        """Show which cell is trained."""
        self.show(f"{visible(name_of(cell))}{self._time_left()}")

    def show(self, text: str | None = None, *, share: float = 0.0) -> None:
        """Show what is done, and that `share` of a cell."""
        if self.live:
            done = self.total - len(self.left)
            self.live.update(self.task, description=text, completed=done + share)

    def finished(self, cell: Cell, result: Result | None, reason: str | None) -> None:
        """Show the result of a cell, or why there is none."""
        self.left.remove(cell)
        if result is not None:
            self.pace.add(result)
            oa, seconds = result.figures["oa"], result.figures["train_seconds"]
            outcome = f"OA {percent(oa, digits=2)} %, trained in {duration(seconds or 0)}"
        else:
            outcome = f"failed: {(reason or '').splitlines()[0]}"
        number = self.total - len(self.left)
        self.console.print(
            visible(f"[{number}/{self.total}] {name_of(cell)}: {outcome}{self._time_left()}"),
            markup=False,
            soft_wrap=True,
        )
        self.show()

    def interrupted(self) -> str:
        """Return what an interruption leaves, and how to go on."""
        done = self.total - len(self.left)
        trained = f"{done} of {self.total} cells {'was' if done == 1 else 'were'} trained now"
        return (
            f"{trained}; all that is finished is in "
            f"{self.bench.out}. The same command goes on from there; `hsi bench --out "
            f"{self.bench.out}` prints what there is."
        )

    def _time_left(self) -> str:
        seconds = self.pace.left(self.left, jobs=self.jobs)
        return f"; about {duration(seconds)} left" if seconds and self.left else ""


class _Steps:
    """Moves the bar within a cell."""

    def __init__(self, display: BenchDisplay) -> None:
        self.display = display

    def step(self, done: int, total: int) -> None:
        self.display.show(share=done / total)

    def epoch(self, epoch: Epoch, total: int) -> None:
        """Do nothing: steps say it."""
