"""The cells of a benchmark on the workers of a cluster, which write them where all see them."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hsi.errors import HsiError
from hsi.evaluation import Cell
from hsi.training import Epoch
from hsi.workflows.bench.work import SceneAtHand, Task, do
from hsi.workflows.cluster import Cluster
from hsi.workflows.cluster.cancelled import cancelled_here
from hsi.workflows.cluster.paths import absolute_source, check_seen
from hsi.workflows.cluster.queue import in_words

STOPPED = "it was stopped"

# Of a worker: trainings share PyTorch's state, so that there is one at a time.
_ONE_AT_A_TIME = threading.Lock()
_SCENE = SceneAtHand()


class OnWorkers:
    """Workers that train cells; in a ``with`` block, at whose end they are told to stop.

    Parameters
    ----------
    cluster : Cluster
        Open.
    mark : Path
        A file in the folder of the benchmark that workers have to see.
    device : str
        Where they compute.

    Raises
    ------
    ClusterError
        If one does not see it, or is not like this process.
    """

    def __init__(self, cluster: Cluster, *, mark: Path, device: str) -> None:
        self.cluster = cluster
        cluster.agreed(device)
        check_seen(cluster, mark)
        self._flying: dict[Any, Task] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._flying:
            self.cluster.client.cancel(list(self._flying), force=True)

    @property
    def is_full(self) -> bool:
        """Whether all workers are at work."""
        return len(self._flying) >= max(1, len(self.cluster.threads))

    @property
    def is_idle(self) -> bool:
        """Whether none of them is."""
        return not self._flying

    def give(self, task: Task) -> None:
        """Let a worker that is free train a cell."""
        there = dataclasses.replace(
            task, folder=task.folder.absolute(), source=absolute_source(task.source)
        )
        future = self.cluster.client.submit(train_on_worker, there, pure=False)
        self._flying[future] = task

    def take(self) -> tuple[Cell, str | None]:
        """Wait for a cell; return it, and the reason if it could not be done.

        Raises
        ------
        ClusterError
            If the cluster does not answer any more.
        """
        from distributed import KilledWorker

        done = self.cluster.done(self._flying).pop()
        cell = self._flying.pop(done).cell
        try:
            return cell, done.result()
        except KilledWorker as error:
            return cell, str(in_words(error, "it"))
        except Exception as error:
            raise in_words(error, "a cell") from error


def train_on_worker(task: Task) -> str | None:
    """Do a task; return the reason if it could not be done. Called on a worker."""
    cancelled = cancelled_here()
    with _ONE_AT_A_TIME:
        try:
            return do(task, _SCENE(task), progress=_UntilCancelled(cancelled))
        except KeyboardInterrupt:  # nobody waits for it any more
            return STOPPED
        except HsiError as error:  # the scene cannot be opened here
            return str(error)


class _UntilCancelled:
    """Interrupts a training for which nobody waits any more, as Ctrl-C would."""

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self._cancelled = cancelled

    def step(self, done: int, total: int) -> None:
        if self._cancelled():
            raise KeyboardInterrupt

    def epoch(self, epoch: Epoch, total: int) -> None:
        """Do nothing: steps say it."""
