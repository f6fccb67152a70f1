"""Functions called in a process of their own, so that what ends that process does not end this one.

Libraries in C that read files (HDF5, GDAL, decoders of images) can be brought to crash, or to work
without end, by a damaged file; a Python program cannot catch that. Here a helper process runs them:
it is started at the first call, serves all further ones, and ends with this process. If it crashes,
the call fails and the next one starts another.
"""

from __future__ import annotations

import atexit
import io
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
import traceback
import warnings
import weakref
from collections.abc import Callable
from multiprocessing import spawn
from typing import IO, Any

from hsi.errors import HsiError

_LENGTH = struct.Struct("<Q")
_START = "import sys; sys.path[:] = {path!r}; from hsi.contained import serve; serve()"

_WARNED: dict[Any, Any] = {}
"""What was warned of, so that it is said once, as if it had been warned of here."""


_HELPERS: weakref.WeakSet[Helper] = weakref.WeakSet()


class CrashedError(Exception):
    """The helper process ended, or was ended, before it answered; its argument says how."""


class Helper:
    """A process that calls functions for this one, one at a time; threads wait for each other."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = threading.Lock()
        self.generation = 0
        """Counts the processes that were started: what one of them keeps, no other knows."""
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
            late = threading.Event()

            def end() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(seconds, end)
            timer.daemon = True
            timer.start()
            try:
                _send(process.stdin, (function, arguments, named))
                raised, result, warned = _receive(process.stdout)
            except (EOFError, BrokenPipeError):
                code = self._end()
                if late.is_set():
                    raise CrashedError(f"it took more than {seconds:.0f} s") from None
                raise CrashedError(_in_words(code)) from None
            except BaseException:
                # An interrupt, say: whatever is still to come would be taken for the next answer.
                self._end()
                raise
            finally:
                timer.cancel()
        for category, text, file, line in warned:
            warnings.warn_explicit(text, category, file, line, registry=_WARNED)
        if raised:
            raise result
        return result

    @property
    def alive(self) -> bool:
        """Whether the process that was started last can be asked again."""
        return self._process is not None and self._owner == os.getpid()

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            if self._owner == os.getpid():
                self._end()

    def _started(self) -> subprocess.Popen[bytes] | None:
        """Return the process, started if need be; None where none can be started."""
        if self.alive:
            return self._process
        # A process that was forked from the one that started it must leave it alone.
        try:
            # No interrupt from a terminal reaches a session of its own: this process decides.
            self._process = subprocess.Popen(
                [_executable(), "-c", _START.format(path=sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            # Nothing is contained where programs may not start others.
            return None
        self._owner = os.getpid()
        self.generation += 1
        return self._process

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


def _in_words(code: int) -> str:
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


def serve() -> None:
    """Answer calls from standard input until it ends: the work of the helper process."""
    # Libraries may print: what they say must not be taken for an answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    calls = io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False))
    while True:
        try:
            function, arguments, named = _receive(calls)
        except EOFError:
            return
        except Exception as error:  # noqa: BLE001 - what is called cannot be imported here
            _send(answers, (True, _portable(error), []))
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                raised, result = False, function(*arguments, **named)
            except Exception as error:  # noqa: BLE001 - it is raised where the call came from
                raised, result = True, _portable(error)
        warned = [(each.category, str(each.message), each.filename, each.lineno) for each in caught]
        try:
            _send(answers, (raised, result, warned))
        except BrokenPipeError:
            return
        del arguments, named, result


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
