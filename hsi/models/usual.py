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
USUAL: dict[str, Usual] = {
    "cnn1d-hu": Usual(patch_size=1, reduction="bands", recipe={"dropout": 0.0}),
    "rnn-mou": Usual(patch_size=1, reduction="bands", recipe={"batch_size": 128, "dropout": 0.0}),
    "cnn3d-hamida": Usual(
        patch_size=5, reduction="bands", recipe={"batch_size": 128, "dropout": 0.0}
    ),
    "cnn3d-li": Usual(patch_size=5, reduction="bands", recipe={"batch_size": 128, "dropout": 0.0}),
    # To learn from a patch of 200 bands takes a core a quarter of a second: small steps. Its last
    # layer sums up so many values that larger rates throw it about.
    "cnn3d-chen": Usual(
        patch_size=27,
        reduction="bands",
        recipe={"batch_size": 8, "steps": 200, "learning_rate": 2e-4, "dropout": 0.5},
    ),
    "contextual-lee": Usual(
        patch_size=5, reduction="bands", recipe={"batch_size": 128, "dropout": 0.5}
    ),
    "m3d-he": Usual(patch_size=7, reduction="bands", recipe={"batch_size": 64, "dropout": 0.6}),
    # Deep, with a norm after each convolution: it is many steps that they need, not large ones.
    "ssrn": Usual(
        patch_size=7,
        reduction="bands",
        recipe={"batch_size": 16, "steps": 600, "dropout": 0.5},
    ),
    "a2s2k": Usual(
        patch_size=9,
        reduction="bands",
        recipe={"batch_size": 16, "steps": 600, "dropout": 0.0},
    ),
    "ssftt": Usual(patch_size=13, recipe={"dropout": 0.1}),
    "spectralformer": Usual(
        patch_size=7,
        reduction="bands",
        recipe={"batch_size": 64, "learning_rate": 3e-3, "dropout": 0.1},
    ),
    "svm": Usual(patch_size=1, reduction="bands"),
    "random-forest": Usual(patch_size=1, reduction="bands"),
    "knn": Usual(patch_size=1, reduction="bands"),
    "logistic-regression": Usual(patch_size=1, reduction="bands"),
}


def usual(model: str) -> Usual:
    """Return what the network `model` is usually given.

    Examples
    --------
    >>> usual("hybridsn").patch_size, usual("hybridsn").reduction
    (25, 'pca')
    """
    return USUAL.get(model, Usual())
