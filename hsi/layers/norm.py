"""Batch norm that may be told how many patches each position belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from hsi.layers.spectra import as_maps, as_rows

Summed = Callable[[Tensor], Tensor]
"""Adds to a tensor, in place, what it is elsewhere, and returns it."""


class TrunkBatchNorm2d(nn.BatchNorm2d):
    """Batch norm whose statistics over a scene are those over the patches sampled from it.

    A plain `torch.nn.BatchNorm2d`, state dict and all, but for training inside `sampled_patches`.
    There its input is the feature map of a region, and each position counts as often as there are
    sampled patches that contain it: its *coverage*. Mean, variance and gradients are then those of
    the patches themselves, each of them cut out and normalised with the others.
    """

    _sampled: Tensor | None = None
    _summed: Summed | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(N, C, H, W)``."""
        if self._sampled is None or not self.training:
            return super().forward(x)
        # The map is as much larger than the region as this layer's window is than one position.
        weights = coverage(self._sampled, x.shape[2] - self._sampled.shape[1] + 1)
        rows = x.contiguous(memory_format=torch.channels_last)
        return weighted_norm(self, rows, weights.flatten(), summed=self._summed)


class TrunkBatchNorm3d(nn.BatchNorm3d):
    """`TrunkBatchNorm2d` for maps with bands, ``(N, C, bands, H, W)``; all bands count the same.

    A plain `torch.nn.BatchNorm3d` outside of `sampled_patches`. Quick where the channels of a band
    and the bands of a position are next to each other in memory, as `SpectralConv` leaves them.
    """

    _sampled: Tensor | None = None
    _summed: Summed | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(N, C, bands, H, W)``."""
        rows = as_rows(x)  # (N H W, C, 1, bands)
        if self._sampled is None or not self.training:
            return as_maps(super().forward(rows.unsqueeze(2)).squeeze(2), x)
        weights = coverage(self._sampled, x.shape[3] - self._sampled.shape[1] + 1)
        each = weights.flatten().repeat_interleave(x.shape[2])
        return as_maps(weighted_norm(self, rows, each, summed=self._summed), x)


def weighted_norm(
    norm: _BatchNorm, x: Tensor, weights: Tensor, *, summed: Summed | None = None
) -> Tensor:
    """Normalise by statistics under weights; the running statistics of `norm` follow.

    Parameters
    ----------
    norm : BatchNorm1d, BatchNorm2d or BatchNorm3d
        With scale, shift and running statistics.
    x : Tensor
        ``(N, C, H, W)``, channels last in memory.
    weights : Tensor
        ``(N H W,)``.
    summed : callable, optional
        Adds to a tensor, in place, what it is in other processes that hold other parts of one
        batch: statistics and gradients are then those of the whole.
    """
    count = weights.sum().to(norm.weight.dtype)
    if summed:
        summed(count)
    y, mean, variance = _WeightedNorm.apply(
        x, weights.to(norm.weight.dtype) / count, norm.weight, norm.bias, norm.eps, summed
    )
    with torch.no_grad():
        assert norm.running_mean is not None
        assert norm.running_var is not None
        assert norm.num_batches_tracked is not None
        assert norm.momentum is not None
        norm.num_batches_tracked.add_(1)
        norm.running_mean.lerp_(mean, norm.momentum)
        norm.running_var.lerp_(variance * (count / (count - 1)), norm.momentum)
    return y


@contextmanager
def sampled_patches(trunk: nn.Module, sampled: Tensor) -> Iterator[None]:
    """Tell the batch norms in `trunk` which patches of a region they stand for.

    Parameters
    ----------
    trunk : nn.Module
        It is about to be applied to ``(R, bands, rows + p - 1, cols + p - 1)``.
    sampled : Tensor
        ``(R, rows, cols)``: how often the patch around each pixel was sampled.
    """
    kinds = (TrunkBatchNorm2d, TrunkBatchNorm3d)
    norms = [each for each in trunk.modules() if isinstance(each, kinds)]
    for norm in norms:
        norm._sampled = sampled
    try:
        yield
    finally:
        for norm in norms:
            norm._sampled = None


def coverage(sampled: Tensor, size: int) -> Tensor:
    """Return how many sampled windows contain each position of a feature map.

    Parameters
    ----------
    sampled : Tensor
        ``(R, rows, cols)``: how many windows have their upper left corner at each place.
    size : int
        Side of a window.

    Returns
    -------
    Tensor
        ``(R, rows + size - 1, cols + size - 1)``, of the type of `sampled`.

    Examples
    --------
    >>> coverage(torch.tensor([[[1, 0, 2]]]), 2)
    tensor([[[1, 1, 2, 2],
             [1, 1, 2, 2]]])
    """
    for axis in (1, 2):
        sums = sampled.movedim(axis, -1).cumsum(-1)
        length = sums.shape[-1]
        # The sum of the `size` values up to each place, the places beyond either end included.
        upto = F.pad(sums, (size, 0))
        last = sums[..., -1:].expand(*sums.shape[:-1], size - 1)
        upto = torch.cat([upto, last], dim=-1)
        boxes = upto[..., size : size + length + size - 1] - upto[..., : length + size - 1]
        sampled = boxes.movedim(-1, axis)
    return sampled


class _WeightedNorm(torch.autograd.Function):
    """Batch norm under weights, in few passes over the feature map; channels last in memory.

    With mean and variance at hand the rest is what PyTorch does in evaluation mode. Its gradient
    lacks only what each position owes for its part in mean and variance.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        shares: Tensor,
        scale: Tensor,
        shift: Tensor,
        eps: float,
        summed: Summed | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        # In mixed precision as PyTorch does it: maps in half precision, statistics are not.
        with torch.autocast(x.device.type, enabled=False):
            flat = _rows(x).to(scale.dtype)  # (R H W, C)
            mean = shares @ flat
            if summed:
                summed(mean)
            # What was copied for its type can be overwritten.
            centred = flat - mean if flat.dtype == x.dtype else flat.sub_(mean)
            variance = shares @ centred.square_()
            if summed:
                summed(variance)
            y = F.batch_norm(x, mean, variance, scale, shift, training=False, eps=eps)
        ctx.save_for_backward(x, shares, mean, variance, scale)
        ctx.eps, ctx.summed = eps, summed
        ctx.mark_non_differentiable(mean, variance)
        return y, mean, variance

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, Tensor, Tensor, None, None]:
        x, shares, mean, variance, scale = ctx.saved_tensors
        grad = grads[0].contiguous(memory_format=torch.channels_last)
        grad_x, grad_scale, grad_shift = torch.ops.aten.native_batch_norm_backward(
            grad, x, scale, mean, variance, None, None, False, ctx.eps, [True, True, True]
        )
        # Owed: shares * (grad_shift + grad_scale * normalised x) * scale / deviation.
        inverse = torch.rsqrt(variance + ctx.eps)
        of_scale, of_shift = grad_scale, grad_shift
        if ctx.summed:
            # Positions in all processes had their part; gradients of parameters are added later.
            of_scale, of_shift = ctx.summed(torch.stack([grad_scale, grad_shift]))
        slope = of_scale * inverse
        factor = scale * inverse
        # Half precision has too small a range for the factors; bfloat16 has not.
        kind = torch.bfloat16 if x.dtype == torch.bfloat16 else scale.dtype
        constant, slope = ((of_shift - slope * mean) * factor).to(kind), (slope * factor).to(kind)
        owed = torch.addcmul(constant, _rows(x).to(kind), slope).mul_(shares.to(kind)[:, None])
        _rows(grad_x).sub_(owed.to(x.dtype))
        return grad_x, None, grad_scale, grad_shift, None, None


def _rows(x: Tensor) -> Tensor:
    """View ``(N, C, H, W)`` with channels last in memory as ``(N H W, C)``."""
    return x.permute(0, 2, 3, 1).view(-1, x.shape[1])
