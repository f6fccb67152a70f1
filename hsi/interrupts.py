"""Requests to stop: Ctrl-C, and SIGTERM as ``kill`` and job schedulers send it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

REQUESTS = (signal.SIGINT, signal.SIGTERM)
# The exit code of what Ctrl-C has ended.
INTERRUPTED = 128 + signal.SIGINT


class Terminated(KeyboardInterrupt):
    """SIGTERM came; whatever is done about Ctrl-C is done about it, too."""

    exit_code = 128 + signal.SIGTERM


class Stop:
    """Whether it was requested to stop, and whether that can wait for the end of a step.

    Parameters
    ----------
    agree : callable, optional
        For processes that must stop after the same step: takes the number of the signal that this
        one got, 0 for none, and returns the highest that any of them got.

    Attributes
    ----------
    requested : int or None
        The signal to stop for after this step.
    """

    def __init__(self, agree: Callable[[int], int] | None = None) -> None:
        self.requested: int | None = None
        self._heard: int | None = None
        self._agree = agree
        self._patient = False

    def confer(self) -> None:
        """Let `requested` be what all processes have heard by now; each must call it."""
        if self._agree:
            self.requested = self._agree(self._heard or 0) or None

    @contextmanager
    def after_steps(self) -> Iterator[None]:
        """Let a request within the block wait for `check`.

        If an error ends the block, a request waits for whatever is done about that.
        """
        self._patient = True
        yield
        self._patient = False
        self.requested = self._heard  # no others have to be waited for any more
        self.check()

    def check(self) -> None:
        """Raise what was requested.

        Raises
        ------
        KeyboardInterrupt
            Or `Terminated`.
        """
        if self.requested is not None:
            number, self.requested, self._heard = self.requested, None, None
            raise _interruption(number)

    def request(self, number: int) -> None:
        """Take note of a signal, or raise what it asks for where nothing is to be waited for."""
        if not self._patient:
            raise _interruption(number)
        self._heard = number
        if not self._agree:
            self.requested = number


@contextmanager
def stoppable(
    agree: Callable[[int], int] | None = None, *, patience: float | None = None
) -> Iterator[Stop]:
    """Let the first request to stop wait for the end of a step; a second one ends the process.

    Other threads than the main one get no signals, and what the process was told to ignore stays
    ignored: there, nothing changes.

    Parameters
    ----------
    agree : callable, optional
        As for `Stop`. Further requests then are no second ones: torchrun passes on what a scheduler
        may have sent to each process already, and ends them itself if they take too long.
    patience : float, optional
        End the process if a request is not even taken note of for so many seconds: it waits, within
        a library, for what may never come.
    """
    stop = Stop(agree)
    before: dict[signal.Signals, Any] = {
        each: signal.getsignal(each) for each in REQUESTS if _takes(each)
    }
    noted = threading.Event()

    def first(number: int, frame: Any) -> None:
        noted.set()
        for each in before:
            signal.signal(each, signal.SIG_IGN if agree else signal.SIG_DFL)
        stop.request(number)

    for each in before:
        signal.signal(each, first)
    try:
        with _watched(noted, patience) if patience and before else nullcontext():
            yield stop
    except KeyboardInterrupt:
        if noted.is_set():  # a program answers one of them
            before = {each: what for each, what in before.items() if what is not _once}
        raise
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _watched(noted: threading.Event, patience: float) -> Iterator[None]:
    """Have a thread that ends the process if a signal comes and is not noted in time.

    Python runs handlers in the main thread, once that comes back from a library; of the signal
    itself, the thread learns at once.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)

    def watch() -> None:
        if (number := os.read(read, 1)) and not noted.wait(patience):
            print("Interrupted while waiting for another process.", file=sys.stderr, flush=True)
            os._exit(128 + number[0])
        os.close(read)

    before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(write)


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Let the first Ctrl-C within the block be raised, and any later one end the process at once.

    It is for programs: once the block is left, the process has nothing to say any more, and Ctrl-C
    while Python cleans up is to show no traceback. What it was told to ignore stays ignored.
    """
    if _takes(signal.SIGINT):
        signal.signal(signal.SIGINT, _once)
    try:
        yield
    finally:
        if _takes(signal.SIGINT):
            signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let the first request to terminate do what Ctrl-C does: what is done is kept."""
    before = signal.signal(signal.SIGTERM, _once)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _once(number: int, frame: Any) -> None:
    """Raise the first request to stop; whatever comes next ends the process."""
    for each in REQUESTS:
        if signal.getsignal(each) is _once:
            signal.signal(each, signal.SIG_DFL)
    raise _interruption(number)


def _takes(number: signal.Signals) -> bool:
    """Return whether this thread may say what a signal does, and the process heeds it."""
    here = threading.current_thread() is threading.main_thread()
    return here and signal.getsignal(number) not in (signal.SIG_IGN, None)


def _interruption(number: int) -> KeyboardInterrupt:
    return Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
