"""Tiles of a scene, with the margin that their patches need, and what is said of their pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Tile(NamedTuple):
    """A rectangle of pixels."""

    row: int
    col: int
    rows: int
    cols: int

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.cols

    @property
    def slices(self) -> tuple[slice, slice]:
        """The tile's part of a map of the scene."""
        return slice(self.row, self.row + self.rows), slice(self.col, self.col + self.cols)

    def around(self, patch_size: int, size: tuple[int, ...]) -> tuple[slice, slice]:
        """Return what a scene of `size` has of the tile and the margin of a patch around it."""
        margin = patch_size // 2
        return (
            slice(max(self.row - margin, 0), min(self.row + self.rows + margin, size[0])),
            slice(max(self.col - margin, 0), min(self.col + self.cols + margin, size[1])),
        )


def tiles_of(rows: int, cols: int, side: int) -> Iterator[Tile]:
    """Yield tiles of nearly equal size, of at most `side` rows and columns, that cover a scene."""
    height, width = (math.ceil(n / math.ceil(n / side)) for n in (rows, cols))
    for row in range(0, rows, height):
        for col in range(0, cols, width):
            yield Tile(row, col, min(height, rows - row), min(width, cols - col))


class ScoredTile(NamedTuple):
    """A rectangle of a scene and what a network says of it."""

    tile: Tile
    scores: NDArray[np.floating]
    """``(classes, rows, cols)``, logits."""
    valid: NDArray[np.bool_]
    """``(rows, cols)``: where data is."""
