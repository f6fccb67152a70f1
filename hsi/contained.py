"""Functions called in a process of their own, so that what ends that process does not end this one.

Libraries in C that read files (HDF5, GDAL, decoders of images) can be brought to crash, or to work
without end, by a damaged file; a Python program cannot catch that. Here a helper process runs them:
it is started at the first call, serves all further ones, and ends with this process. If it crashes,
the call fails and the next one starts another.
"""

from __future__ import annotations

import atexit
import functools
import io
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback
import warnings
import weakref
from collections.abc import Callable
from multiprocessing import spawn
from pathlib import Path
from typing import IO, Any, Self

from hsi.errors import HsiError

_LENGTH = struct.Struct("<Q")
_START = "import sys; sys.path[:] = {path!r}; from hsi.contained import serve; serve({parent})"
_READY = "ready"
# So long an interpreter may take to start on a busy machine.
_START_SECONDS = 120.0
# The helper process ends itself so long after it should have been ended: whoever does that may be
# gone.
_GRACE_SECONDS = 30

_WARNED: dict[Any, Any] = {}
"""What was warned of, so that it is said once, as if it had been warned of here."""


_HELPERS: weakref.WeakSet[Helper] = weakref.WeakSet()


class CrashedError(Exception):
    """The helper process ended, or was ended, before it answered; its argument says how."""


class NotImportableError(Exception):
    """The helper process knows no such function."""


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
            with _Watch(process, seconds) as watch:
                try:
                    _send(process.stdin, (function, arguments, named, seconds, _folder()))
                    raised, result, warned = _receive(process.stdout)
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
        if self.alive or self._impossible:
            return self._process if self.alive else None
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
        self._process, self._owner = process, os.getpid()
        assert process.stdout is not None
        try:
            with _Watch(process, _START_SECONDS):
                _receive(process.stdout)
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


class _Watch:
    """Ends a process that works too long; time in which this process stands still is not counted.

    Parameters
    ----------
    process : Popen
        The process.
    seconds : float
        It may take while the block lasts.
    """

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.process, self.left, self.late = process, seconds, False
        self._over = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _watch(self) -> None:
        while self.left > 0:
            step = min(self.left, 1.0)
            if self._over.wait(step):
                return
            self.left -= step
        self.late = True
        self.process.kill()


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


def _send(stream: IO[bytes], message: Any) -> None:
    """Write a message; arrays in it are not copied."""
    buffers: list[pickle.PickleBuffer] = []
    content = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(content), *(buffer.raw() for buffer in buffers)]
    stream.write(_LENGTH.pack(len(parts)))
    for part in parts:
        stream.write(_LENGTH.pack(part.nbytes))
        stream.write(part)
    stream.flush()


def _receive(stream: IO[bytes]) -> Any:
    content, *buffers = [_exactly(stream, _number(stream)) for _ in range(_number(stream))]
    # Both ends are this program; nothing of a file is ever unpickled.
    return pickle.loads(content, buffers=buffers)  # noqa: S301


def _number(stream: IO[bytes]) -> int:
    return int(_LENGTH.unpack(_exactly(stream, _LENGTH.size))[0])


def _exactly(stream: IO[bytes], size: int) -> bytearray:
    content = bytearray(size)
    view, done = memoryview(content), 0
    while done < size:
        count = stream.readinto(view[done:])  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        done += count
    return content


def serve(parent: int) -> None:
    """Answer calls from standard input until it ends: the work of the helper process."""
    # Libraries may print: what they say must not be taken for an answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    calls = io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False))
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _send(answers, _READY)
    while True:
        try:
            function, arguments, named, seconds, folder = _receive(calls)
        except EOFError:
            return
        except Exception as error:  # noqa: BLE001 - whatever an import may raise
            _send(answers, (True, NotImportableError(f"{type(error).__name__}: {error}"), []))
            continue
        if hasattr(signal, "alarm"):
            # Whoever waits for the answer ends this process first, unless it was killed itself and
            # a library keeps Python from noticing.
            signal.alarm(int(seconds) + _GRACE_SECONDS)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                if folder is not None:
                    os.chdir(folder)
                raised, result = False, function(*arguments, **named)
            except Exception as error:  # noqa: BLE001 - it is raised where the call came from
                raised, result = True, _portable(error)
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        warned = [(each.category, str(each.message), each.filename, each.lineno) for each in caught]
        try:
            _send(answers, (raised, result, warned))
        except BrokenPipeError:
            return
        del arguments, named, result


def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _portable(error: Exception) -> Exception:
    """Return the error as it can be sent: with its traceback as text, or as text alone."""
    text = "".join(traceback.format_exception(error))
    try:
        again: Exception = pickle.loads(pickle.dumps(error))  # noqa: S301 - made just here
    except Exception:  # noqa: BLE001 - whatever keeps it from being pickled
        return RuntimeError(text)
    if not isinstance(again, HsiError):
        again.add_note(text)
    return again
