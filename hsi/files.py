"""Writing files so that a reader sees the old content or the new, never half of it."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# In bytes. Most file systems allow 255, and what follows the name needs some.
LONGEST_NAME = 150


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when the block succeeds.

    The temporary file keeps the suffix of `path`, since writers choose the format by it. It is
    flushed to disk before the rename, and removed when the block raises.
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
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
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def folder_name(name: str) -> str:
    """Return `name` as the name of a folder: nothing in it leads elsewhere.

    Examples
    --------
    >>> folder_name("../../Pavia University")
    'Pavia University'
    """
    plain = re.sub(r'[/\\:*?"<>|\x00-\x1f\x7f]', "-", name.encode(errors="replace").decode())
    short = plain.encode()[:LONGEST_NAME].decode(errors="ignore")
    return short.strip(" .-") or "scene"


def free_path(path: Path) -> Path:
    """Return `path`, or ``NAME-2``, ``NAME-3``, ... beside it where it is taken."""
    name, number = path.name, 1
    while path.exists():
        number += 1
        path = path.with_name(f"{name}-{number}")
    return path


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, all of it or nothing."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
