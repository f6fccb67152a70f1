"""What every backbone is: an image network that says where its first and its last layer are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from hsi.layers.placing import AttentionFactory

if TYPE_CHECKING:
    from hsi.backbones.weights import LoadedWeights

__all__ = ["AttentionFactory", "Backbone"]


class Backbone(nn.Module):
    """A classifier of images, ``(N, channels, h, w) -> (N, classes)`` logits.

    Attributes
    ----------
    first_layer : str
        Dotted name of the convolution that sees the image: what another number of channels adapts.
    last_layer : str
        Dotted name of the linear layer that makes the scores: what another number of classes
        replaces, and what is trained when features are frozen.
    loaded : LoadedWeights or None
        What was loaded into it; None for fresh weights.
    """

    first_layer: str
    last_layer: str
    loaded: LoadedWeights | None = None
