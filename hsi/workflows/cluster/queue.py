"""Tasks that wait and tasks that are on their way: enough for all workers, and never more.

What comes back early is held until it is asked for. So as many results are held as there are tasks
on their way, however large the scene and however many scenes there are.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

from hsi.errors import ClusterError

# While a worker is at one task, another waits beside it.
EACH = 2


@dataclass(frozen=True, kw_only=True)
class Task:
    """A function of a module and what it is called with, on a worker.

    Attributes
    ----------
    which : hashable
        By what the result is asked for.
    what : str
        In messages.
    function : callable
        Importable by its name.
    arguments : tuple
        Handed to it.
    """

    which: Hashable
    what: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class TaskQueue:
    """Gives tasks to workers, in order, and hands out results in the order that is asked for.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    more : callable
        Called when all tasks are on their way and workers could do with more; may `add` some, and
        returns whether it is worth asking again.
    """

    def __init__(self, client: Any, *, more: Callable[[], bool]) -> None:
        self._client, self._more = client, more
        self._waiting: deque[Task] = deque()
        self._flying: dict[Hashable, Any] = {}
        self._given = 0
        self._asking = False

    def knows(self, which: Hashable) -> bool:
        """Return whether a task waits or is on its way."""
        return which in self._flying or any(task.which == which for task in self._waiting)

    @property
    def knows_any(self) -> bool:
        """Whether there is a task that nobody has taken yet."""
        return bool(self._waiting or self._flying)

    def add(self, task: Task) -> None:
        """Let a task wait for its turn."""
        self._waiting.append(task)

    def take(self, task: Task) -> Any:
        """Wait for a task, which need not have been added, and return its result.

        Raises
        ------
        ClusterError
            If it ended one worker after the other, or the cluster is gone.
        Exception
            Whatever the function raises.
        """
        if task.which not in self._flying:
            self._waiting = deque(each for each in self._waiting if each.which != task.which)
            self._give(task)
        self._fill()
        future = self._flying[task.which]
        try:
            return future.result()
        except Exception as error:
            raise in_words(error, task.what) from error
        finally:
            future.release()
            del self._flying[task.which]

    def drop(self, belongs: Callable[[Any], bool]) -> None:
        """Forget tasks, wherever they are."""
        self._waiting = deque(task for task in self._waiting if not belongs(task.which))
        dropped = [which for which in self._flying if belongs(which)]
        if dropped:
            self._client.cancel([self._flying.pop(which) for which in dropped], force=True)

    def _fill(self) -> None:
        most = EACH * max(1, sum(self._client.nthreads().values()))
        while len(self._flying) < most:
            if self._waiting:
                self._give(self._waiting.popleft())
            elif not self._asked_for_more():
                return

    def _asked_for_more(self) -> bool:
        if self._asking:  # by what is called for more itself
            return False
        self._asking = True
        try:
            return self._more()
        finally:
            self._asking = False

    def _give(self, task: Task) -> None:
        self._given += 1
        self._flying[task.which] = self._client.submit(
            task.function,
            *task.arguments,
            # Another client of the cluster may want the same, and cancel it.
            key=f"{task.function.__name__}-{uuid.uuid4().hex}",
            # Results are asked for in this order, also when a task has to be done again.
            priority=-self._given,
            pure=False,
        )


def in_words(error: Exception, what: str) -> Exception:
    """Return what is to be raised for the error of a task: itself, unless it is one of Dask's."""
    from distributed import KilledWorker
    from distributed.comm import CommClosedError

    if isinstance(error, KilledWorker):
        return ClusterError(
            f"{what} has ended {error.allowed_failures + 1} workers, the last one at "
            f"{error.last_worker.address}\nIf memory was short there, a smaller --max-memory, or "
            "fewer workers on a machine, need less."
        )
    if isinstance(error, CancelledError | CommClosedError):
        said = str(error).splitlines() or [type(error).__name__]
        return ClusterError(f"the Dask cluster no longer answers, or gave {what} up: {said[0]}")
    return error
