"""Locks on files that end with the process that holds them, however it ends."""

from __future__ import annotations

import errno
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

# What file systems without locks answer with; NFS with EBADF for a folder, which is read only.
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF)
# A wait that is longer is worth a word.
SHORT_WAIT_SECONDS = 3.0
POLL_SECONDS = 0.1


class FileLock:
    """A lock that one process has at a time; in a ``with`` block, it is waited for.

    What is in the file does not matter, and stays. Where the system or the file system knows no
    such locks, `available` is False after the first attempt, and nothing is locked.

    Parameters
    ----------
    path : Path
        A file, in a folder that exists, or a folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.available = True
        # One handle for all times: taking it again, after an interruption, is no deadlock.
        how = os.O_RDONLY if path.is_dir() else os.O_WRONLY | os.O_CREAT | os.O_APPEND
        try:
            self._handle: int | None = os.open(path, how, 0o666)
        except PermissionError:
            # A system that cannot open folders has no such locks either.
            if os.name == "posix":
                raise
            self._handle = None

    def acquire(self, *, wait: bool = True) -> bool:
        """Take the lock; return whether it is held now, which without `wait` it may not be."""
        try:
            import fcntl
        except ImportError:  # not on this system
            self.available = False
            return True
        assert self._handle is not None
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            self.available = False
        return True

    def release(self) -> None:
        """Give the lock back."""
        if not self.available or self._handle is None:
            return
        import fcntl

        fcntl.flock(self._handle, fcntl.LOCK_UN)

    def is_in_place(self) -> bool:
        """Return whether the file that is locked is still the one at its path."""
        assert self._handle is not None
        try:
            return os.path.samestat(os.fstat(self._handle), self.path.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Close the file, which gives the lock back, too."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


@contextmanager
def lock_file(
    path: Path,
    *,
    waiting: Callable[[Path, str], None],
    patience: float = SHORT_WAIT_SECONDS,
) -> Iterator[bool]:
    """Have the lock on a file that is there only as long as somebody has it; wait for it.

    Parameters
    ----------
    path : Path
        In a folder that exists. A file that a killed process has left is no obstacle.
    waiting : callable
        Called once with the path and who has the lock, when that takes long; what it raises ends
        the wait. Who has it is empty if he has not said so yet.
    patience : float
        So many seconds are not long.

    Yields
    ------
    bool
        False where the system or the file system knows no locks: others may be here, too.
    """
    lock = _waited_for(path, waiting, patience)
    try:
        if lock.available:
            path.write_text(f"process {os.getpid()} on {platform.node()}", encoding="utf-8")
        yield lock.available
    finally:
        # Before the lock is given back: whoever gets it then sees that the file is gone. If it was
        # removed with its folder meanwhile, another one there is somebody else's.
        if lock.available and lock.is_in_place():
            path.unlink(missing_ok=True)
        lock.close()


def _waited_for(path: Path, waiting: Callable[[Path, str], None], patience: float) -> FileLock:
    end, said = time.monotonic() + patience, False
    while True:
        lock = FileLock(path)
        try:
            while not lock.acquire(wait=False):
                if not said and time.monotonic() >= end:
                    waiting(path, _owner(path))
                    said = True
                time.sleep(POLL_SECONDS)
            if not lock.available or lock.is_in_place():
                return lock
        except BaseException:
            lock.close()
            raise
        # Its owner has removed it, and it is nobody's any more.
        lock.close()


def _owner(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return ""
