"""Cubes that are read only where they are sliced.

`LazyCube` gives any reader NumPy's indexing; a reader has to know only how to read a rectangle of
some bands.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.scenes.cube import BLOCK_BYTES, is_missing

Bands = NDArray[np.intp]


class LazyCube(ABC):
    """A read-only array ``(rows, cols, bands)`` whose values are read when it is indexed.

    It takes integers, slices, an ellipsis, index arrays and boolean masks, as NumPy does, but no
    mask over the band axis and no new axes. Scattered pixels are read in blocks of rows, so that
    a choice of some pixels never holds the whole cube.

    Parameters
    ----------
    shape : tuple of int
        ``(rows, cols, bands)``.
    dtype : dtype
        Of the values that `read` returns.
    """

    ndim = 3

    def __init__(self, shape: tuple[int, int, int], dtype: Any) -> None:
        self.shape: tuple[int, int, int] = shape
        self.dtype = np.dtype(dtype)

    @abstractmethod
    def read(self, rows: slice, cols: slice, bands: Bands) -> NDArray[Any]:
        """Return ``(rows, cols, bands)`` of a rectangle.

        Parameters
        ----------
        rows, cols : slice
            With start and stop inside the cube, and without a step.
        bands : ndarray of int
            Zero-based, ascending, none twice.
        """

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype})"

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a cube that is read when indexed becomes an array only as a copy")
        return np.asarray(self[:], dtype=dtype)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        rows, cols, bands = self._indices(key)
        read_bands, bands = _span_of_bands(bands, self.shape[2])
        span, cols = _span(cols, self.shape[1])
        per_row = max(1, (span.stop - span.start) * len(read_bands) * self.dtype.itemsize)
        step = max(1, BLOCK_BYTES // per_row)
        if isinstance(rows, np.ndarray):
            return self._gather(rows, cols, bands, span=span, read_bands=read_bands, step=step)
        if (
            isinstance(rows, slice)
            and isinstance(cols, slice)
            and _is_whole(bands, len(read_bands))
        ):
            bands = slice(None)  # which copies nothing
        wanted = np.arange(self.shape[0])[rows]
        if wanted.ndim == 0:
            row = int(wanted)
            return self.read(slice(row, row + 1), span, read_bands)[0, cols, bands]
        parts = []
        for piece in _runs(wanted, step):
            low, high = int(piece.min()), int(piece.max()) + 1
            block = self.read(slice(low, high), span, read_bands)
            if not np.array_equal(piece, np.arange(low, high)):
                block = block[piece - low]
            parts.append(block[:, cols, bands])
        if not parts:
            nothing = np.empty((0, span.stop - span.start, len(read_bands)), dtype=self.dtype)
            return nothing[:, cols, bands]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _gather(
        self, rows: Any, cols: Any, bands: Any, *, span: slice, read_bands: Bands, step: int
    ) -> NDArray[Any]:
        """Return what index arrays of rows, and perhaps of columns and bands, choose."""
        key: list[Any] = [rows, cols, bands]
        arrays = [i for i, part in enumerate(key) if not isinstance(part, slice)]
        spread = np.broadcast_arrays(*(key[i] for i in arrays))
        shape = spread[0].shape
        for i, part in zip(arrays, spread, strict=True):
            key[i] = part.ravel()
        sample = np.empty((1, span.stop - span.start, len(read_bands)), dtype=self.dtype)
        slices = sample[0][tuple(slice(0, 0) if i in arrays else key[i] for i in (1, 2))].shape
        free = [slices[i - 1] for i in (1, 2) if i not in arrays]
        chosen = np.empty((key[0].size, *free), dtype=self.dtype)
        order = np.argsort(key[0], kind="stable")
        ordered = key[0][order]
        first = 0
        while first < len(order):
            low = int(ordered[first])
            last = int(np.searchsorted(ordered, low + step))
            members = order[first:last]
            block = self.read(slice(low, int(ordered[last - 1]) + 1), span, read_bands)
            index = [each[members] if i in arrays else each for i, each in enumerate(key)]
            chosen[members] = block[(index[0] - low, *index[1:])]
            first = last
        return chosen.reshape(*shape, *free)

    def _indices(self, key: Any) -> tuple[Any, Any, Any]:
        """Return one index for each axis: an integer from 0, a slice, or an array of such."""
        parts = list(key) if isinstance(key, tuple) else [key]
        axes = [_axes(part) for part in parts]
        missing = 3 - sum(axes)
        if missing < 0:
            raise IndexError(f"too many indices for a cube of shape {self.shape}")
        dots = [i for i, part in enumerate(parts) if part is Ellipsis]
        if len(dots) > 1:
            raise IndexError("an index can only have one ellipsis")
        at = dots[0] if dots else len(parts)
        parts[at : at + len(dots)] = [slice(None)] * missing
        if _axes(parts[-1]) > 1:
            raise IndexError("a mask over the band axis is not supported; index bands by number")
        indices: list[Any] = []
        for part in parts:
            size = self.shape[len(indices) : len(indices) + _axes(part)]
            indices += _plain(part, size)
        return indices[0], indices[1], indices[2]


class BandSelection(LazyCube):
    """Some bands of a cube.

    Parameters
    ----------
    cube : array_like
        ``(rows, cols, bands)``.
    bands : array_like of int
        Zero-based bands to keep, in the wanted order.
    """

    def __init__(self, cube: Any, bands: Any) -> None:
        self.cube = cube
        self.bands: Bands = np.asarray(bands, dtype=np.intp)
        super().__init__((cube.shape[0], cube.shape[1], len(self.bands)), cube.dtype)

    def read(self, rows: slice, cols: slice, bands: Bands) -> NDArray[Any]:
        """Return ``(rows, cols, bands)`` of a rectangle of the chosen bands."""
        return np.asarray(self.cube[rows, cols, self.bands[bands]])


class ScaledCube(LazyCube):
    """A cube in physical units: stored values times `scale` plus `offset`, NaN without data.

    Parameters
    ----------
    cube : array_like
        ``(rows, cols, bands)``, stored values.
    scale, offset : float or array_like
        One for all bands, or ``(bands,)``.
    nodata : float, optional
        The stored value of pixels without data.
    """

    def __init__(
        self, cube: Any, *, scale: Any = 1.0, offset: Any = 0.0, nodata: float | None = None
    ) -> None:
        shape = (int(cube.shape[0]), int(cube.shape[1]), int(cube.shape[2]))
        # A float32 holds every stored value of 16 bits, and more digits than any sensor gives.
        wide = np.dtype(cube.dtype).kind in "iuf" and np.dtype(cube.dtype) == np.float64
        super().__init__(shape, np.float64 if wide else np.float32)
        self.cube, self.nodata = cube, nodata
        self.scale = np.broadcast_to(np.asarray(scale, dtype=np.float64), shape[2:])
        self.offset = np.broadcast_to(np.asarray(offset, dtype=np.float64), shape[2:])

    def read(self, rows: slice, cols: slice, bands: Bands) -> NDArray[Any]:
        """Return ``(rows, cols, bands)`` of a rectangle, scaled."""
        stored = np.asarray(self.cube[rows, cols, bands])
        # What is too large for the type becomes infinite, which is no data.
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = stored.astype(self.dtype)
            scaled *= self.scale[bands].astype(self.dtype)
            scaled += self.offset[bands].astype(self.dtype)
        np.copyto(scaled, np.nan, where=is_missing(stored, self.nodata))
        return scaled


def _axes(part: Any) -> int:
    """Return the number of axes that one part of an index takes up."""
    if part is Ellipsis:
        return 0
    if part is None:
        raise IndexError("a cube that is read when indexed cannot be indexed with None")
    if isinstance(part, np.ndarray) and part.dtype == np.bool_:
        return part.ndim
    return 1


def _plain(part: Any, size: tuple[int, ...]) -> list[Any]:
    """Return the part as indices of single axes, whole numbers counted from the start."""
    if isinstance(part, slice):
        return [part]
    array = np.asarray(part)
    if array.dtype == np.bool_:
        if array.shape != size:
            raise IndexError(f"a mask of shape {array.shape} for axes of lengths {size}")
        return list(np.nonzero(array))
    if array.size == 0:
        array = array.astype(np.intp)
    if array.dtype.kind not in "iu":
        raise IndexError(f"a cube is indexed by whole numbers, slices and masks, not {array.dtype}")
    outside = (array < -size[0]) | (array >= size[0])
    if outside.any():
        raise IndexError(f"index {array[outside][0]} is out of bounds for an axis of {size[0]}")
    array = np.where(array < 0, array + size[0], array).astype(np.intp)
    return [array if array.ndim else int(array)]


def _span(index: Any, size: int) -> tuple[slice, Any]:
    """Return the smallest range of an axis that holds what `index` asks for, and it within that."""
    chosen = np.arange(size)[index]
    if chosen.size == 0:
        return slice(0, 0), index if isinstance(index, np.ndarray) else slice(0, 0)
    low, high = int(chosen.min()), int(chosen.max()) + 1
    if not isinstance(index, slice):
        return slice(low, high), index - low
    if chosen[0] <= chosen[-1]:
        return slice(low, high), slice(0, high - low, abs(index.step or 1))
    return slice(low, high), slice(int(chosen[0]) - low, None, index.step)


def _span_of_bands(index: Any, size: int) -> tuple[Bands, Any]:
    """Return the bands to read, ascending, and the index that chooses among them."""
    chosen = np.arange(size)[index]
    read, place = np.unique(chosen, return_inverse=True)
    if isinstance(index, slice):
        descending = chosen.size > 1 and chosen[0] > chosen[-1]
        return read, slice(None, None, -1) if descending else slice(None)
    return read, place.reshape(chosen.shape) if chosen.ndim else 0


def _is_whole(index: Any, size: int) -> bool:
    """Return whether `index` is an array of all places of an axis in order."""
    return isinstance(index, np.ndarray) and np.array_equal(index, np.arange(size))


def _runs(rows: NDArray[np.intp], step: int) -> list[NDArray[np.intp]]:
    """Divide rows at equal distances so that none of the parts spans more than `step`."""
    if not len(rows):
        return []
    number = np.abs(rows - rows[0]) // step
    return np.split(rows, np.flatnonzero(np.diff(number)) + 1)
