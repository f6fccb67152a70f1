"""Many photographs as one array: decoded once, checked once, on disk if that is wanted."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from hsi.contained import CrashedError, Helper
from hsi.errors import PhotographError
from hsi.photographs.decode import read_photograph, square, without_pillow_warnings

# So many are asked for at a time, since a pool holds all answers that were not fetched yet.
_CHUNK = 512
_SECONDS = 60.0


@dataclass(frozen=True)
class Unreadable:
    """A file that was skipped, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, eq=False)
class Decoded:
    """The photographs that could be read.

    Attributes
    ----------
    places : ndarray
        ``(N,)`` where each stood in the sequence of paths.
    images : ndarray
        ``(N, side, side, 3)`` uint8.
    hashes : tuple of str
        Hash of the pixels of each, upright and in RGB, at the file's own size: equal if and only
        if these are. It sees through other names, other metadata and another lossless format; a
        photograph that was resized or compressed again has another one.
    shorter_sides : ndarray
        ``(N,)`` in pixels of the file.
    unreadable : tuple of Unreadable
        What is missing.
    """

    places: NDArray[np.int64]
    images: NDArray[np.uint8]
    hashes: tuple[str, ...]
    shorter_sides: NDArray[np.int64]
    unreadable: tuple[Unreadable, ...]


def decode_all(
    paths: Sequence[Path],
    *,
    side: int,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Decoded:
    """Read photographs, in as many processes as there are processors.

    A photograph that makes its decoder crash, or work for more than a minute, is unreadable like
    any other that is damaged.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    side : int
        The central square of each is reduced to so many pixels.
    folder : Path, optional
        Where a file without a name takes the pixels, which goes when they are no longer used.
        Without, they are held in memory.
    progress : callable, optional
        Told how many of how many are done.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    places, hashes, shorter, unreadable = [], [], [], []
    squares: list[NDArray[np.uint8]] = []
    with nullcontext() if folder is None else tempfile.TemporaryFile(dir=folder) as file:
        for place, read in enumerate(_read_all(paths, side)):
            if isinstance(read, PhotographError):
                reason = str(read).removeprefix(f"cannot read {paths[place]}: ")
                unreadable.append(Unreadable(paths[place], reason))
            else:
                pixels, content, shorter_side = read
                if file is None:
                    squares.append(pixels)
                else:
                    file.write(pixels.tobytes())
                places.append(place)
                hashes.append(content)
                shorter.append(shorter_side)
            if progress:
                progress(place + 1, len(paths))
        shape = (len(places), side, side, 3)
        images: NDArray[np.uint8]
        if file is None or not places:
            images = np.array(squares, dtype=np.uint8).reshape(shape)
        else:
            file.flush()
            # The mapping keeps the file's content for as long as it is used.
            images = np.memmap(file, dtype=np.uint8, mode="r", shape=shape)
    return Decoded(
        places=np.array(places, dtype=np.int64),
        images=images,
        hashes=tuple(hashes),
        shorter_sides=np.array(shorter, dtype=np.int64),
        unreadable=tuple(unreadable),
    )


def _read_all(
    paths: Sequence[Path], side: int
) -> Iterator[tuple[NDArray[np.uint8], str, int] | PhotographError]:
    """Yield pixels, hash and shorter side of each photograph, or what is wrong with it."""
    number = max(1, min(len(paths), os.cpu_count() or 1))
    free: SimpleQueue[Helper] = SimpleQueue()
    with ExitStack() as stack:
        for _ in range(number):
            helper = Helper()
            stack.callback(helper.close)
            free.put(helper)
        pool = stack.enter_context(ThreadPoolExecutor(number))
        for start in range(0, len(paths), _CHUNK):
            yield from pool.map(partial(_contained, free, side=side), paths[start : start + _CHUNK])


def _contained(
    free: SimpleQueue[Helper], path: Path, *, side: int
) -> tuple[NDArray[np.uint8], str, int] | PhotographError:
    """Read a photograph in one of the processes that do nothing."""
    helper = free.get()
    try:
        found: tuple[NDArray[np.uint8], str, int] = helper.call(
            _read, path, side=side, seconds=_SECONDS
        )
        return found
    except CrashedError as error:
        return PhotographError(f"cannot read {path}: {error} while decoding it")
    except PhotographError as error:
        return error
    finally:
        free.put(helper)


def _read(path: Path, *, side: int) -> tuple[NDArray[np.uint8], str, int]:
    with without_pillow_warnings():
        image = read_photograph(path)
    content = hashlib.blake2b(f"{image.size}".encode(), digest_size=16)
    content.update(image.tobytes())
    return square(image, side), content.hexdigest(), min(image.size)
