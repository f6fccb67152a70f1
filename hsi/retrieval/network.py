"""Two branches into one space.

L. Zhen, P. Hu, X. Wang, D. Peng, "Deep Supervised Cross-Modal Retrieval", CVPR 2019,
https://openaccess.thecvf.com/content_CVPR_2019/html/Zhen_Deep_Supervised_Cross-Modal_Retrieval_CVPR_2019_paper.html

Each modality has a branch of its own, and the last two linear layers are the same for both: the
first leads into the common space, the second from there to the classes. The branches of the paper
get features of pretrained networks; here they get patches, for which two convolutions come first.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

Modality = Literal["first", "second"]
MODALITIES: tuple[Modality, Modality] = ("first", "second")

CHANNELS = (64, 128)
"""Of the convolutions of a branch; a small patch has room for one or none of them."""
WIDTH = 1024
"""Values that a branch makes of a patch; 2048 in the paper."""


def other_modality(modality: Modality) -> Modality:
    """Return the modality that is not this one."""
    return "second" if modality == "first" else "first"


class PatchBranch(nn.Sequential):
    """What one modality has for itself, ``(N, bands, p, p) -> (N, width)``.

    Unpadded convolutions of 3x3, as many of `CHANNELS` as the patch has room for, then a linear
    layer on all that is left of it. A patch of one pixel, a vector of features, goes through the
    linear layer alone, as in the paper.

    Parameters
    ----------
    bands, patch_size, width : int
        Sizes as above.
    """

    def __init__(self, *, bands: int, patch_size: int, width: int = WIDTH) -> None:
        layers: list[nn.Module] = []
        channels, side = bands, patch_size
        for more in CHANNELS:
            if side >= 3:
                layers += [nn.Conv2d(channels, more, 3), nn.ReLU()]
                channels, side = more, side - 2
        layers += [nn.Flatten(), nn.Linear(channels * side * side, width), nn.ReLU()]
        super().__init__(*layers)


class CrossModalNetwork(nn.Module):
    """Two branches and the two linear layers that they share.

    Parameters
    ----------
    first, second : nn.Module
        The branches, each from a batch of its modality to ``(N, width)``.
    width, dimensions, classes : int
        Values of a branch's output, of the common space, and of the labels.
    """

    def __init__(
        self, *, first: nn.Module, second: nn.Module, width: int, dimensions: int, classes: int
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleDict({"first": first, "second": second})
        self.to_space = nn.Linear(width, dimensions)
        self.to_classes = nn.Linear(dimensions, classes)

    def embed(self, modality: Modality, batch: Tensor) -> Tensor:
        """Return the places ``(N, dimensions)`` of a batch in the common space."""
        placed: Tensor = self.to_space(self.branches[modality](batch))
        return placed

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the places of both batches, and the predicted labels ``(N, classes)`` of both."""
        u, v = self.embed("first", first), self.embed("second", second)
        return u, v, self.to_classes(u), self.to_classes(v)


def cross_modal_network(
    *, first_bands: int, second_bands: int, patch_size: int, dimensions: int, classes: int
) -> CrossModalNetwork:
    """Return a network for patches of two rasters, or with ``patch_size=1`` for two arrays."""
    return CrossModalNetwork(
        first=PatchBranch(bands=first_bands, patch_size=patch_size),
        second=PatchBranch(bands=second_bands, patch_size=patch_size),
        width=WIDTH,
        dimensions=dimensions,
        classes=classes,
    )
