"""Who trains the cells of a benchmark; here, the process itself."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from hsi.evaluation import Cell
from hsi.scenes import Scene
from hsi.training import Progress
from hsi.workflows.bench.work import SceneAtHand, Task, do


class Trainers(Protocol):
    """Who trains cells: this process, some processes, or the workers of a cluster.

    In a ``with`` block, at whose end nobody trains any more.
    """

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop what is not finished."""

    @property
    def is_full(self) -> bool:
        """Whether one has to `take` before one can `give`."""

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to `take`."""

    def give(self, task: Task) -> None:
        """Hand over a cell."""

    def take(self) -> tuple[Cell, str | None]:
        """Wait for a cell; return it, and the reason if it could not be done."""


class InTurn:
    """A trainer that is this process; a cell is trained when it is given.

    Parameters
    ----------
    scenes : mapping of str to Scene
        By their names in the plan.
    progress : Progress, optional
        Told of the steps.
    """

    def __init__(self, scenes: Mapping[str, Scene], progress: Progress | None) -> None:
        self._scene, self._progress = SceneAtHand(scenes), progress
        self._done: list[tuple[Cell, str | None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._done.clear()

    @property
    def is_full(self) -> bool:
        """Whether a cell is done."""
        return bool(self._done)

    @property
    def is_idle(self) -> bool:
        """Whether none is."""
        return not self._done

    def give(self, task: Task) -> None:
        """Train a cell."""
        self._done.append((task.cell, do(task, self._scene(task), progress=self._progress)))

    def take(self) -> tuple[Cell, str | None]:
        """Return the cell that is done, and the reason if it could not be done."""
        return self._done.pop()
