"""How sure a classifier is of the classes that it maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROWS = 64


def top_probability(scores: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the probability ``(rows, cols)`` of the winning class of ``(classes, rows, cols)``."""
    top = np.empty(scores.shape[1:], dtype=np.float32)
    for row in range(0, len(top), _ROWS):
        part = scores[:, row : row + _ROWS].astype(np.float64)
        # exp(0) is the winner's share of the sum.
        top[row : row + _ROWS] = 1 / np.exp(part - part.max(axis=0)).sum(axis=0)
    return top
