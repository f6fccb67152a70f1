"""Cubes that may be larger than memory: blocks of rows, missing values, a choice of bands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 64 * 2**20


def row_blocks(
    cube: Any, *, max_bytes: int = BLOCK_BYTES
) -> Iterator[tuple[slice, NDArray[np.generic]]]:
    """Yield ``(rows, block)``: whole rows of `cube` from top to bottom, in native byte order.

    Parameters
    ----------
    cube : array_like
        ``(rows, cols, bands)``, with ``shape`` and ``dtype``; sliced, never read as a whole.
    max_bytes : int
        Largest size of a block. A block has at least one row.
    """
    rows, cols, bands = cube.shape
    step = max(1, max_bytes // max(1, cols * bands * np.dtype(cube.dtype).itemsize))
    for start in range(0, rows, step):
        block = slice(start, min(start + step, rows))
        values = np.asarray(cube[block])
        yield block, values.astype(values.dtype.newbyteorder("="), copy=False)


def may_lack_values(dtype: np.dtype, nodata: float | None) -> bool:
    """Return whether an array of `dtype` can hold a missing value at all."""
    if dtype.kind == "f":
        return True
    if nodata is None or not float(nodata).is_integer():
        return False
    limits = np.iinfo(dtype)
    return bool(limits.min <= nodata <= limits.max)


def is_missing(values: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    """Return where `values` are NaN, infinite or equal to `nodata`; the same shape.

    `nodata` is compared in the precision of `values`: a header writes a float32 in decimals.
    """
    if not may_lack_values(values.dtype, nodata):
        return np.zeros(values.shape, dtype=np.bool_)
    missing = np.zeros(values.shape, dtype=np.bool_)
    if values.dtype.kind == "f":
        np.logical_not(np.isfinite(values), out=missing)
    if nodata is not None:
        with np.errstate(over="ignore"):  # a value beyond float32 becomes infinite: already missing
            missing |= values == values.dtype.type(nodata)
    return missing


def bands_with_data(cube: Any, nodata: float | None) -> NDArray[np.intp]:
    """Return the bands (zero-based, ascending) that hold a value in at least one pixel.

    Reads no further than the first rows where every band has a value.
    """
    bands = cube.shape[2]
    if not may_lack_values(np.dtype(cube.dtype), nodata):
        return np.arange(bands)
    empty = np.ones(bands, dtype=np.bool_)
    # Small blocks: one row of an ordinary scene already answers the question.
    for _, block in row_blocks(cube, max_bytes=2**20):
        empty &= is_missing(block, nodata).all(axis=(0, 1))
        if not empty.any():
            break
    return np.flatnonzero(~empty)


class BandSelection:
    """Some bands of a cube, read only when sliced.

    Behaves like a read-only array ``(rows, cols, len(bands))`` under indexing by integers, slices,
    an ellipsis, index arrays and boolean masks.

    Parameters
    ----------
    cube : array_like
        ``(rows, cols, bands)``.
    bands : array_like of int
        Zero-based bands to keep, in the wanted order.
    """

    ndim = 3

    def __init__(self, cube: Any, bands: Any) -> None:
        self.cube = cube
        self.bands: NDArray[np.intp] = np.asarray(bands, dtype=np.intp)
        self.shape: tuple[int, int, int] = (cube.shape[0], cube.shape[1], len(self.bands))
        self.dtype = np.dtype(cube.dtype)

    def __repr__(self) -> str:
        return f"BandSelection(shape={self.shape}, dtype={self.dtype}, of={self.cube.shape[2]})"

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a selection of bands cannot become an array without a copy")
        return np.asarray(self[:], dtype=dtype)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        place, band = self._split(key)
        if isinstance(band, slice):
            return np.asarray(self.cube[place])[..., self.bands[band]]
        # An index of the band axis goes to the cube together with the others, so that index
        # arrays are matched with each other as NumPy does it.
        return np.asarray(self.cube[(*place, self.bands[band])])

    def _split(self, key: Any) -> tuple[tuple[Any, ...], Any]:
        """Return the indices of rows and columns, and the index of the bands."""
        parts = list(key) if isinstance(key, tuple) else [key]
        axes = [_axes(part) for part in parts]
        missing = 3 - sum(axes)
        if missing < 0:
            raise IndexError(f"too many indices for a cube of shape {self.shape}")
        dots = [i for i, part in enumerate(parts) if part is Ellipsis]
        at = dots[0] if dots else len(parts)
        parts[at : at + len(dots)] = [slice(None)] * missing
        if _axes(parts[-1]) > 1:
            raise IndexError("a mask over the band axis is not supported; index bands by number")
        return tuple(parts[:-1]), parts[-1]


def _axes(part: Any) -> int:
    """Return the number of axes that one part of an index takes up."""
    if part is Ellipsis:
        return 0
    if part is None:
        raise IndexError("a selection of bands cannot be indexed with None")
    if isinstance(part, np.ndarray) and part.dtype == np.bool_:
        return part.ndim
    return 1
