"""What the subcommands print: tables, and the progress of a training."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from hsi.errors import visible

if TYPE_CHECKING:
    from hsi.training import Epoch

# What is read from the left; ids and figures are compared from the right.
_TEXTS = {
    "attention",
    "class",
    "photograph",
    "colour",
    "files",
    "mAP %",
    "model",
    "name",
    "scene",
    "sensor",
    "settings",
    "split",
    "what it is",
}
# So many lines of a training are read in a log file.
_EPOCH_LINES = 20


def duration(seconds: float) -> str:
    """Return a time in words.

    Examples
    --------
    >>> [duration(each) for each in (4.2, 80, 4000, 200_000)]
    ['4 s', '1.3 min', '1.1 h', '2.3 days']
    """
    for unit, size, least in (("days", 86_400, 2), ("h", 3600, 1), ("min", 60, 1)):
        if seconds >= least * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def print_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None
) -> None:
    """Print a table: columns of names are aligned left, ids and figures right."""
    console = _console()
    if title:
        # Not the table's own title, which wraps where the table is narrow.
        console.print(visible(title), markup=False, soft_wrap=True)
    table = Table()
    for name in header:
        table.add_column(escape(name), justify="left" if name in _TEXTS else "right")
    for row in rows:
        table.add_row(*(escape(visible(cell)) for cell in row))
    console.print(table)


def print_results(
    metrics: dict[str, Any], *, title: str, tested: str = "test", counted: str = "pixels"
) -> None:
    """Print accuracies by class and over all; they were measured on `tested` `counted`."""
    basis = f"{tested} {counted}"
    rows = [
        (
            str(each["id"]),
            each["name"],
            f"{each[counted]:,}",
            _percent(each["accuracy"]),
            _percent(each["f1"]),
        )
        for each in metrics["per_class"]
    ]
    print_table(("id", "class", basis, "accuracy %", "F1 %"), rows, title=title)
    print_table(
        ("OA %", "AA %", "kappa x 100", basis),
        [
            (
                _percent(metrics["oa"]),
                _percent(metrics["aa"]),
                _percent(metrics["kappa"]),
                f"{metrics[basis.replace(' ', '_')]:,}",
            )
        ],
    )


def print_learned(metrics: dict[str, Any]) -> None:
    """Print how much of what it learned from a map has right."""
    click.echo(f"Learned: {_percent(metrics['train_oa'])} % of the training pixels are right.")


def print_caveats(metrics: dict[str, Any]) -> None:
    """Print what one must know to judge accuracies: the overlap, and the notes of the split."""
    overlap = metrics["overlap"]
    click.echo(
        f"Overlap: {overlap['contains']:.1%} of the test pixels have a training pixel inside their "
        f"patch, {overlap['shares']:.1%} share pixels with a training patch."
    )
    for note in metrics["notes"]:
        click.echo(f"Note: {note}")


def _percent(fraction: float | None) -> str:
    from hsi.report.numbers import percent  # loads matplotlib, which `hsi --help` does without

    return "-" if fraction is None else percent(fraction, digits=2)


def _console() -> Console:
    """Return a console on standard output that does not wrap a table piped into a file."""
    # None where standard output is closed
    width = None if sys.stdout is not None and sys.stdout.isatty() else 120
    return Console(width=width, highlight=False)


class TrainingDisplay:
    """Shows a training on standard error: live on a terminal, in plain lines elsewhere.

    Parameters
    ----------
    validation : str
        What is measured on validation data.
    """

    def __init__(self, *, validation: str = "validation accuracy") -> None:
        self.validation = validation
        self.console = Console(stderr=True, highlight=False)
        self.live: Progress | None = None
        self.task = TaskID(0)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self.live = Progress(
                TextColumn("epoch {task.fields[epoch]}"),
                BarColumn(),
                TextColumn("{task.fields[figures]}"),
                TimeRemainingColumn(),
                console=self.console,
            )
            self.task = self.live.add_task("", total=None, epoch="1", figures="")
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

    def reading(self, done: int, total: int) -> None:
        """Show how many files are read, before the training begins."""
        if self.live:
            # The bar is that of the steps afterwards.
            completed = done if done < total else 0
            figures = f"reading {done:,} of {total:,}"
            self.live.update(self.task, completed=completed, total=total, figures=figures)
        elif done == total:
            self.console.print(f"{total:,} files read", markup=False)

    def step(self, done: int, total: int) -> None:
        """Move the bar."""
        if self.live:
            self.live.update(self.task, completed=done, total=total)

    def figures(self, epoch: Epoch) -> str:
        """Return the figures of an epoch in words."""
        figures = f"loss {epoch.loss:.4f}  training accuracy {epoch.train_accuracy:.2%}"
        if epoch.validation_accuracy is not None:
            figures += f"  {self.validation} {epoch.validation_accuracy:.2%}"
        return figures

    def epoch(self, epoch: Epoch, total: int) -> None:
        """Show the figures of the epoch that has ended."""
        figures = self.figures(epoch)
        if self.live:
            current = min(epoch.epoch + 1, total)
            self.live.update(self.task, epoch=f"{current}/{total}", figures=figures)
            return
        every = math.ceil(total / _EPOCH_LINES)
        if epoch.epoch % every and epoch.epoch not in (1, total):
            return
        left = epoch.seconds / epoch.epoch * (total - epoch.epoch)
        # markup=False: a percent sign or bracket is only itself
        self.console.print(
            f"epoch {epoch.epoch}/{total}  {figures}  {left:.0f} s left",
            markup=False,
            soft_wrap=True,
        )
