"""The progress of a map: a bar with the time left, or a line now and then in a log."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from hsi.errors import visible

# Seconds between two lines in a log.
_EVERY = 30.0


class MapDisplay:
    """Shows on standard error how many rows of a scene are mapped.

    Parameters
    ----------
    name : str
        Of the scene.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.console = Console(stderr=True, highlight=False)
        self.live: Progress | None = None
        self.task = TaskID(0)
        self.last = time.monotonic()
        self.first: tuple[float, int] | None = None

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self.live = Progress(
                TextColumn(escape(visible(self.name))),
                BarColumn(),
                TextColumn("{task.completed:,.0f} of {task.total:,.0f} rows"),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
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

    def rows(self, done: int, total: int) -> None:
        """Show how many rows of how many are done."""
        now = time.monotonic()
        if self.live:
            if not self.live.tasks:
                # What an earlier attempt has done says nothing about the time left.
                self.task = self.live.add_task("", total=total, completed=done)
            self.live.update(self.task, completed=done)
            return
        if self.first is None:
            self.first = now, done
        if now - self.last < _EVERY or done == self.first[1]:
            return
        self.last = now
        left = (now - self.first[0]) / (done - self.first[1]) * (total - done)
        self.console.print(
            f"{visible(self.name)}: {done:,} of {total:,} rows, {left:.0f} s left",
            markup=False,
            soft_wrap=True,
        )
