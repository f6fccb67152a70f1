"""The scores of a batch, patch by patch or with one trunk pass over the regions that hold it."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from hsi.layers import coverage, gather_windows, sampled_patches
from hsi.models import PatchNetwork
from hsi.sampling import random_dihedral, turned, turned_places
from hsi.training.batches import Batch

Augmentation = Literal["none", "dihedral"]


def batch_scores(
    model: PatchNetwork,
    padded: Tensor,
    batch: Batch,
    *,
    augmentation: Augmentation,
    generator: torch.Generator,
) -> Tensor:
    """Return the logits ``(N, classes)`` of a batch, differentiable.

    Both ways give the same logits and gradients to rounding. They differ in the augmentation:
    patches are turned one by one, a region is turned with all patches in it.

    Parameters
    ----------
    model : PatchNetwork
        In training mode, on the device of `padded`.
    padded : Tensor
        ``(bands, rows + p - 1, cols + p - 1)``, from `pad_scene`.
    batch : Batch
        The pixels.
    augmentation : {"none", "dihedral"}
        Whether anything is turned at all.
    generator : torch.Generator
        Decides.
    """
    turning = augmentation == "dihedral"
    if batch.corners is None:
        patches = gather_windows(padded, batch.rows, batch.cols, model.patch_size)
        part = (batch.part.places, batch.part.pixels) if batch.part else None
        return model(random_dihedral(patches, generator, part=part) if turning else patches)
    symmetry = int(torch.randint(8, (1,), generator=generator)) if turning else 0
    return region_scores(model, padded, batch, symmetry=symmetry)


def region_scores(
    model: PatchNetwork, padded: Tensor, batch: Batch, *, symmetry: int = 0
) -> Tensor:
    """Return the logits ``(N, classes)`` of a batch from one trunk pass over its regions.

    Equal, with gradients and running statistics, to ``model(patches)`` of the same pixels' patches
    turned by `symmetry`.
    """
    assert batch.corners is not None
    assert batch.regions is not None
    height, width = (side + model.patch_size - 1 for side in batch.size)
    regions = torch.stack(
        [padded[:, r : r + height, c : c + width] for r, c in batch.corners.tolist()]
    )
    regions = turned(regions, symmetry)
    rows, cols = turned_places(batch.rows, batch.cols, batch.size, symmetry)
    size = batch.size if symmetry % 2 == 0 else batch.size[::-1]
    sampled = torch.zeros(len(regions), *size, dtype=torch.int64, device=padded.device)
    one = sampled.new_ones(()).expand(len(rows))
    sampled.index_put_((batch.regions, rows, cols), one, accumulate=True)
    # Nothing that no patch sees may matter, not even by 0 times infinity.
    seen = coverage(sampled, model.patch_size)[:, None] > 0
    regions = torch.where(seen, regions, regions.new_zeros(()))
    regions = regions.contiguous(memory_format=torch.channels_last)
    with sampled_patches(model.trunk, sampled):
        features = model.trunk(regions)
    windows = gather_windows(features, rows, cols, model.window_size, regions=batch.regions)
    scores: Tensor = model.head(windows)
    return scores


def batch_loss(scores: Tensor, batch: Batch, *, label_smoothing: float) -> Tensor:
    """Return the cross-entropy of a batch under the weights of its classes.

    That of a part is what it adds to that of the whole batch.
    Classes of the network beyond the last one that has weights are those without training pixels.
    """
    weights = batch.class_weights.to(scores.dtype)
    weights = F.pad(weights, (0, scores.shape[1] - len(weights)))
    if batch.part:
        total = F.cross_entropy(
            scores, batch.truth, weight=weights, label_smoothing=label_smoothing, reduction="sum"
        )
        return total / batch.part.weight.to(total.dtype)
    return F.cross_entropy(scores, batch.truth, weight=weights, label_smoothing=label_smoothing)
