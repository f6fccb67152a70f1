"""Scene files read in a process of their own: a file that makes a library crash is an error.

What the readers return lives in the helper process (`hsi.contained`); here is a cube that asks it
for rectangles. Cubes in memory and memory-mapped files are handed over as they are.
"""

from __future__ import annotations

import dataclasses
import itertools
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.contained import HELPER, CrashedError
from hsi.errors import SceneError
from hsi.scenes.contents import Contents
from hsi.scenes.lazy import Bands, LazyCube
from hsi.scenes.storage import stored_block, stored_file

# A slow disk reads this much in a second, at least; damaged files can keep a library busy for ever.
_SLOWEST, _PATIENCE = 2**20, 60.0


def read_contained(reader: Callable[..., Any], path: Path, **named: Any) -> Any:
    """Call ``reader(path, ...)`` in the helper process.

    Parameters
    ----------
    reader : callable
        Returns `Contents`, or anything that can be pickled.
    path : Path
        The file.
    **named
        Handed over.

    Raises
    ------
    SceneError
        If the file makes the process crash, or keeps it busy without end; and what `reader` raises.
    """
    if getattr(reader, "__module__", None) == "__main__":
        # What a program defines itself can be called nowhere else.
        return reader(path, **named)
    found = _asked(path, _read_and_keep, reader, path, named)
    if isinstance(found, Contents) and isinstance(found.array, _Kept):
        again = (reader, path, named)
        return dataclasses.replace(found, array=ContainedCube(found.array, again=again))
    return found


class ContainedCube(LazyCube):
    """A cube that is open in the helper process.

    Parameters
    ----------
    kept : _Kept
        What is known of it here.
    again : tuple
        Reader, path and named arguments that open it once more, in another process.
    """

    def __init__(self, kept: _Kept, *, again: tuple[Callable[..., Any], Path, Any]) -> None:
        super().__init__(kept.shape, kept.dtype)
        self.chunks, self.path, self._again = kept.chunks, kept.file, again
        self._keep(kept)

    def _keep(self, kept: _Kept) -> None:
        self._kept = kept
        weakref.finalize(self, _NO_LONGER.append, (kept.generation, kept.number))

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_kept": dataclasses.replace(self._kept, generation=-1)}

    def read(self, rows: slice, cols: slice, bands: Bands) -> NDArray[Any]:
        """Return ``(rows, cols, bands)`` of a rectangle.

        Raises
        ------
        SceneError
            If the file is damaged there, or was changed since it was opened.
        """
        if HELPER.generation != self._kept.generation or not HELPER.alive:
            reader, path, named = self._again
            found = _asked(path, _read_and_keep, reader, path, named)
            kept = getattr(found, "array", None)
            if not isinstance(kept, _Kept) or (kept.shape, kept.dtype) != (self.shape, self.dtype):
                raise SceneError(f"{path} was changed while it was in use; load it again")
            self._keep(kept)
        values = _asked(self.path, _read_rectangle, self._kept.number, rows, cols, bands)
        return np.asarray(values)


@dataclasses.dataclass(frozen=True)
class _Kept:
    """A cube of the helper process, by its number there."""

    number: int
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    file: Path
    chunks: tuple[int, int, int]
    generation: int = -1


# Cubes that nobody asks for any more: (generation, number); told with the next call.
_NO_LONGER: list[tuple[int, int]] = []


def _asked(path: Path, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in the helper process; what it keeps is known by the process's number."""
    dropped = []
    while _NO_LONGER:
        generation, number = _NO_LONGER.pop()
        if generation == HELPER.generation:
            dropped.append(number)
    try:
        seconds = _PATIENCE + path.stat().st_size / _SLOWEST
        found = HELPER.call(_after_dropping, dropped, function, arguments, seconds=seconds)
    except CrashedError as error:
        raise SceneError(
            f"{path} cannot be read: {error} while reading it\n"
            "The file is damaged, or made to do harm. Get or save it anew."
        ) from error
    if isinstance(found, Contents) and isinstance(found.array, _Kept):
        kept = dataclasses.replace(found.array, generation=HELPER.generation)
        found = dataclasses.replace(found, array=kept)
    return found


# What follows runs in the helper process.

_CUBES: dict[int, LazyCube] = {}
_NUMBERS = itertools.count()


def _after_dropping(
    dropped: list[int], function: Callable[..., Any], arguments: tuple[Any, ...]
) -> Any:
    for number in dropped:
        _CUBES.pop(number, None)
    return function(*arguments)


def _read_and_keep(reader: Callable[..., Any], path: Path, named: dict[str, Any]) -> Any:
    found = reader(path, **named)
    if not isinstance(found, Contents) or not isinstance(found.array, LazyCube):
        return found
    cube, number = found.array, next(_NUMBERS)
    _CUBES[number] = cube
    chunks = getattr(cube, "chunks", None) or (*stored_block(cube), cube.shape[2])
    kept = _Kept(number, cube.shape, cube.dtype, stored_file(cube) or path, chunks)
    return dataclasses.replace(found, array=kept)


def _read_rectangle(number: int, rows: slice, cols: slice, bands: Bands) -> NDArray[Any]:
    return _CUBES[number].read(rows, cols, bands)


def kept() -> list[int]:
    """Return the numbers of the cubes that are open here."""
    return sorted(_CUBES)
