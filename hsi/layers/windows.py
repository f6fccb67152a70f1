"""Padding a scene and cutting windows out of it, for training and inference alike."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def pad_scene(cube: Tensor, patch_size: int) -> Tensor:
    """Pad ``(C, rows, cols)`` with zeros so that every pixel is the centre of a whole patch.

    The window of side `patch_size` at ``(row, col)`` of the result is the patch around that pixel
    of `cube`. Zero is the mean of each component, so the padding says "nothing known here".
    """
    margin = patch_size // 2
    return F.pad(cube, (margin, margin, margin, margin))


def gather_windows(
    features: Tensor, rows: Tensor, cols: Tensor, size: int, *, regions: Tensor | None = None
) -> Tensor:
    """Cut the windows of side `size` whose upper left corners are at `rows`, `cols`.

    Differentiable. The windows overlap, and the gradient of each position is the sum of what the
    windows that contain it receive.

    Parameters
    ----------
    features : Tensor
        ``(C, H, W)``, a padded scene or the feature map of one; or several, ``(R, C, H, W)``.
    rows, cols : Tensor
        ``(N,)`` int64 on the device of `features`, at most ``H - size`` and ``W - size``.
    size : int
        Side of the window.
    regions : Tensor, optional
        ``(N,)`` int64: of several feature maps, the one that each window is cut from.

    Returns
    -------
    Tensor
        ``(N, C, size, size)``, a copy with channels last in memory.

    Examples
    --------
    >>> import torch
    >>> image = torch.arange(12.0).reshape(1, 3, 4)
    >>> gather_windows(image, torch.tensor([1]), torch.tensor([2]), 2)
    tensor([[[[ 6.,  7.],
              [10., 11.]]]])
    """
    if features.ndim == 3:
        features = features.unsqueeze(0)
    if regions is None:
        regions = torch.zeros_like(rows)
    windows: Tensor = _GatherWindows.apply(features.permute(0, 2, 3, 1), regions, rows, cols, size)
    return windows.permute(0, 3, 1, 2)


class _GatherWindows(torch.autograd.Function):
    """``(R, H, W, C) -> (N, size, size, C)``: an index into a strided view; back, `index_add_`.

    PyTorch's gradient of ``Tensor.unfold`` goes through every window that there could be.
    """

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, regions: Tensor, rows: Tensor, cols: Tensor, size: int
    ) -> Tensor:
        ctx.save_for_backward(regions, rows, cols)
        ctx.shape = features.shape
        R, H, W, C = features.shape
        along_r, along_h, along_w, along_c = features.stride()
        # Every window at once as a view: no memory but for those that the index then copies.
        windows = features.as_strided(
            (R, H - size + 1, W - size + 1, size, size, C),
            (along_r, along_h, along_w, along_h, along_w, along_c),
            features.storage_offset(),
        )
        return windows[regions, rows, cols]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        regions, rows, cols = ctx.saved_tensors
        (R, H, W, C), grad = ctx.shape, grads[0]
        offset = torch.arange(grad.shape[1], device=grad.device)
        # (N, size, size): where each value of each window lies in the flat feature maps
        down = (regions * H + rows)[:, None] + offset
        places = down[:, :, None] * W + (cols[:, None] + offset)[:, None, :]
        summed = grad.new_zeros(R * H * W, C)
        summed.index_add_(0, places.flatten(), grad.reshape(-1, C))
        return summed.view(R, H, W, C), None, None, None, None
