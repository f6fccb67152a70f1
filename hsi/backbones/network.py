"""What every backbone is: an image network that says where its first and its last layer are."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

# From a number of channels to a block ``(N, C, h, w) -> (N, C, h, w)``.
AttentionFactory = Callable[[int], nn.Module]


class Backbone(nn.Module):
    """A classifier of images, ``(N, channels, h, w) -> (N, classes)`` logits.

    Attributes
    ----------
    first_layer : str
        Dotted name of the convolution that sees the image: what another number of channels adapts.
    last_layer : str
        Dotted name of the linear layer that makes the scores: what another number of classes
        replaces, and what is trained when features are frozen.
    """

    first_layer: str
    last_layer: str
