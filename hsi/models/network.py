"""What every hyperspectral network is: a trunk for the scene and a head for each pixel."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor, nn

from hsi.backbones import LoadedWeights
from hsi.errors import UsageError


class PatchNetwork(nn.Module):
    """A classifier of patches, ``(N, bands, p, p) -> (N, classes)`` logits.

    The trunk holds what may be computed once for a whole scene: layers without padding and with
    stride 1, and layers that act on each position alone. Then the trunk of a patch is a window of
    the trunk of the padded scene, and only the head has to be computed for each pixel::

        trunk(patch around u)  ==  the k x k window around u of  trunk(scene padded by p // 2)

    A network that cannot keep this rule has an `nn.Identity` as trunk and receptive field 1.

    Parameters
    ----------
    trunk, head : nn.Module
        The two parts; the head takes windows ``(N, channels, k, k)``.
    bands, classes, patch_size : int
        Sizes of input and output.
    receptive_field : int
        Side of the square of pixels that one position of the trunk's output sees.

    Attributes
    ----------
    loaded : LoadedWeights or None
        What was loaded into it; None for fresh weights.
    """

    loaded: LoadedWeights | None = None

    def __init__(
        self,
        *,
        trunk: nn.Module,
        head: nn.Module,
        bands: int,
        classes: int,
        patch_size: int,
        receptive_field: int,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = head
        self.bands = bands
        self.classes = classes
        self.patch_size = patch_size
        self.receptive_field = receptive_field

    @property
    def window_size(self) -> int:
        """Side ``k`` of the window of the trunk's output that belongs to one patch."""
        return self.patch_size - self.receptive_field + 1

    @property
    def anchor(self) -> Tensor:
        """A tensor of the network, which tells on what device and in what type it computes.

        The first weight; without any, the first buffer of floats.
        """
        tensors = chain(self.parameters(), self.buffers())
        return next((each for each in tensors if each.is_floating_point()), torch.empty(0))

    @property
    def has_trunk(self) -> bool:
        """Whether a scene can be convolved once instead of once for each pixel."""
        return not isinstance(self.trunk, nn.Identity)

    def forward(self, patches: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of `patches` ``(N, bands, p, p)``."""
        expected = (self.bands, self.patch_size, self.patch_size)
        if patches.ndim != 4 or tuple(patches.shape[1:]) != expected:
            raise UsageError(
                f"patches have shape {tuple(patches.shape)}; this network was built for "
                f"(N, {', '.join(map(str, expected))}) = (N, bands, patch_size, patch_size)"
            )
        return self.head(self.trunk(patches))
