"""What each network is usually given: the side of its patches, the form of the bands, a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ReductionName = Literal["pca", "bands"]
"""``"pca"``: principal components (`hsi.sampling.BandPCA`); ``"bands"``: all bands, each scaled to
zero mean and unit variance (`hsi.sampling.BandScaler`)."""


@dataclass(frozen=True, kw_only=True)
class Usual:
    """What a network is given if nothing else is said.

    Attributes
    ----------
    patch_size : int
        Side of a patch in pixels.
    reduction : {"pca", "bands"}
        What becomes of the bands.
    recipe : mapping
        Settings of the recipe, by name, in which the network's differ from the default recipe's.
    """

    patch_size: int = 25
    reduction: ReductionName = "pca"
    recipe: Mapping[str, Any] = field(default_factory=dict)


# Networks that are not named here have the defaults.
USUAL: dict[str, Usual] = {}


def usual(model: str) -> Usual:
    """Return what the network `model` is usually given.

    Examples
    --------
    >>> usual("hybridsn").patch_size, usual("hybridsn").reduction
    (25, 'pca')
    """
    return USUAL.get(model, Usual())
