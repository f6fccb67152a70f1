"""Tiles of a scene with the margin that their patches need, and windows in batches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hsi.layers import gather_windows


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

    def inside(self, pixels: Tensor) -> Tensor:
        """Return which of the pixels ``(N, 2)`` lie in the tile."""
        low = pixels.new_tensor([self.row, self.col])
        high = low + pixels.new_tensor(self.size)
        return ((pixels >= low) & (pixels < high)).all(dim=1).nonzero()[:, 0]


def tiles_of(rows: int, cols: int, side: int) -> Iterator[Tile]:
    """Yield tiles of nearly equal size, of at most `side` rows and columns, that cover a scene."""
    height, width = (math.ceil(n / math.ceil(n / side)) for n in (rows, cols))
    for row in range(0, rows, height):
        for col in range(0, cols, width):
            yield Tile(row, col, min(height, rows - row), min(width, cols - col))


def in_batches(
    network: nn.Module, features: Tensor, corners: Tensor, size: int, batch: int
) -> Tensor:
    """Apply `network` to the windows at `corners`, always `batch` at a time.

    Matrix products round differently for other numbers of rows. With the last batch filled up,
    a pixel's score has the same bits in whatever company the pixel is.
    """
    scores = []
    for some in corners.split(batch):
        filled = some if len(some) == batch else some[torch.arange(batch).clamp(max=len(some) - 1)]
        windows = gather_windows(features, filled[:, 0], filled[:, 1], size)
        scores.append(network(windows)[: len(some)])
    return torch.cat(scores)


def region_of(scene: Tensor, tile: Tile, patch_size: int) -> Tensor:
    """Return a tile of ``(bands, rows, cols)`` with the margin of a patch, zero beyond the scene.

    ``(bands, tile rows + p - 1, tile cols + p - 1)``, channels last in memory.
    """
    margin = patch_size // 2
    _, rows, cols = scene.shape
    top, left = tile.row - margin, tile.col - margin
    bottom, right = tile.row + tile.rows + margin, tile.col + tile.cols + margin
    inside = scene[:, max(top, 0) : bottom, max(left, 0) : right]
    region = F.pad(
        inside.permute(1, 2, 0),
        (0, 0, max(-left, 0), max(right - cols, 0), max(-top, 0), max(bottom - rows, 0)),
    )
    return region.permute(2, 0, 1)


def all_corners(region: Tensor, patch_size: int) -> Tensor:
    """Return ``(N, 2)``: the upper left corners of all patches in a region, row by row."""
    height, width = (length - patch_size + 1 for length in region.shape[1:])
    return torch.cartesian_prod(
        torch.arange(height, device=region.device), torch.arange(width, device=region.device)
    )
