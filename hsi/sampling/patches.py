"""Patches around labelled pixels as a PyTorch dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.utils.data import Dataset

from hsi.errors import UsageError
from hsi.sampling.overlap import check_patch_size
from hsi.sampling.targets import class_ids, to_targets


class PatchDataset(Dataset[tuple[Tensor, int]]):
    """The patch around each pixel of a mask, and the target of that pixel.

    Patches are cut when they are asked for, without a padded copy of the cube, so that memory does
    not grow with their number. What lies outside the scene is zero: the mean, after `BandPCA`.

    Parameters
    ----------
    cube : array_like
        ``(rows, cols, components)``: anything that slices like an array. With several workers of a
        DataLoader it must survive a fork or being pickled.
    labels : array_like
        ``(rows, cols)`` label ids, 0 = unlabelled.
    mask : array_like
        ``(rows, cols)``, boolean: the pixels of the dataset, each with a label.
    patch_size : int
        Side of the patch in pixels, odd.

    Attributes
    ----------
    ids : ndarray
        ``(K,)`` the label id of each target. Of all labels, not only those under the mask, so
        that training and test agree.
    pixels : ndarray
        ``(N, 2)`` row and column of each patch's centre, in row-major order.

    Raises
    ------
    UsageError
        If shapes do not fit, `patch_size` is even, or the mask holds an unlabelled pixel.

    Examples
    --------
    >>> import numpy as np
    >>> cube, labels = np.ones((4, 6, 3), np.float32), np.full((4, 6), 14)
    >>> data = PatchDataset(cube, labels, labels > 0, patch_size=5)
    >>> patch, target = data[0]
    >>> len(data), patch.shape, target, int(patch[0].sum())
    (24, torch.Size([3, 5, 5]), 0, 9)
    """

    def __init__(
        self, cube: Any, labels: ArrayLike, mask: ArrayLike, *, patch_size: int = 25
    ) -> None:
        check_patch_size(patch_size)
        labels, mask = np.asarray(labels), np.asarray(mask)
        if len(cube.shape) != 3 or labels.shape != cube.shape[:2] or mask.shape != cube.shape[:2]:
            raise UsageError(
                f"cube (rows, cols, bands), labels and mask (rows, cols) do not fit: "
                f"{tuple(cube.shape)}, {labels.shape}, {mask.shape}"
            )
        if mask.dtype != bool:
            raise UsageError(f"the mask of pixels must be boolean, not {mask.dtype}")
        self.cube = cube
        self.patch_size = patch_size
        self.ids: NDArray[np.int32] = class_ids(labels)
        self.pixels: NDArray[np.int64] = np.argwhere(mask)
        self._targets = to_targets(labels[mask], self.ids)
        unlabelled = np.count_nonzero(self._targets < 0)
        if unlabelled:
            raise UsageError(
                f"{unlabelled} of the {len(self.pixels)} pixels of the mask have no label; "
                "use mask & (labels > 0)"
            )

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        rows, cols, bands = self.cube.shape
        row, col = self.pixels[index].tolist()
        margin = self.patch_size // 2
        top, left = row - margin, col - margin
        inside = np.asarray(
            self.cube[
                max(top, 0) : min(row + margin + 1, rows),
                max(left, 0) : min(col + margin + 1, cols),
            ]
        )
        height, width = inside.shape[:2]
        patch = np.zeros((bands, self.patch_size, self.patch_size), dtype=np.float32)
        down, right = max(-top, 0), max(-left, 0)
        patch[:, down : down + height, right : right + width] = inside.transpose(2, 0, 1)
        return torch.from_numpy(patch), int(self._targets[index])
