"""What networks refuse: sizes that do not fit them, and norms that they cannot go without."""

from __future__ import annotations

from typing import get_args

from hsi.errors import UsageError, unknown_name
from hsi.layers.convolutions import Norm


def check_sizes(
    name: str,
    *,
    bands: int,
    classes: int,
    patch_size: int,
    norm: str,
    dropout: float,
    fewest_bands: int = 1,
    smallest_patch: int = 1,
    only_patch: int | None = None,
    has_norms: bool = True,
) -> None:
    """Refuse what a published network cannot be built for.

    Parameters
    ----------
    name : str
        Of the network.
    bands, classes, patch_size, norm, dropout
        What it is to be built for.
    fewest_bands, smallest_patch : int
        What its unpadded convolutions need.
    only_patch : int, optional
        The one side of a patch that there can be.
    has_norms : bool
        Whether its authors have norms in it. ``norm="batch"`` is a network as they have it, with
        norms or without; ``"none"`` is for those without.

    Raises
    ------
    UsageError
        If a size does not fit, and the message names the smallest that does; or if the network is
        to go without its norms.
    """
    if bands < fewest_bands:
        raise UsageError(
            f"{name} cannot work on {bands} bands or components: it needs at least {fewest_bands}"
        )
    if classes < 2:
        raise UsageError(f"{name} needs at least 2 classes to tell apart, not {classes}")
    if only_patch is not None and patch_size != only_patch:
        seen = (
            "the spectrum of one pixel" if only_patch == 1 else f"{only_patch}x{only_patch} pixels"
        )
        raise UsageError(
            f"{name} looks at {seen}: patch_size can only be {only_patch}, not {patch_size} "
            f"(--patch-size {only_patch})"
        )
    if patch_size < smallest_patch or patch_size % 2 == 0:
        raise UsageError(
            f"{name} cannot work on patches of side {patch_size}: the side must be odd (the pixel "
            f"is its centre) and at least {smallest_patch}"
        )
    if norm not in get_args(Norm):
        raise unknown_name("norm", norm, get_args(Norm))
    if norm == "none" and has_norms:
        raise UsageError(
            f"{name} has norms of its own and cannot go without\n"
            "Choose norm='batch' (--norm batch), or a network without, such as hybridsn."
        )
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout must be in [0, 1), not {dropout}")
