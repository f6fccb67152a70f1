"""A map that is being made: rows that are done are kept until all of them are.

::

    FOLDER/.unfinished-map/
        journal.json    what is mapped with what, and the arrays that follow
        rows            how many rows are done, a line for each time, with a sum over them
        NAME.raw        an array, row by row
        SHA256SUMS      of the journal

An array is flushed to disk before its rows are counted as done, so that what `rows` says holds
after any interruption. Rows that no longer have their sum are done once more. The space for the
arrays is taken at the beginning: a disk that is too small is found out before anything is computed.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hsi.errors import RunError
from hsi.files import make_folder_with_sums, write_text
from hsi.locks import FileLock
from hsi.mapping.raw_array import RawArray
from hsi.sums import check_sum

FOLDER = ".unfinished-map"
FORMAT = 1


class UnfinishedMap:
    """The working folder of a map, open for writing; no other process can have it open.

    Parameters
    ----------
    folder : Path
        Where the map will lie.

    Attributes
    ----------
    facts, plan : dict
        As they were handed to `begin`.
    arrays : dict of RawArray
        By name.
    rows : int
        How many rows are done.
    damaged : int
        How many more were done, but have to be done once more: they, or rows before them, are no
        longer what they were.

    Raises
    ------
    RunError
        If there is no unfinished map, it is damaged, or another process works on it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FOLDER
        _check_journal(folder)
        try:
            journal = json.loads((self.path / "journal.json").read_text(encoding="utf-8"))
            if journal["format"] != FORMAT:
                raise ValueError(f"format {journal['format']}")
            self.facts, self.plan = dict(journal["facts"]), dict(journal["plan"])
            self.arrays = {
                name: RawArray(self.path / f"{name}.raw", tuple(shape), dtype)
                for name, (shape, dtype) in journal["arrays"].items()
            }
            (self.path / "rows").stat()  # the lock would make it
            self._lock = _locked(folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(folder, error) from error
        try:
            self.rows, self.damaged, self._sum, end = self._whole_rows()
            self._counted = (self.path / "rows").open("r+b")
            self._counted.truncate(end)
            self._counted.seek(end)
        except BaseException as error:
            self._lock.close()
            if isinstance(error, OSError | ValueError):
                raise _damaged(folder, error) from error
            raise

    @classmethod
    def begin(
        cls,
        folder: Path,
        *,
        facts: Mapping[str, Any],
        plan: Mapping[str, Any],
        arrays: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]],
    ) -> Self:
        """Make the working folder in `folder`, in place of one that may be there.

        Parameters
        ----------
        folder : Path
            Exists.
        facts, plan : mapping
            For JSON: by what another attempt knows whether it makes the same map, and how to go on.
        arrays : mapping
            Shape and type by name; ``(rows, cols)`` or ``(classes, rows, cols)``.

        Raises
        ------
        RunError
            If another process is mapping into `folder`.
        OSError
            If the folder cannot be written, or there is no space for the arrays.
        """
        path = folder / FOLDER
        if path.exists():
            cls.discard(folder)
        make_folder_with_sums(path)
        try:
            for name, (shape, dtype) in arrays.items():
                _take_space(path / f"{name}.raw", math.prod(shape) * dtype.itemsize)
            (path / "rows").touch()
            journal = {
                "format": FORMAT,
                "facts": dict(facts),
                "plan": dict(plan),
                "arrays": {name: [shape, dtype.str] for name, (shape, dtype) in arrays.items()},
            }
            # Last: a folder that has it is complete.
            write_text(path / "journal.json", json.dumps(journal, indent=2) + "\n")
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
        return cls(folder)

    @staticmethod
    def is_in(folder: Path) -> bool:
        """Return whether `folder` holds an unfinished map, or the beginning of one."""
        return (folder / FOLDER).is_dir()

    @staticmethod
    def facts_in(folder: Path) -> dict[str, Any] | None:
        """Return the facts of the unfinished map in `folder`; None where there is none.

        What was interrupted before it was begun is none.

        Raises
        ------
        RunError
            If the journal is damaged.
        """
        journal = folder / FOLDER / "journal.json"
        if not journal.is_file():
            return None
        _check_journal(folder)
        try:
            return dict(json.loads(journal.read_text(encoding="utf-8"))["facts"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(folder, error) from error

    @classmethod
    def discard(cls, folder: Path) -> None:
        """Remove the unfinished map in `folder`, whatever state it is in.

        Raises
        ------
        RunError
            If another process works on it.
        """
        path = folder / FOLDER
        if (path / "rows").exists():
            _locked(folder).close()
        shutil.rmtree(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all files, so that another process may continue."""
        for array in self.arrays.values():
            array.close()
        self._counted.close()
        self._lock.close()

    def write(self, name: str, rows: slice, cols: slice, values: NDArray[Any]) -> None:
        """Write a rectangle of an array."""
        self.arrays[name].write(rows, cols, values)

    def count(self, rows: int) -> None:
        """Note that the first `rows` rows are done."""
        for array in self.arrays.values():
            array.flush()
        self._sum = self._sum_of(self.rows, rows, after=self._sum)
        self._counted.write(f"{rows} {self._sum}\n".encode())
        self._counted.flush()
        os.fsync(self._counted.fileno())
        self.rows = rows

    def _whole_rows(self) -> tuple[int, int, str, int]:
        """Return how many rows have their sum, how many more not, the last sum, and its place."""
        rows, chained, end, counted = 0, "", 0, 0
        # A line that was cut off says nothing.
        for line in (self.path / "rows").read_bytes().split(b"\n")[:-1]:
            number, _, found = line.decode("ascii", "replace").partition(" ")
            counted = int(number) if number.isascii() and number.isdigit() else self.height
            counted = min(counted, self.height)
            if counted < rows or self._sum_of(rows, counted, after=chained) != found:
                break
            rows, chained, end = counted, found, end + len(line) + 1
        return rows, max(counted - rows, 0), chained, end

    @property
    def height(self) -> int:
        """Rows of the map."""
        return next(iter(self.arrays.values())).rows

    def _sum_of(self, first: int, last: int, *, after: str) -> str:
        """Return a sum over rows of all arrays and over the sum of those before them."""
        total = hashlib.sha256(after.encode())
        for array in self.arrays.values():
            for part in array.parts(first, last):
                total.update(part)
        return total.hexdigest()


def _check_journal(folder: Path) -> None:
    try:
        check_sum(folder / FOLDER / "journal.json")
    except RunError as error:
        raise _damaged(folder, "the sha256 of journal.json is another") from error


def _damaged(folder: Path, error: Exception | str) -> RunError:
    return RunError(
        f"the unfinished map in {folder} cannot be continued: it is damaged ({error})\n"
        "Map without --resume (resume=True) to begin anew."
    )


def _take_space(path: Path, size: int) -> None:
    with path.open("wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except AttributeError:  # not on this system
            file.truncate(size)
        except OSError as error:
            # Some file systems cannot do it; they tell of a full disk later.
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
            file.truncate(size)


def _locked(folder: Path) -> FileLock:
    """Take the unfinished map in `folder` for this process alone, until the lock is closed."""
    lock = FileLock(folder / FOLDER / "rows")
    try:
        if lock.acquire(wait=False):
            return lock
    except BaseException:
        lock.close()
        raise
    lock.close()
    raise RunError(f"another process is mapping into {folder}; wait for it")
