"""The guard band: pixels between training and test that neither of them has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.sampling.overlap import overlap_audit


def guard_of(guard: int | None, patch_size: int) -> int:
    """Return the width of the guard band in pixels; that of patches which share none if not given.

    Raises
    ------
    UsageError
        If it is no whole number from 0.

    Examples
    --------
    >>> guard_of(None, 25), guard_of(30, 25)
    (24, 30)
    """
    if guard is None:
        return patch_size - 1
    if isinstance(guard, bool) or not isinstance(guard, int | np.integer) or guard < 0:
        raise UsageError(
            f"guard must be a whole number of pixels from 0, not {guard!r}\n"
            f"Patches of {patch_size}x{patch_size} pixels need {patch_size - 1} to share none."
        )
    return int(guard)


def band_notes(
    band: NDArray[np.bool_], labelled: NDArray[np.bool_], *, guard: int, near: str, where: str = ""
) -> list[str]:
    """Say how many of the labelled pixels are not used, since they lie too `near` to others."""
    if not guard:
        return []
    count, total = np.count_nonzero(band), np.count_nonzero(labelled)
    return [
        f"{count:,} of {total:,} labelled pixels ({count / total:.0%}) lie in the guard band, less "
        f"than {guard + 1} pixels from {near}, and are not used{where}."
    ]


def guard_notes(
    train: NDArray[np.bool_], test: NDArray[np.bool_], *, patch_size: int, guard: int
) -> list[str]:
    """Say how much is seen of both sides where the guard band is too narrow for the patches."""
    if guard >= patch_size - 1:
        return []
    shares = overlap_audit(train, test, patch_size).shares
    return [
        f"The guard band is {guard} pixels wide, but patches of {patch_size}x{patch_size} need "
        f"{patch_size - 1}: of the test pixels, {shares:.1%} have a patch that shares pixels with "
        "a training patch."
    ]
