"""Requests to stop: Ctrl-C, and SIGTERM as ``kill`` and job schedulers send it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

REQUESTS = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """SIGTERM came; whatever is done about Ctrl-C is done about it, too."""

    exit_code = 128 + signal.SIGTERM


class Stop:
    """Whether it was requested to stop, and whether that can wait for the end of a step."""

    def __init__(self) -> None:
        self.requested: int | None = None
        self._patient = False

    @contextmanager
    def after_steps(self) -> Iterator[None]:
        """Let a request within the block wait for `check`."""
        self._patient = True
        try:
            yield
        finally:
            self._patient = False
        self.check()

    def check(self) -> None:
        """Raise what was requested.

        Raises
        ------
        KeyboardInterrupt
            Or `Terminated`.
        """
        if self.requested is not None:
            number, self.requested = self.requested, None
            raise _interruption(number)

    def request(self, number: int) -> None:
        """Take note of a signal, or raise what it asks for where nothing is to be waited for."""
        if not self._patient:
            raise _interruption(number)
        self.requested = number


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Let the first request to stop wait for the end of a step; a second one ends the process.

    Other threads than the main one get no signals, and what the process was told to ignore stays
    ignored: there, nothing changes.
    """
    stop = Stop()
    before: dict[signal.Signals, Any] = {}

    def first(number: int, frame: Any) -> None:
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        stop.request(number)

    if threading.current_thread() is threading.main_thread():
        for each in REQUESTS:
            handler = signal.getsignal(each)
            if handler not in (signal.SIG_IGN, None):
                before[each] = handler
        for each in before:
            signal.signal(each, first)
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let a request to terminate do what Ctrl-C does: what is done is kept."""

    def stop(number: int, frame: Any) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interruption(number: int) -> KeyboardInterrupt:
    return Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
