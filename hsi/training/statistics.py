"""The statistics of batch norms, for the weights as they are.

While it trains, a batch norm keeps running averages of what it saw, in which older weights have
their part: evaluated with them, a network with a norm after each convolution is far from what it
was in training until the weights have hardly moved for some hundred steps. Here they are computed
anew from training pixels, weights unchanged ("precise batch norm"): Wu, Johnson (2021), "Rethinking
'Batch' in BatchNorm", https://arxiv.org/abs/2105.07576.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from hsi.layers.mode import evaluation_mode
from hsi.models import PatchNetwork
from hsi.training.batches import Batches
from hsi.training.step import batch_scores

# More training pixels change nothing that matters: the paper finds a thousand images enough.
PIXELS = 1024


@torch.no_grad()
def settle_statistics(model: PatchNetwork, padded: Tensor, batches: Batches, *, seed: int) -> None:
    """Replace the running statistics of all batch norms of `model` by those of training pixels.

    Mean and variance are those over all positions of the patches of about 1024 training pixels, or
    of all if there are fewer; not turned and without dropout, batch by batch as in training. Equal
    weights and seed give equal statistics, whatever the statistics were before; nothing else of
    `model` changes. A network without batch norms stays as it is.

    Parameters
    ----------
    model : PatchNetwork
        On the device of `padded`.
    padded : Tensor
        ``(bands, rows + p - 1, cols + p - 1)``, from `pad_scene`.
    batches : Batches
        Of the training pixels.
    seed : int
        Of the order of the pixels.
    """
    norms = [
        each
        for each in model.modules()
        if isinstance(each, _BatchNorm) and each.track_running_stats
    ]
    if not norms:
        return
    sums = [torch.zeros(2, norm.num_features, dtype=torch.float64) for norm in norms]
    seen = 0
    generator = torch.Generator().manual_seed(seed)
    with _last_batch_alone(model, norms):
        for batch in batches.epoch(generator):
            batch_scores(model, padded, batch, augmentation="none", generator=generator)
            pixels = len(batch.truth)
            for norm, total in zip(norms, sums, strict=True):
                mean, variance = _of(norm)
                total += pixels * torch.stack([mean, variance + mean.square()])
            seen += pixels
            if seen >= PIXELS:
                break
    for norm, total in zip(norms, sums, strict=True):
        mean, square = total / seen
        norm.get_buffer("running_mean").copy_(mean)
        norm.get_buffer("running_var").copy_(square - mean.square())


def _of(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Return mean and variance that a norm holds, in float64."""
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    return mean.double().cpu(), variance.double().cpu()


@contextmanager
def _last_batch_alone(model: nn.Module, norms: list[_BatchNorm]) -> Iterator[None]:
    """Let the running statistics of norms be those of the last batch; all else is evaluated."""
    counters = [norm.get_buffer("num_batches_tracked") for norm in norms]
    kept = [(norm.momentum, counter.clone()) for norm, counter in zip(norms, counters, strict=True)]
    with evaluation_mode(model):
        try:
            for norm in norms:
                norm.train()
                norm.momentum = 1.0
            yield
        finally:
            for norm, counter, (momentum, count) in zip(norms, counters, kept, strict=True):
                norm.momentum = momentum
                counter.copy_(count)
