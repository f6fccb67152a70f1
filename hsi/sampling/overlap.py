"""How far the patches of test pixels reach into the training pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsi.errors import UsageError


@dataclass(frozen=True)
class Overlap:
    """What the patches of the test pixels see of the training, as shares (0..1) of test pixels.

    Both are nan where there is no test pixel: nothing was tested, which is not the same as no
    overlap.

    Attributes
    ----------
    contains : float
        Those whose patch contains a training pixel (Chebyshev distance <= ``patch_size // 2``).
    shares : float
        Those whose patch shares pixels with the patch of a training pixel (Chebyshev distance
        <= ``patch_size - 1``).
    """

    contains: float
    shares: float


def overlap_audit(train: ArrayLike, test: ArrayLike, patch_size: int) -> Overlap:
    """Measure how many test pixels the training has already seen something of. Exact.

    Pixels of a random split lie among each other, so that nearly every patch of a test pixel
    overlaps patches that were trained on, and the accuracy speaks of the neighbourhood of the
    training pixels rather than of the scene.

    Parameters
    ----------
    train, test : array_like
        ``(rows, cols)`` boolean masks.
    patch_size : int
        Side of the patch in pixels, odd.

    Returns
    -------
    Overlap
        Shares of the test pixels.

    Raises
    ------
    UsageError
        If the masks do not fit each other, or `patch_size` is even or below 1.

    Examples
    --------
    A training pixel, and test pixels at distances 1, 2, and 3:

    >>> overlap_audit([[1, 0, 0, 0]], [[0, 1, 1, 1]], patch_size=3)
    Overlap(contains=0.3333333333333333, shares=0.6666666666666666)
    """
    train, test = np.asarray(train, dtype=bool), np.asarray(test, dtype=bool)
    if train.ndim != 2 or train.shape != test.shape:
        raise UsageError(
            f"masks of training and test pixels must both be (rows, cols), "
            f"not {train.shape} and {test.shape}"
        )
    check_patch_size(patch_size)
    total = int(np.count_nonzero(test))
    if total == 0:
        return Overlap(contains=float("nan"), shares=float("nan"))
    contains = int(np.count_nonzero(test & within(train, patch_size // 2)))
    shares = int(np.count_nonzero(test & within(train, patch_size - 1)))
    return Overlap(contains=contains / total, shares=shares / total)


def within(mask: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    """Return the pixels at a Chebyshev distance of at most `distance` from a pixel of `mask`.

    Two box sums, one for each axis, so that the time does not depend on `distance`.

    Parameters
    ----------
    mask : ndarray
        ``(rows, cols)``, boolean.
    distance : int
        In pixels, 0 or more.

    Returns
    -------
    ndarray
        ``(rows, cols)``, boolean.
    """
    near = mask
    for axis in (0, 1):
        length = near.shape[axis]
        sums = np.zeros(
            tuple(n + (a == axis) for a, n in enumerate(near.shape)),
            dtype=np.int32,
        )
        np.cumsum(near, axis=axis, out=sums[1:] if axis == 0 else sums[:, 1:])
        position = np.arange(length)
        first = np.maximum(position - distance, 0)
        last = np.minimum(position + distance + 1, length)
        near = sums.take(last, axis=axis) > sums.take(first, axis=axis)
    return near


def check_patch_size(patch_size: int) -> None:
    """Refuse a patch without a pixel at its centre.

    Raises
    ------
    UsageError
        If `patch_size` is not an odd whole number above 0.
    """
    if not isinstance(patch_size, int | np.integer) or patch_size < 1 or patch_size % 2 == 0:
        raise UsageError(
            "patch_size must be an odd number of pixels, since the pixel is its centre; "
            f"got {patch_size!r}"
        )
