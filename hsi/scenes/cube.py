"""Cubes that may be larger than memory: blocks of rows and missing values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.scenes.storage import release_pages, stored_block

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
        release_pages(cube)


def _rectangles(cube: Any, *, max_bytes: int) -> Iterator[tuple[slice, slice]]:
    """Yield rectangles of whole blocks of the file, from the top, so that no block is read twice.

    They hold about `max_bytes`, or one block; at most `BLOCK_BYTES` of one that is larger.
    """
    rows, cols, bands = cube.shape
    pixel = max(1, bands * np.dtype(cube.dtype).itemsize)
    height, width = stored_block(cube)
    height, width = max(1, min(height, rows)), max(1, min(width, cols))
    height = min(height, max(1, BLOCK_BYTES // (width * pixel)))
    width *= max(1, max_bytes // (height * width * pixel))
    if width >= cols:
        width = max(1, cols)
        height *= max(1, max_bytes // (height * width * pixel))
    for row in range(0, rows, height):
        for col in range(0, cols, width):
            yield slice(row, min(row + height, rows)), slice(col, min(col + width, cols))


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

    Reads no further than to where every band has a value.
    """
    bands = cube.shape[2]
    if not may_lack_values(np.dtype(cube.dtype), nodata):
        return np.arange(bands)
    empty = np.ones(bands, dtype=np.bool_)
    # Small ones: one row of an ordinary scene already answers the question.
    for rows, cols in _rectangles(cube, max_bytes=2**20):
        empty &= is_missing(np.asarray(cube[rows, cols]), nodata).all(axis=(0, 1))
        release_pages(cube)
        if not empty.any():
            break
    return np.flatnonzero(~empty)


def bands_that_vary(
    cube: Any, nodata: float | None, *, bands: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return those of `bands` (zero-based) with more than one value in the pixels with data.

    A pixel has data where none of `bands` lacks its value. Reads no further than to where every
    band has varied; a band that never does costs one pass over the image.
    """
    complete = not may_lack_values(np.dtype(cube.dtype), nodata)
    first: NDArray[Any] | None = None
    constant = np.ones(len(bands), dtype=np.bool_)
    # Small ones: two pixels of an ordinary scene already answer the question.
    for rows, cols in _rectangles(cube, max_bytes=2**20):
        # Without missing values, bands that have varied need not be read again.
        asked = np.flatnonzero(constant) if complete else np.arange(len(bands))
        pixels = np.asarray(cube[rows, cols, bands[asked]]).reshape(-1, len(asked))
        if not complete:
            pixels = pixels[~is_missing(pixels, nodata).any(axis=1)]
        if not len(pixels):
            continue
        if first is None:
            first = np.zeros(len(bands), dtype=pixels.dtype)
            first[asked] = pixels[0]
        constant[asked] &= (pixels == first[asked]).all(axis=0)
        release_pages(cube)
        if not constant.any():
            break
    return bands[~constant]
