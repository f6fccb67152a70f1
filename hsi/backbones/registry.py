"""The image networks by name."""

from __future__ import annotations

import os
from collections.abc import Callable

from hsi.backbones import (
    alexnet,
    attention_resnet,
    densenet,
    efficientnet,
    googlenet,
    lenet,
    mobilenet_v1,
    mobilenet_v2,
    preresnet,
    resnet,
    resnext,
    shufflenet_v1,
    shufflenet_v2,
    vgg,
)
from hsi.backbones.network import AttentionFactory, Backbone
from hsi.backbones.weights import load_weights
from hsi.errors import UsageError, unknown_name
from hsi.layers.attention import attention_factory

BACKBONES: dict[str, Callable[..., Backbone]] = {
    **lenet.VARIANTS,
    **alexnet.VARIANTS,
    **vgg.VARIANTS,
    **googlenet.VARIANTS,
    **resnet.VARIANTS,
    **preresnet.VARIANTS,
    **resnext.VARIANTS,
    **attention_resnet.VARIANTS,
    **densenet.VARIANTS,
    **mobilenet_v1.VARIANTS,
    **mobilenet_v2.VARIANTS,
    **shufflenet_v1.VARIANTS,
    **shufflenet_v2.VARIANTS,
    **efficientnet.VARIANTS,
}


def build_backbone(
    name: str,
    *,
    channels: int = 3,
    classes: int = 1000,
    attention: str | AttentionFactory | None = None,
    small_stem: bool = False,
    weights: str | os.PathLike[str] | None = None,
) -> Backbone:
    """Build an image network.

    Parameters
    ----------
    name : str
        A key of `BACKBONES`.
    channels : int
        Channels of an image: 3 for photographs, the number of components otherwise.
    classes : int
        Number of classes.
    attention : str or callable, optional
        Name of an attention block (see `hsi.build_attention`), or a function from a number of
        channels to a module that keeps the shape. Each family says where it acts.
    small_stem : bool
        Keep the first layers at full resolution, for images of about 32x32.
    weights : str or path, optional
        ``"imagenet"`` for the published ones, or a ``.pth`` or ``.safetensors`` file; see
        `hsi.backbones.load_weights`. Fresh weights without.

    Returns
    -------
    Backbone
        Takes ``(N, channels, h, w)``, returns logits ``(N, classes)``. Its `loaded` says what was
        loaded.

    Raises
    ------
    UsageError
        If a name is unknown or a number impossible.
    WeightsError
        If the weights cannot be had, are damaged, or are of another network.

    Examples
    --------
    >>> network = build_backbone("lenet5", channels=1, classes=10)
    >>> sum(weight.numel() for weight in network.parameters())
    61706
    """
    if name not in BACKBONES:
        raise unknown_name("backbone", name, BACKBONES)
    if channels < 1:
        raise UsageError(f"{name} needs at least one channel, not {channels}")
    if classes < 1:
        raise UsageError(f"{name} needs at least one class, not {classes}")
    network = BACKBONES[name](
        channels=channels,
        classes=classes,
        attention=attention_factory(attention),
        small_stem=small_stem,
    )
    if weights is not None:
        network.loaded = load_weights(network, weights, name=name)
    return network
