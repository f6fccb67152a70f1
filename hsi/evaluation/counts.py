"""How many pixels of a map each class has."""

from __future__ import annotations

from typing import Any

import numpy as np

from hsi.scenes.cube import BLOCK_BYTES

# Counting by place is faster than by sorting, as long as the places are not many.
_PLACES = 2**20


def count_ids(ids: Any) -> dict[int, int]:
    """Return the number of pixels by id, ids ascending.

    Parameters
    ----------
    ids : array_like of int
        ``(rows, cols)``: an array or a memmap; rows are read in blocks.

    Examples
    --------
    >>> count_ids(np.array([[0, 7, 7], [1, 7, 0]]))
    {0: 2, 1: 1, 7: 3}
    """
    rows, cols = ids.shape
    step = max(1, BLOCK_BYTES // max(1, cols * np.dtype(ids.dtype).itemsize))
    total: dict[int, int] = {}
    for row in range(0, rows, step):
        block = np.asarray(ids[row : row + step])
        if block.min() >= 0 and block.max() < _PLACES:
            counts = np.bincount(block.ravel())
            found = np.flatnonzero(counts)
            counts = counts[found]
        else:
            found, counts = np.unique(block, return_counts=True)
        for each, count in zip(found.tolist(), counts.tolist(), strict=True):
            total[each] = total.get(each, 0) + count
    return {each: total[each] for each in sorted(total)}
