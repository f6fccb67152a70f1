"""Replacing a file: whoever looks, and whenever it is interrupted, it is the old or the new one."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# What is not complete is called so, and nothing else is.
MARK = "hsi-incomplete"
TEMPORARY = re.compile(rf"\..+-{MARK}-[a-z0-9_]{{8}}(\.\w+)*")


def remove_temporary(folder: Path) -> None:
    """Remove what killed processes have left of files and folders; none may be writing there."""
    for path in folder.glob(".*"):
        if not TEMPORARY.fullmatch(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def temporary_folder(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """Make a folder within `folder` that goes with its context, or is known as left behind."""
    return tempfile.TemporaryDirectory(prefix=f".folder-{MARK}-", dir=folder)


@contextmanager
def replacing(path: Path, *, before: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when the block succeeds.

    The temporary file keeps the suffix of `path`, since writers choose the format by it. It is
    flushed to disk before the rename, and the rename after it; it is removed when the block raises.

    Parameters
    ----------
    path : Path
        In a folder that is there.
    before : callable, optional
        Called with the temporary path when it is complete, before the rename.
    """
    handle, name = tempfile.mkstemp(
        prefix=f".{path.stem}-{MARK}-", suffix=path.suffix, dir=path.parent
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        # mkstemp makes the file private to its owner; a result is shared as any new file would be.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        if before:
            before(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Let the disk know of a rename; systems that cannot open folders do so by themselves."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        # The new file is in its place and complete; some file systems cannot flush a folder.
        return
    finally:
        os.close(handle)
