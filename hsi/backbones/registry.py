"""The image networks by name."""

from __future__ import annotations

from collections.abc import Callable

from hsi.backbones import (
    densenet,
    efficientnet,
    lenet,
    mobilenet_v1,
    mobilenet_v2,
    resnet,
    shufflenet_v1,
    shufflenet_v2,
)
from hsi.backbones.network import AttentionFactory, Backbone
from hsi.errors import UsageError, unknown_name

BACKBONES: dict[str, Callable[..., Backbone]] = {
    **lenet.VARIANTS,
    **resnet.VARIANTS,
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
) -> Backbone:
    """Build an image network with fresh weights.

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

    Returns
    -------
    Backbone
        Takes ``(N, channels, h, w)``, returns logits ``(N, classes)``.

    Raises
    ------
    UsageError
        If a name is unknown or a number impossible.

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
    return BACKBONES[name](
        channels=channels,
        classes=classes,
        attention=_factory(attention) if isinstance(attention, str) else attention,
        small_stem=small_stem,
    )


def _factory(name: str) -> AttentionFactory:
    """Return the function that makes the attention block `name` for a number of channels."""
    from hsi.layers.attention import build_attention

    return lambda channels: build_attention(name, channels=channels)
