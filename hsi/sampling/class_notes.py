"""What became of the classes in a split, in plain words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The accuracy of a class says little when it rests on fewer.
FEW_TO_TEST = 10


def class_notes(
    ids: NDArray[np.int32],
    *,
    learned: NDArray[np.int64],
    validated: NDArray[np.int64],
    tested: NDArray[np.int64],
    validates: bool,
) -> list[str]:
    """Say which classes are on one side only, or hardly tested.

    Parameters
    ----------
    ids : ndarray
        ``(K,)`` label ids.
    learned, validated, tested : ndarray
        ``(K,)`` pixels of each set.
    validates : bool
        Whether validation was wanted at all.
    """
    notes = []
    missing = (learned == 0) & (tested == 0)
    if missing.any():
        notes.append(
            f"No training pixels, and therefore left out of the test: {_named(ids[missing])}."
        )
    strange = (learned == 0) & (tested > 0)
    if strange.any():
        notes.append(
            "Tested without any training pixel, so that nothing of it can be right: "
            f"{_named(ids[strange])}."
        )
    if ((learned > 0) & (tested == 0)).any():
        notes.append(f"Learned but not tested: {_named(ids[(learned > 0) & (tested == 0)])}.")
    if validates and ((learned > 0) & (validated == 0)).any():
        notes.append(f"No validation pixels: {_named(ids[(learned > 0) & (validated == 0)])}.")
    few = (tested > 0) & (tested < FEW_TO_TEST)
    if few.any():
        notes.append(f"Fewer than {FEW_TO_TEST} pixels to test: {_named(ids[few])}.")
    return notes


def _named(ids: NDArray[np.int32]) -> str:
    return ("class " if ids.size == 1 else "classes ") + ", ".join(str(i) for i in ids)
