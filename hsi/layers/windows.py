"""Padding a scene and cutting windows out of it, for training and inference alike."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def pad_scene(cube: Tensor, patch_size: int) -> Tensor:
    """Pad ``(C, rows, cols)`` with zeros so that every pixel is the centre of a whole patch.

    The window of side `patch_size` at ``(row, col)`` of the result is the patch around that pixel
    of `cube`. Zero is the mean of each component, so the padding says "nothing known here".
    """
    margin = patch_size // 2
    return F.pad(cube, (margin, margin, margin, margin))


def gather_windows(features: Tensor, rows: Tensor, cols: Tensor, size: int) -> Tensor:
    """Cut the windows of side `size` whose upper left corners are at `rows`, `cols`.

    Parameters
    ----------
    features : Tensor
        ``(C, H, W)``, a padded scene or the feature map of one.
    rows, cols : Tensor
        ``(N,)`` int64 on the device of `features`, at most ``H - size`` and ``W - size``.
    size : int
        Side of the window.

    Returns
    -------
    Tensor
        ``(N, C, size, size)``, a copy.

    Examples
    --------
    >>> import torch
    >>> image = torch.arange(12.0).reshape(1, 3, 4)
    >>> gather_windows(image, torch.tensor([1]), torch.tensor([2]), 2)
    tensor([[[[ 6.,  7.],
              [10., 11.]]]])
    """
    C, H, W = features.shape
    along_c, along_h, along_w = features.stride()
    # Every window at once as a view: no memory but for those that the index then copies.
    windows = features.as_strided(
        (H - size + 1, W - size + 1, C, size, size),
        (along_h, along_w, along_c, along_h, along_w),
        features.storage_offset(),
    )
    return windows[rows, cols]
