"""Several processes that train the cells of a benchmark, and their end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

import torch

from hsi.errors import HsiError
from hsi.evaluation import Cell
from hsi.workflows.bench.work import SceneAtHand, Task, clean_up, do

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# So long a worker may take for its step, and to keep what it has learned, once it is to end.
PATIENCE_SECONDS = 30.0


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    task: Task | None = None


class Pool:
    """Worker processes; in a ``with`` block, at whose end none of them is left.

    They are started anew, not forked, and share the threads of this process evenly. Scripts that
    use it need the usual ``if __name__ == "__main__":``.

    Parameters
    ----------
    jobs : int
        How many processes.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.process.terminate()
            worker.connection.close()  # for one that waits for its next task
        end = time.monotonic() + PATIENCE_SECONDS
        for worker in self._workers:
            worker.process.join(max(0.0, end - time.monotonic()))
            if worker.process.is_alive():
                # Where Python cannot let an exception out, it drops it, and the request with it.
                worker.process.kill()
                worker.process.join()
            if worker.task is not None:
                clean_up(worker.task.folder)

    @property
    def is_full(self) -> bool:
        """Whether all processes are at work."""
        return sum(worker.task is not None for worker in self._workers) >= self.jobs

    @property
    def is_idle(self) -> bool:
        """Whether none of them is."""
        return all(worker.task is None for worker in self._workers)

    def give(self, task: Task) -> None:
        """Let a process that is free work on a task."""
        for worker in [each for each in self._workers if each.task is None]:
            try:
                worker.connection.send(task)
            except ConnectionError:  # it was killed while it waited
                self._bury(worker)
                continue
            worker.task = task
            return
        worker = self._start()
        self._workers.append(worker)
        worker.task = task
        with suppress(ConnectionError):  # it was killed already, which `take` says
            worker.connection.send(task)

    def take(self) -> tuple[Cell, str | None]:
        """Wait for a task to be done; return its cell, and the reason if it could not be done."""
        busy = {each.connection: each for each in self._workers if each.task is not None}
        ready = wait(list(busy))[0]
        assert isinstance(ready, Connection)
        worker = busy[ready]
        assert worker.task is not None
        cell = worker.task.cell
        try:
            reason: str | None = ready.recv()
        except (EOFError, ConnectionError):  # it was killed, or could not even start
            self._bury(worker)
            clean_up(worker.task.folder)
            reason = f"its process ended with code {worker.process.exitcode}; is memory short?"
        worker.task = None
        return cell, reason

    def _bury(self, worker: _Worker) -> None:
        """Forget a process that has ended."""
        worker.process.join()
        self._workers.remove(worker)
        worker.connection.close()

    def _start(self) -> _Worker:
        threads = max(1, torch.get_num_threads() // self.jobs)
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, threads), daemon=True)
        with _environment(dict.fromkeys(_THREADS, str(threads))), _interrupts_held_back():
            process.start()
        theirs.close()
        return _Worker(process, ours)


def _work(connection: Connection, threads: int) -> None:
    """Do the tasks that come, until nobody sends any more."""
    # An interrupt at the terminal reaches all processes; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    scene = SceneAtHand()
    while True:
        try:
            task: Task = connection.recv()
        except EOFError:
            return
        try:
            reason = do(task, scene(task))
        except KeyboardInterrupt:  # the process that started this one asked for it
            return
        except HsiError as error:  # the scene cannot be opened any more
            reason = str(error)
        connection.send(reason)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let interrupts wait: those that this process gets, and those of one that it starts."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Where it is started, it ends what holds signals back here.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables that libraries read when a process starts."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
