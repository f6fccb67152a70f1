"""The work of a helper process: calls come in, answers go out."""

from __future__ import annotations

import io
import os
import pickle
import signal
import sys
import threading
import time
import traceback
import warnings

from hsi.contained.errors import NotImportableError
from hsi.contained.messages import READY, receive, send
from hsi.errors import HsiError

# The process ends itself so long after it should have been ended: whoever does that may be gone.
_GRACE_SECONDS = 30


def serve(parent: int) -> None:
    """Answer calls from standard input until it ends: the work of the helper process."""
    # Libraries may print: what they say must not be taken for an answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    calls = io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False))
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    send(answers, READY)
    while True:
        try:
            function, arguments, named, seconds, folder = receive(calls)
        except EOFError:
            return
        except Exception as error:  # noqa: BLE001 - whatever an import may raise
            send(answers, (True, NotImportableError(f"{type(error).__name__}: {error}"), []))
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
            send(answers, (raised, result, warned))
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
