"""Steps that several processes take together, each with its part of the batch."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from hsi.models import PatchNetwork
from hsi.training.batches import Batch
from hsi.training.in_step import drops_in_trunk, in_step
from hsi.training.loop import right_of
from hsi.training.part import part_of
from hsi.training.ranks import Ranks
from hsi.training.recipe import Recipe
from hsi.training.step import batch_loss, batch_scores

# Whether buffers are sent before each step, as PyTorch has called it since 2.13, and before.
_BUFFERS = "forward_sync_buffers"
if _BUFFERS not in inspect.signature(DistributedDataParallel).parameters:
    _BUFFERS = "broadcast_buffers"


class SharedSteps:
    """What a network learns from a batch, computed by all ranks.

    To rounding, loss, gradients, statistics and what is drawn at random are those of one process
    that computes all of the batch. Gradients are added up by PyTorch's `DistributedDataParallel`.

    Parameters
    ----------
    model : PatchNetwork
        On its device; all ranks then have the weights of the first.
    padded : Tensor
        ``(bands, rows + p - 1, cols + p - 1)``, from `pad_scene`.
    recipe : Recipe
        Augmentation and loss.
    ranks : Ranks
        Who they are.
    """

    def __init__(
        self, model: PatchNetwork, padded: Tensor, *, recipe: Recipe, ranks: Ranks
    ) -> None:
        self.recipe, self.ranks = recipe, ranks
        self.cut = not drops_in_trunk(model)
        buffers: dict[str, Any] = {_BUFFERS: False}  # they are equal: norms are in step
        self.parallel = DistributedDataParallel(
            _Scores(model, padded, recipe=recipe, ranks=ranks),
            **buffers,
            # Weights that a network does not use are left alone, as in one process. And gradients
            # are added up in the order of the weights from the first step on, not in that in which
            # they came: a training that goes on from a state adds them up in the same order.
            find_unused_parameters=True,
        )

    def learn(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor, int]:
        """Return loss, right pixels and pixels of this rank's part.

        The mean of the loss over all ranks is that of the batch; `DistributedDataParallel` takes
        the mean of its gradients.
        """
        part = part_of(batch, rank=self.ranks.rank, size=self.ranks.size, cut=self.cut)
        scores: Tensor = self.parallel(part, generator)
        loss = batch_loss(scores, part, label_smoothing=self.recipe.label_smoothing)
        return loss * self.ranks.size, right_of(scores, part.truth), len(part.truth)


class _Scores(nn.Module):
    """`batch_scores` as a module, which is what can be parallel."""

    def __init__(
        self, model: PatchNetwork, padded: Tensor, *, recipe: Recipe, ranks: Ranks
    ) -> None:
        super().__init__()
        self.model, self.padded, self.recipe, self.ranks = model, padded, recipe, ranks
        # With it, PyTorch does not complain that unused weights were looked for in vain.
        self.unused = nn.Parameter(padded.new_zeros(()))

    def forward(self, part: Batch, generator: torch.Generator) -> Tensor:
        with in_step(self.model, part, summed=self.ranks.summed):
            return batch_scores(
                self.model,
                self.padded,
                part,
                augmentation=self.recipe.augmentation,
                generator=generator,
            )
