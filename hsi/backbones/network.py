"""What every backbone is: an image network that says where its first and its last layer are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from hsi.layers.mode import evaluation_mode
from hsi.layers.placing import AttentionFactory

if TYPE_CHECKING:
    from hsi.backbones.weights import LoadedWeights

__all__ = ["AttentionFactory", "Backbone", "why_not"]


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
    attention_blocks : tuple of str
        Dotted names of the attention blocks that were asked for when it was built; not of those
        that are part of the network.
    """

    first_layer: str
    last_layer: str
    loaded: LoadedWeights | None = None
    attention_blocks: tuple[str, ...] = ()


def why_not(network: Backbone, *, channels: int, side: int) -> str | None:
    """Return why images of `side` x `side` do not go through `network`, or None if they do.

    PyTorch says so in the words of the layer that fails; there is no other way to ask.
    """
    with evaluation_mode(network), torch.no_grad():
        try:
            network(torch.zeros(1, channels, side, side))
        except RuntimeError as error:
            return str(error).splitlines()[0]
    return None
