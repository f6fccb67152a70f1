"""How large a network is and how much it computes."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from hsi.models.network import PatchNetwork


def count_parameters(model: torch.nn.Module) -> int:
    """Return the number of trainable values of `model`."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def macs_per_patch(model: PatchNetwork) -> int:
    """Return the multiply-adds of the convolutions and linear layers for one patch.

    Norms, activations and additions of a bias are not counted, as papers do not count them.
    """
    device = next(model.parameters()).device
    # Two, since a single small input takes a detour on CPUs (see SpectralSpatialConv).
    patches = torch.zeros(2, model.bands, model.patch_size, model.patch_size, device=device)
    counter = FlopCounterMode(display=False)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), counter:
            model(patches)
    finally:
        model.train(was_training)
    # Of two patches, and the counter counts a multiplication and an addition as two.
    return counter.get_total_flops() // 4
