"""The process that calls functions for this one."""

from __future__ import annotations

import atexit
import functools
import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from multiprocessing import spawn
from pathlib import Path
from typing import Any

from hsi.contained.errors import CrashedError
from hsi.contained.messages import receive, send
from hsi.contained.watch import Watch

_START = (
    "import sys; sys.path[:] = {path!r}; from hsi.contained.served import serve; serve({parent})"
)
# So long an interpreter may take to start on a busy machine.
_START_SECONDS = 120.0
_WARNED: dict[Any, Any] = {}
"""What was warned of, so that it is said once, as if it had been warned of here."""


_HELPERS: weakref.WeakSet[Helper] = weakref.WeakSet()


def can_be_sent(function: Callable[..., Any]) -> bool:
    """Return whether another process can find a function by its name."""
    inner: Any = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    if getattr(inner, "__module__", None) == "__main__":
        return False
    try:
        pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


class Helper:
    """A process that calls functions for this one, one at a time; threads wait for each other."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: Watch
        self._owner = 0
        self._lock = threading.Lock()
        self._impossible = False
        _HELPERS.add(self)

    def call(
        self, function: Callable[..., Any], *arguments: Any, seconds: float, **named: Any
    ) -> Any:
        """Return what a function of a module returns, called in the helper process.

        Parameters
        ----------
        function : callable
            Importable by its name; it, arguments and result must be picklable.
        *arguments, **named
            Handed over to it.
        seconds : float
            After so long without an answer the process is ended.

        Raises
        ------
        CrashedError
            If the process crashed, or took too long.
        Exception
            Whatever the function raises.
        """
        with self._lock:
            process = self._started()
            if process is None:
                return function(*arguments, **named)
            assert process.stdin is not None
            assert process.stdout is not None
            watch = self._watch
            with watch.over(seconds):
                try:
                    send(process.stdin, (function, arguments, named, seconds, _folder()))
                    raised, result, warned = receive(process.stdout)
                except (EOFError, BrokenPipeError):
                    code = self._end()
                    if watch.late:
                        raise CrashedError(f"it took more than {seconds:.0f} s") from None
                    raise CrashedError(_in_words(code)) from None
                except BaseException:
                    # An interrupt, say: what is still to come would be taken for the next answer.
                    process.kill()
                    self._end()
                    raise
        for category, text, file, line in warned:
            warnings.warn_explicit(text, category, file, line, registry=_WARNED)
        if raised:
            raise result
        return result

    @property
    def alive(self) -> bool:
        """Whether there is a process to be asked."""
        return self._process is not None and self._owner == os.getpid()

    def close(self) -> None:
        """End the process, if there is one; a call that another thread waits for fails."""
        process = self._process
        if process is None or self._owner != os.getpid():
            return
        if not self._lock.acquire(blocking=False):
            process.kill()
            return
        try:
            self._end()
        finally:
            self._lock.release()

    def _started(self) -> subprocess.Popen[bytes] | None:
        """Return the process, started if need be; None where none can be started."""
        if self.alive:
            return self._process
        if self._impossible:
            return None
        # A process that was forked from the one that started it must leave it alone.
        path = [os.fspath(each) for each in sys.path]
        try:
            # No interrupt from a terminal reaches a session of its own: this process decides.
            process = subprocess.Popen(
                [_executable(), "-c", _START.format(path=path, parent=os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            # Nothing is contained where programs may not start others.
            self._impossible = True
            return None
        self._process, self._owner, self._watch = process, os.getpid(), Watch(process)
        assert process.stdout is not None
        try:
            with self._watch.over(_START_SECONDS):
                receive(process.stdout)
        except EOFError:  # the interpreter is none that knows this package
            self._end()
            self._impossible = True
            return None
        except BaseException:
            process.kill()
            self._end()
            raise
        return process

    def _end(self) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        self._watch.close()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    # What was left to be sent has no receiver any more.
                    continue
        try:
            return process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
        except BaseException:  # a second interrupt must not leave it behind
            process.kill()
            raise


HELPER = Helper()
atexit.register(HELPER.close)


def _unlock() -> None:
    """Free the locks in a process that was just forked: who held them is not in it."""
    for helper in _HELPERS:
        helper._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


def _executable() -> str:
    """Return the interpreter, also where Python is part of another program."""
    executable = spawn.get_executable() or sys.executable
    return os.fsdecode(executable)


def _folder() -> str | None:
    """Return where relative paths begin now; None where that folder is gone."""
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return None


def _in_words(code: int) -> str:
    if code == -signal.SIGKILL:
        return "its process was killed, as systems do where memory does not suffice,"
    if code < 0:
        try:
            return f"it crashed ({signal.Signals(-code).name})"
        except ValueError:
            return f"it crashed (signal {-code})"
    return f"it ended (exit code {code})"
