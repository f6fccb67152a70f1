"""Pixels of a cube of any size, some rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError

# Of one row block in float64: small beside the machine's memory, large beside the overhead.
BLOCK_BYTES = 64 * 2**20


def band_count(X: Any) -> int:
    """Return the number of bands of pixels ``(n, bands)`` or a cube ``(rows, cols, bands)``."""
    if len(X.shape) not in (2, 3):
        raise UsageError(
            f"expected pixels (n, bands) or a cube (rows, cols, bands), got {tuple(X.shape)}"
        )
    if np.dtype(X.dtype).kind not in "iuf":
        raise UsageError(f"expected integers or floats, got values of type {X.dtype}")
    return int(X.shape[-1])


def check_bands(cube: Any, fitted: int) -> None:
    """Refuse pixels that have not the bands of those that something was fitted to."""
    bands = band_count(cube)
    if bands != fitted:
        raise UsageError(
            f"the pixels have {bands} bands, but what was fitted is for {fitted} bands"
        )


def check_mask(mask: Any, shape: tuple[int, ...], name: str) -> NDArray[np.bool_]:
    """Return `mask`, called `name`, as an array; refuse one that is not boolean of that shape."""
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != tuple(shape):
        raise UsageError(
            f"{name} must be a boolean array of shape {tuple(shape)}, "
            f"not {mask.dtype} of {mask.shape}"
        )
    return mask


def row_blocks(X: Any, max_bytes: int, mask: NDArray[np.bool_] | None) -> Iterator[slice]:
    """Yield slices of rows that fit into `max_bytes` and hold a pixel of the mask."""
    row_bytes = 8 * int(np.prod(X.shape[1:]))
    step = max(1, max_bytes // max(1, row_bytes))
    for start in range(0, X.shape[0], step):
        rows = slice(start, min(start + step, X.shape[0]))
        if mask is None or mask[rows].any():
            yield rows


def pixels_of(X: Any, rows: slice, mask: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    """Return the pixels of a row block ``(n, bands)``, a copy in float64."""
    block = np.asarray(X[rows])
    if mask is not None:
        block = block[mask[rows]]
    return block.reshape(-1, X.shape[-1]).astype(np.float64)


def fitting_blocks(
    X: Any, mask: NDArray[np.bool_] | None, max_bytes: int
) -> Iterator[NDArray[np.float64]]:
    """Yield the pixels ``(n, bands)`` that something is fitted to, as copies in float64.

    Raises
    ------
    UsageError
        If a value is not finite.
    """
    if mask is not None:
        mask = check_mask(mask, X.shape[:-1], "mask")
    for rows in row_blocks(X, max_bytes, mask):
        pixels = pixels_of(X, rows, mask)
        if not np.isfinite(pixels).all():
            raise UsageError(
                f"some of the pixels to fit to are not finite (rows {rows.start} to "
                f"{rows.stop - 1})\nLeave them out with mask=, for example scene.valid."
            )
        yield pixels


def transformed(
    cube: Any,
    values: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    outputs: int,
    valid: NDArray[np.bool_] | None,
    max_bytes: int,
) -> NDArray[np.float32]:
    """Return `values` of every pixel; 0 outside of `valid`.

    Parameters
    ----------
    cube : array_like
        ``(rows, cols, bands)`` or ``(n, bands)``.
    values : callable
        From pixels ``(n, bands)``, which it may overwrite, to ``(n, outputs)``.
    outputs : int
        How many values a pixel becomes.
    valid : ndarray, optional
        ``(rows, cols)`` or ``(n,)``, boolean.
    max_bytes : int
        The most that one row block may take, in float64.

    Raises
    ------
    UsageError
        If a valid pixel is not finite.
    """
    if valid is not None:
        valid = check_mask(valid, cube.shape[:-1], "valid")
    result = np.zeros((*cube.shape[:-1], outputs), dtype=np.float32)
    for rows in row_blocks(cube, max_bytes, valid):
        pixels = pixels_of(cube, rows, valid)
        if not np.isfinite(pixels).all():
            raise UsageError(
                f"some pixels are not finite (rows {rows.start} to {rows.stop - 1})\n"
                "Pass valid=, a mask of the pixels with data, for example scene.valid."
            )
        # What lies beyond float32 becomes infinite.
        with np.errstate(over="ignore", invalid="ignore"):
            reduced = values(pixels)
            if valid is None:
                result[rows] = reduced.reshape(result[rows].shape)
            else:
                result[rows][valid[rows]] = reduced
    return result
