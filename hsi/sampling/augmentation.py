"""Augmentation: the eight rotations and reflections of a square, of patches or of a whole scene."""

from __future__ import annotations

import torch
from torch import Tensor

from hsi.errors import UsageError


def random_dihedral(
    patches: Tensor, generator: torch.Generator, *, part: tuple[Tensor, int] | None = None
) -> Tensor:
    """Put each patch into one of the eight rotations and reflections of a square, at random.

    Nadir images have no preferred direction, and the centre pixel stays where it is.

    Parameters
    ----------
    patches : Tensor
        ``(N, C, p, p)`` on any device.
    generator : torch.Generator
        Decides; one draw for each patch. It may be on another device.
    part : tuple of Tensor and int, optional
        If these are part of a batch: ``(N,)`` which of its patches they are, and how many it has.
        Each is then put as it would be among all of them.

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
    # (8, p * p): where each symmetry takes each pixel from
    sources = torch.stack([turned(here, symmetry) for symmetry in range(8)]).flatten(1)
    places, whole = part or (None, len(patches))
    draws = torch.randint(8, (whole,), generator=generator, device=generator.device)
    if places is not None:
        draws = draws[places.to(draws.device)]
    # One gather costs an eighth of the time of flips that are chosen between by a mask.
    index = sources[draws.to(patches.device)].unsqueeze(1).expand(-1, patches.shape[1], -1)
    return patches.flatten(2).gather(2, index).view_as(patches)


def turned(maps: Tensor, symmetry: int) -> Tensor:
    """Return maps ``(..., H, W)`` in one of the eight orientations, 0 (as they are) to 7.

    The first four are counter-clockwise quarter turns, the others the same and mirrored.
    """
    maps = torch.rot90(maps, symmetry % 4, (-2, -1))
    return maps.flip(-1) if symmetry >= 4 else maps


def turned_places(
    rows: Tensor, cols: Tensor, shape: tuple[int, int], symmetry: int
) -> tuple[Tensor, Tensor]:
    """Return where pixels of a map of `shape` lie in the map that `turned` makes of it.

    Examples
    --------
    >>> image = torch.arange(6).view(2, 3)
    >>> row, col = turned_places(torch.tensor(0), torch.tensor(2), (2, 3), symmetry=5)
    >>> turned(image, 5)[row, col] == image[0, 2]
    tensor(True)
    """
    height, width = shape
    for _ in range(symmetry % 4):
        rows, cols, height, width = width - 1 - cols, rows, width, height
    return rows, (width - 1 - cols if symmetry >= 4 else cols)
