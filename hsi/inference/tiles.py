"""The regions of tiles, with the margin that patches need, and windows in batches."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hsi.layers import gather_windows
from hsi.scenes.tiles import Tile


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
    size = scene.shape[1:]
    inside = scene[:, *tile.around(patch_size, size)]
    return _padded(inside.permute(1, 2, 0), tile, patch_size, size)


def region_of_part(
    part: Any, tile: Tile, patch_size: int, size: tuple[int, ...], dtype: torch.dtype
) -> Tensor:
    """Return what `region_of` returns, of the part of an array that is needed for it.

    Parameters
    ----------
    part : array_like
        ``(rows, cols, bands)`` of `Tile.around`.
    tile : Tile
        The tile.
    patch_size : int
        Side of a patch.
    size : tuple of int
        Rows and columns of the scene.
    dtype : torch.dtype
        Of the result.
    """
    part = np.asarray(part)
    if part.dtype.itemsize > 8:  # more than PyTorch has
        part = part.astype(np.float64)
    # PyTorch knows no negative strides and no foreign byte order.
    plain = np.ascontiguousarray(part, dtype=part.dtype.newbyteorder("="))
    with warnings.catch_warnings():
        # Nothing here writes to it.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        inside = torch.from_numpy(plain)
    return _padded(inside.to(dtype), tile, patch_size, size)


def _padded(inside: Tensor, tile: Tile, patch_size: int, size: tuple[int, ...]) -> Tensor:
    """Complete ``(rows, cols, bands)`` with zeros beyond the scene, and put the bands first."""
    margin = patch_size // 2
    left, right = margin - tile.col, tile.col + tile.cols + margin - size[1]
    top, bottom = margin - tile.row, tile.row + tile.rows + margin - size[0]
    beyond = (0, 0, *(max(length, 0) for length in (left, right, top, bottom)))
    return F.pad(inside, beyond).permute(2, 0, 1)


def all_corners(region: Tensor, patch_size: int) -> Tensor:
    """Return ``(N, 2)``: the upper left corners of all patches in a region, row by row."""
    height, width = (length - patch_size + 1 for length in region.shape[1:])
    return torch.cartesian_prod(
        torch.arange(height, device=region.device), torch.arange(width, device=region.device)
    )


def within(tile: Tile, pixels: Tensor) -> Tensor:
    """Return which of the pixels ``(N, 2)`` lie in the tile."""
    low = pixels.new_tensor([tile.row, tile.col])
    high = low + pixels.new_tensor(tile.size)
    return ((pixels >= low) & (pixels < high)).all(dim=1).nonzero()[:, 0]
