"""Scene files read in a process of their own: a file that makes a library crash is an error.

What the readers return lives in the helper process (`hsi.contained`); here is a cube that asks it
for rectangles. Cubes in memory and memory-mapped files are handed over as they are.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import uuid
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.contained import HELPER, CrashedError, NotImportableError, can_be_sent
from hsi.errors import SceneError
from hsi.scenes.address import Address, Place
from hsi.scenes.contents import Contents
from hsi.scenes.lazy import Bands, LazyCube
from hsi.scenes.storage import stored_block, stored_file

# A slow disk reads this much in a second, at least; damaged files can keep a library busy for ever.
_SLOWEST, _PATIENCE = 2**20, 60.0
# A network is slower, and GDAL asks a server three times more before it gives up.
_SLOWEST_AWAY, _PATIENCE_AWAY = 2**17, 300.0


def read_contained(reader: Callable[..., Any], path: Place, **named: Any) -> Any:
    """Call ``reader(path, ...)`` in the helper process.

    Parameters
    ----------
    reader : callable
        Returns `Contents`, or anything that can be pickled. One that no other process can import,
        such as a function of the program itself, is called here.
    path : Path or Address
        The file.
    **named
        Handed over.

    Raises
    ------
    SceneError
        If the file makes the process crash, or keeps it busy without end; and what `reader` raises.
    """
    if not can_be_sent(reader):
        return reader(path, **named)
    try:
        found = _asked(path, _read_and_keep, reader, path, named)
    except NotImportableError:
        return reader(path, **named)
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

    def __init__(self, kept: _Kept, *, again: tuple[Callable[..., Any], Place, Any]) -> None:
        super().__init__(kept.shape, kept.dtype)
        self.chunks, self.path, self._again = kept.chunks, kept.file, again
        self._keep(kept)

    def _keep(self, kept: _Kept) -> None:
        self._kept = kept
        weakref.finalize(self, _NO_LONGER.append, kept.key)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # What it is called elsewhere is nobody's business here.
        self._kept = dataclasses.replace(self._kept, key=_NOWHERE)

    def read(self, rows: slice, cols: slice, bands: Bands) -> NDArray[Any]:
        """Return ``(rows, cols, bands)`` of a rectangle.

        Raises
        ------
        SceneError
            If the file is damaged there, or was changed since it was opened.
        """
        size = (
            (rows.stop - rows.start) * (cols.stop - cols.start) * len(bands) * self.dtype.itemsize
        )
        for _ in range(_ATTEMPTS):
            values = _asked(
                self.path, _read_rectangle, self._kept.key, rows, cols, bands, size=size
            )
            if values is not None:
                return np.asarray(values)
            # The process is another one: that which had it open crashed, or this one was forked.
            self._open_again()
        raise SceneError(f"{self.path} cannot be read: other files make its process crash")

    def _open_again(self) -> None:
        reader, path, named = self._again
        kept = getattr(_asked(path, _read_and_keep, reader, path, named), "array", None)
        if not isinstance(kept, _Kept) or (kept.shape, kept.dtype) != (self.shape, self.dtype):
            raise SceneError(f"{path} was changed while it was in use; load it again")
        self._keep(kept)


Key = tuple[str, int]
"""The process that has a cube open, and the cube's number there."""
_NOWHERE: Key = ("", 0)
# So often a cube is opened anew where other threads let the process crash.
_ATTEMPTS = 5


@dataclasses.dataclass(frozen=True)
class _Kept:
    """A cube of the helper process."""

    key: Key
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    file: Place
    chunks: tuple[int, int, int]


# Cubes that nobody asks for any more; told with the next call.
_NO_LONGER: list[Key] = []


def _asked(path: Place, function: Callable[..., Any], *arguments: Any, size: int = 0) -> Any:
    """Call a function in the helper process, which is to read so many bytes."""
    dropped = []
    while _NO_LONGER:
        dropped.append(_NO_LONGER.pop())
    try:
        if isinstance(path, Address):
            # Keys, proxies and the like may have been set since the process began.
            arguments = (dict(os.environ), function, arguments)
            function = _in_environment
            seconds = _PATIENCE_AWAY + size / _SLOWEST_AWAY
        else:
            seconds = _PATIENCE + path.stat().st_size / _SLOWEST
        return HELPER.call(_after_dropping, dropped, function, arguments, seconds=seconds)
    except CrashedError as error:
        raise SceneError(
            f"{path} cannot be read: {error} while reading it\n"
            "It is damaged or made to do harm, or memory does not suffice. Get or save it anew."
        ) from error


# What follows runs in the helper process.

_OWN = uuid.uuid4().hex
_CUBES: dict[Key, LazyCube] = {}
_NUMBERS = itertools.count()
_FROM_THERE = set(os.environ)


def _after_dropping(
    dropped: list[Key], function: Callable[..., Any], arguments: tuple[Any, ...]
) -> Any:
    for key in dropped:
        _CUBES.pop(key, None)
    return function(*arguments)


def _in_environment(
    wanted: dict[str, str], function: Callable[..., Any], arguments: tuple[Any, ...]
) -> Any:
    # What libraries have set here themselves stays.
    for name in _FROM_THERE - wanted.keys():
        os.environ.pop(name, None)
    _FROM_THERE.clear()
    _FROM_THERE.update(wanted)
    os.environ.update(wanted)
    return function(*arguments)


def _read_and_keep(reader: Callable[..., Any], path: Place, named: dict[str, Any]) -> Any:
    found = reader(path, **named)
    if not isinstance(found, Contents) or not isinstance(found.array, LazyCube):
        return found
    cube, key = found.array, (_OWN, next(_NUMBERS))
    _CUBES[key] = cube
    chunks = getattr(cube, "chunks", None) or (*stored_block(cube), cube.shape[2])
    kept = _Kept(key, cube.shape, cube.dtype, stored_file(cube) or path, chunks)
    return dataclasses.replace(found, array=kept)


def _read_rectangle(key: Key, rows: slice, cols: slice, bands: Bands) -> NDArray[Any] | None:
    """Return a rectangle; None of a cube that this process never had open."""
    cube = _CUBES.get(key)
    return None if cube is None else cube.read(rows, cols, bands)


def kept() -> list[Key]:
    """Return what is open here."""
    return sorted(_CUBES)
