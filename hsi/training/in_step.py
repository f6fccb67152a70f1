"""Layers for which it matters what else is in the batch, where each process has a part of it.

A batch norm goes by the statistics of the whole batch: the sums over the parts are added up,
forwards and backwards, as in `torch.nn.SyncBatchNorm`, which computes on GPUs only and knows
nothing of coverage. What is dropped at random is drawn for the whole batch in every process, all of
which have generators in the same state; each then takes the part that is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from hsi.backbones.efficientnet import StochasticDepth
from hsi.layers import TrunkBatchNorm2d, TrunkBatchNorm3d
from hsi.layers.norm import Summed, weighted_norm
from hsi.models import PatchNetwork
from hsi.training.batches import Batch

# Layers that multiply their input by what they draw.
DROPPING = (_DropoutNd, StochasticDepth)


@contextmanager
def in_step(model: PatchNetwork, batch: Batch, *, summed: Summed) -> Iterator[None]:
    """Let the layers of `model` work on a part of a batch as they would on all of it.

    Parameters
    ----------
    model : PatchNetwork
        In training mode.
    batch : Batch
        The part. If the trunk drops anything, its regions must be those of the whole batch.
    summed : callable
        Adds to a tensor, in place, what it is in the other processes.
    """
    # Over regions, which all processes have alike then, the trunk draws what they all draw.
    alike = set() if batch.corners is None else set(model.trunk.modules())
    changed: list[nn.Module] = []
    norms: list[TrunkBatchNorm2d | TrunkBatchNorm3d] = []
    for module in model.modules():
        if isinstance(module, TrunkBatchNorm2d | TrunkBatchNorm3d):
            module._summed = summed
            norms.append(module)
        if isinstance(module, _BatchNorm):
            forward = partial(_normalized, module, module.forward, summed)
        elif isinstance(module, DROPPING) and module not in alike:
            forward = partial(_dropped, module, module.forward, batch)
        else:
            continue
        module.forward = forward  # type: ignore[method-assign]
        changed.append(module)
    try:
        yield
    finally:
        for module in changed:
            del module.forward  # that of its class is back
        for norm in norms:
            del norm._summed


def drops_in_trunk(model: PatchNetwork) -> bool:
    """Return whether the trunk of a network drops anything while it is trained."""
    return any(isinstance(module, DROPPING) for module in model.trunk.modules())


def _normalized(
    norm: _BatchNorm, forward: Callable[[Tensor], Tensor], summed: Summed, x: Tensor
) -> Tensor:
    """Normalise ``(N, C, ...)`` by the statistics of all parts."""
    if not norm.training or getattr(norm, "_sampled", None) is not None:
        return forward(x)  # by coverage: it adds up itself
    flat = x.flatten(2, -2) if x.ndim > 3 else x[(...,) + (None,) * (4 - x.ndim)]
    flat = flat.contiguous(memory_format=torch.channels_last)  # (N, C, H, W)
    count = flat.shape[0] * flat.shape[2] * flat.shape[3]
    weights = torch.ones(count, dtype=torch.int64, device=x.device)
    return weighted_norm(norm, flat, weights, summed=summed).reshape(x.shape)


def _dropped(
    module: nn.Module, forward: Callable[[Tensor], Tensor], batch: Batch, x: Tensor
) -> Tensor:
    """Multiply ``(N, ...)`` by the part of what is drawn for the whole batch."""
    if not module.training:
        return forward(x)
    assert batch.part is not None
    assert len(x) == len(batch.part.places)
    # Draws follow the order of memory.
    order = sorted(range(x.ndim), key=x.stride, reverse=True)
    whole = torch.empty_permuted(
        (batch.part.pixels, *x.shape[1:]), order, dtype=x.dtype, device=x.device
    )
    return x * forward(whole.fill_(1))[batch.part.places]
