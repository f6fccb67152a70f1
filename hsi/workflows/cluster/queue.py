"""Tasks that wait and tasks that are on their way: enough for all workers, and close together.

Tasks come in series, such as the strips of a scene from top to bottom. Neighbours share what they
are computed from, so that a worker takes one after the other: a whole series where there is one
that nobody has begun, else the second half of what is left of the longest.

What comes back early is held by the workers until it is asked for. Of that there is only so much:
beyond, workers take what will be asked for first, and in the end nothing.
"""

from __future__ import annotations

import uuid
from collections import Counter, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from hsi.errors import ClusterError

# While a worker is at one task, another waits beside it.
EACH = 2
# Bytes of results for each worker with which nothing far ahead is begun, and with twice as many
# nothing at all.
HELD = 64 * 2**20
# After so many seconds it is asked which workers there are, whatever they are at.
LOOK_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Task:
    """A function of a module and what it is called with, on a worker.

    Attributes
    ----------
    series : hashable
        What it is a part of.
    place : int
        Of the task in its series.
    what : str
        In messages.
    function : callable
        Importable by its name.
    arguments : tuple
        Handed to it.
    size : int
        Bytes of what it returns.
    """

    series: Hashable
    place: int
    what: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    size: int

    @property
    def which(self) -> tuple[Hashable, int]:
        """By what it is known."""
        return self.series, self.place


@dataclass(kw_only=True, eq=False)
class _Run:
    """Tasks that follow each other and wait; at first for any worker, then for one."""

    tasks: deque[Task] = field(default_factory=deque)
    worker: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Flight:
    """A task that a worker was given."""

    task: Task
    future: Any
    worker: str | None


class TaskQueue:
    """Gives tasks to workers, and hands out results in the order that is asked for.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    more : callable
        Called when a worker could do with another series; may `add` some, but `take` none, and
        returns whether it is worth asking again.
    done : callable
        Takes futures and `seconds`, and waits for so long at most until one of them is done.
    """

    def __init__(
        self, client: Any, *, more: Callable[[], bool], done: Callable[..., Collection[Any]]
    ) -> None:
        self._client, self._more, self._done = client, more, done
        self._runs: list[_Run] = []  # in the order in which they will be asked for
        self._flying: dict[Hashable, _Flight] = {}
        self._given = 0

    @property
    def knows_any(self) -> bool:
        """Whether there is a task that nobody has taken yet."""
        return bool(self._runs or self._flying)

    def add(self, tasks: Iterable[Task]) -> None:
        """Let tasks of one series, in order, wait for their turn, unless they do already."""
        known = {task.which for run in self._runs for task in run.tasks} | self._flying.keys()
        new = deque(task for task in tasks if task.which not in known)
        if new:
            self._runs.append(_Run(tasks=new))

    def take(self, task: Task) -> Any:
        """Wait for a task, which need not have been added, and return its result.

        Raises
        ------
        ClusterError
            If it ended one worker after the other, or the cluster is gone.
        Exception
            Whatever the function raises.
        """
        with scheduler_asked(task.what):
            self._fill()
            if task.which not in self._flying:
                self._leave_out(lambda each: each.which == task.which)
                self._give(task, None)
        future = self._flying[task.which].future
        try:
            with scheduler_asked(task.what):
                while not future.done():
                    others = [each.future for each in self._unfinished if each.future is not future]
                    self._done([future, *others], seconds=LOOK_SECONDS)
                    self._fill()
            try:
                return future.result()
            except Exception as error:
                raise in_words(error, task.what) from error
        finally:
            future.release()
            del self._flying[task.which]

    def drop(self, series: Hashable) -> None:
        """Forget the tasks of a series, wherever they are."""
        self._leave_out(lambda task: task.series == series)
        self._cancel([which for which, each in self._flying.items() if each.task.series == series])

    def clear(self) -> None:
        """Forget all tasks."""
        self._runs = []
        self._cancel(list(self._flying))

    @property
    def _unfinished(self) -> list[_Flight]:
        return [each for each in self._flying.values() if not each.future.done()]

    def _leave_out(self, belongs: Callable[[Task], bool]) -> None:
        for run in self._runs:
            run.tasks = deque(task for task in run.tasks if not belongs(task))
        self._runs = [run for run in self._runs if run.tasks]

    def _cancel(self, dropped: list[Hashable]) -> None:
        futures = [self._flying.pop(which).future for which in dropped]
        # A scheduler that is gone has nothing to forget.
        with suppress(ClusterError), scheduler_asked("tasks"):
            if futures:
                self._client.cancel(futures, force=True)

    def _fill(self) -> None:
        """Give every worker what it can do with, one task each before any has two."""
        workers: Mapping[str, int] = self._client.nthreads()
        for each in self._runs:
            if each.worker not in workers:
                each.worker = None
        busy = Counter(each.worker for each in self._unfinished)
        for slots in range(1, EACH + 1):
            for address, threads in workers.items():
                while busy[address] < slots * threads:
                    run = self._run_for(address, most=HELD * len(workers))
                    if run is None:
                        break
                    self._give(run.tasks.popleft(), address)
                    busy[address] += 1
                    self._runs = [each for each in self._runs if each.tasks]

    def _run_for(self, address: str, *, most: int) -> _Run | None:
        """Return the run that a worker goes on with; it has tasks."""
        held = sum(each.task.size for each in self._flying.values())
        if held >= most:
            return self._runs[0] if self._runs and held < 2 * most else None
        while True:
            for owner in (address, None):
                for each in self._runs:
                    if each.worker == owner:
                        each.worker = address
                        return each
            if not self._more():
                return self._half_for(address)

    def _half_for(self, address: str) -> _Run | None:
        """Take the second half of the longest run for a worker that has none."""
        longest = max(self._runs, key=lambda run: len(run.tasks), default=None)
        if longest is None:
            return None
        half = _Run(worker=address)
        for _ in range((len(longest.tasks) + 1) // 2):
            half.tasks.appendleft(longest.tasks.pop())
        self._runs.insert(self._runs.index(longest) + 1, half)
        return half

    def _give(self, task: Task, address: str | None) -> None:
        self._given += 1
        future = self._client.submit(
            task.function,
            *task.arguments,
            # Another client of the cluster may want the same, and cancel it.
            key=f"{task.function.__name__}-{uuid.uuid4().hex}",
            # A worker does them in this order, also when one has to be done again.
            priority=-self._given,
            pure=False,
            # Where it dies or is the slower one, others do it.
            workers=None if address is None else [address],
            allow_other_workers=address is not None,
        )
        self._flying[task.which] = _Flight(task=task, future=future, worker=address)


@contextmanager
def scheduler_asked(what: str) -> Iterator[None]:
    """Turn what Dask raises where the scheduler does not answer into a `ClusterError`."""
    from distributed.comm import CommClosedError

    try:
        yield
    except (CommClosedError, CancelledError, TimeoutError) as error:
        raise _gone(error, what) from error
    except OSError as error:
        # Where nobody listens any more, Dask raises one of its own; those of files have a number.
        if type(error) is OSError and error.errno is None:
            raise _gone(error, what) from error
        raise


def _gone(error: BaseException, what: str) -> ClusterError:
    said = str(error).splitlines() or [type(error).__name__]
    return ClusterError(f"the Dask cluster no longer answers, or gave {what} up: {said[0]}")


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
        return _gone(error, what)
    return error
