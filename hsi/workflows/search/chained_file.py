"""A file of events, one a line, in which none can be changed or taken out unnoticed.

Each line ends with a sum over itself and the sum of the line before it. Several processes read and
write it at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from hsi.errors import RunError

_FIRST = "0" * 16
DIGITS = len(_FIRST)


class ChainedFile(BaseJournalBackend):
    """The file, as Optuna wants it.

    Parameters
    ----------
    path : Path
        Made if need be.
    lock : FileLock or a lock of Optuna's
        Keeps other processes from writing.
    """

    def __init__(self, path: Path, lock: Any) -> None:
        self.path, self.lock = path, lock
        self._events: list[dict[str, Any]] = []
        self._sum, self._end = _FIRST, 0
        path.touch()

    def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
        """Return the events from a number on.

        Raises
        ------
        RunError
            If a line was changed, or one is missing.
        """
        self._catch_up()
        return self._events[log_number_from:]

    def append_logs(self, logs: Iterable[dict[str, Any]]) -> None:
        """Write events, all of them or, if this process is killed, the first of them."""
        self.lock.acquire()
        try:
            self._catch_up()
            with self.path.open("rb+") as file:
                # What a process was writing when it was killed ends without a line break.
                file.truncate(self._end)
                file.seek(self._end)
                chained, text = self._sum, ""
                for event in logs:
                    line = json.dumps(event, separators=(",", ":"))
                    chained = _sum(chained, line)
                    text += f"{line} {chained}\n"
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
        finally:
            self.lock.release()

    def _catch_up(self) -> None:
        """Read what was written since, up to the last whole line."""
        with self.path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            if file.tell() < self._end:
                raise RunError(f"{self.path} was cut off while it was in use")
            file.seek(self._end)
            content = file.read()
        for part in content[: content.rfind(b"\n") + 1].splitlines(keepends=True):
            line, _, found = part.decode("utf-8", "replace")[:-1].rpartition(" ")
            if _sum(self._sum, line) != found:
                raise RunError(
                    f"{self.path}, line {len(self._events) + 1}, is damaged, or one before it is "
                    "missing\nSearch into another folder (--out)."
                )
            self._events.append(json.loads(line))
            self._sum = found
            self._end += len(part)


def _sum(before: str, line: str) -> str:
    return hashlib.sha256(f"{before}\n{line}".encode()).hexdigest()[:DIGITS]
