"""Augmentation of patches."""

from __future__ import annotations

import torch
from torch import Tensor

from hsi.errors import UsageError


def random_dihedral(patches: Tensor, generator: torch.Generator) -> Tensor:
    """Put each patch into one of the eight rotations and reflections of a square, at random.

    Nadir images have no preferred direction, and the centre pixel stays where it is.

    Parameters
    ----------
    patches : Tensor
        ``(N, C, p, p)`` on any device.
    generator : torch.Generator
        Decides; one draw for each patch. It may be on another device.

    Returns
    -------
    Tensor
        ``(N, C, p, p)``, new.

    Raises
    ------
    UsageError
        If the patches are not square.
    """
    if patches.ndim != 4 or patches.shape[2] != patches.shape[3]:
        raise UsageError(
            f"expected square patches (N, C, p, p), got a tensor of {tuple(patches.shape)}"
        )
    side = patches.shape[2]
    here = torch.arange(side * side, device=patches.device).view(side, side)
    turned = [torch.rot90(here, quarters) for quarters in range(4)]
    # (8, p * p): where each symmetry takes each pixel from
    sources = torch.stack([*turned, *(image.flip(1) for image in turned)]).flatten(1)
    draws = torch.randint(8, (len(patches),), generator=generator, device=generator.device)
    # One gather costs an eighth of the time of flips that are chosen between by a mask.
    index = sources[draws.to(patches.device)].unsqueeze(1).expand(-1, patches.shape[1], -1)
    return patches.flatten(2).gather(2, index).view_as(patches)
