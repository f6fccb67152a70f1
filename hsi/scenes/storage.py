"""How the pixels of a cube lie in its file, and memory that a file takes while it is read."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np


def stored_block(cube: Any) -> tuple[int, int]:
    """Return rows and columns of the rectangles that a file keeps together.

    A compressed block has to be read as a whole, whatever part of it is wanted. Of a cube that
    says nothing of blocks, single rows are kept together.
    """
    for layer in _layers(cube):
        chunks = getattr(layer, "chunks", None)
        if chunks:
            return int(chunks[0]), int(chunks[1])
    return 1, int(cube.shape[1])


def stored_file(cube: Any) -> Path | None:
    """Return the file from which a cube is read when it is sliced, if there is one."""
    for layer in _layers(cube):
        for name in ("path", "filename"):
            path = getattr(layer, name, None)
            if isinstance(path, str | Path):
                return Path(path)
    return None


def release_pages(cube: Any) -> None:
    """Give back the memory of those pages of a memory-mapped file that were read.

    They stay in the system's cache, but no longer count as this process's own. Does nothing for
    other cubes, and where the system knows no such request.
    """
    if not hasattr(mmap, "MADV_DONTNEED"):
        return
    for layer in _layers(cube):
        # In other modes pages may hold what is not in the file.
        if isinstance(layer, np.memmap) and layer.mode == "r":
            layer._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]


def _layers(cube: Any) -> Iterator[Any]:
    """Yield a cube, what it selects from or is made of, and what that in turn is a view of."""
    while cube is not None:
        yield cube
        for part in getattr(cube, "cubes", ()):
            yield from _layers(part)
        inner = getattr(cube, "cube", None)
        cube = getattr(cube, "base", None) if inner is None else inner
