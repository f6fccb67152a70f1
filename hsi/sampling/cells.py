"""A scene in cells of some pixels, on which a search for blocks or folds is fast enough."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

# In all, and of those with labelled pixels. Fine enough to follow the fields of a scene; with more,
# trials are slower and not better.
MAX_CELLS, MAX_LABELLED_CELLS = 40_000, 6_000


class Cells:
    """The labelled part of a scene in square cells: how many pixels of each class are where.

    Parameters
    ----------
    targets : ndarray
        ``(rows, cols)``, ``0..K-1``, and -1 where there is no pixel to assign; one at least is.
    classes : int
        K.

    Attributes
    ----------
    side : int
        Of a cell, in pixels.
    rows, cols : int
        Number of cells.
    first_row, first_col : int
        The pixel at which the first cell begins.
    labelled : ndarray
        ``(n,)`` the cells that hold a pixel, ascending: row times `cols` plus column.
    place : ndarray
        ``(pixels,)`` for each pixel, in row-major order, where its cell stands in `labelled`.
    pixels : ndarray
        ``(n, K)`` number of pixels, float32 so that BLAS adds them up.
    """

    def __init__(self, targets: NDArray[np.int64], *, classes: int) -> None:
        rows, cols = np.nonzero(targets >= 0)
        self.scene_shape = targets.shape
        self.first_row, self.first_col = int(rows.min()), int(cols.min())
        rows, cols = rows - self.first_row, cols - self.first_col
        height, width = int(rows.max()) + 1, int(cols.max()) + 1
        self.side = math.ceil(math.sqrt(height * width / MAX_CELLS))
        while True:
            self.rows, self.cols = math.ceil(height / self.side), math.ceil(width / self.side)
            cells = rows // self.side * self.cols + cols // self.side
            self.labelled, self.place = np.unique(cells, return_inverse=True)
            excess = self.labelled.size / MAX_LABELLED_CELLS
            if excess <= 1:
                break
            self.side = max(self.side + 1, int(self.side * math.sqrt(excess)))
        self.pixels = np.zeros((self.labelled.size, classes), dtype=np.float32)
        np.add.at(self.pixels, (self.place, targets[targets >= 0]), 1)

    def reach(self, guard: int) -> int:
        """Return a distance of cells beyond which their pixels are more than `guard` apart."""
        return math.ceil(guard / self.side)
