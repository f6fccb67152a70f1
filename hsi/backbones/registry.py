"""The image networks by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

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
from hsi.backbones.weights import Weights, load_weights
from hsi.errors import UsageError, check_name, check_truth_value, check_whole_number
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
# The networks of `hsi.models` besides: known here to say what they are for.
FOR_SCENES = (
    "hybridsn",
    "hybridsn-dw",
    "hybridsn-2d3d",
    "hybridsn-se",
    "hybridsn-eca",
    "cnn1d-hu",
    "rnn-mou",
    "cnn3d-hamida",
    "cnn3d-li",
    "cnn3d-chen",
    "contextual-lee",
    "m3d-he",
    "ssrn",
    "a2s2k",
    "ssftt",
    "spectralformer",
    "svm",
    "random-forest",
    "knn",
    "logistic-regression",
)


def build_backbone(
    name: str,
    *,
    channels: int = 3,
    classes: int = 1000,
    attention: str | AttentionFactory | None = None,
    small_stem: bool = False,
    weights: Weights | None = None,
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
    weights : str, path or mapping, optional
        ``"imagenet"`` for the published ones, a ``.pth`` or ``.safetensors`` file, or tensors by
        name; see `hsi.backbones.load_weights`. Fresh weights without.

    Returns
    -------
    Backbone
        Takes ``(N, channels, h, w)``, returns logits ``(N, classes)``. Its `loaded` says what was
        loaded.

    Raises
    ------
    UsageError
        If a name is unknown, or a number or type impossible.
    WeightsError
        If the weights cannot be had, are damaged, lack anything but the classifier and attention,
        or are of another network.

    Examples
    --------
    >>> network = build_backbone("lenet5", channels=1, classes=10)
    >>> sum(weight.numel() for weight in network.parameters())
    61706
    """
    if name in FOR_SCENES:
        raise UsageError(
            f"'{name}' is a network for scenes: `hsi train --model {name}`, hsi.build_model\n"
            "For photographs take an image network such as resnet18; `hsi models` lists them."
        )
    check_name("backbone", name, BACKBONES, listed_by="hsi models")
    check_whole_number("channels", channels)
    check_whole_number("classes", classes)
    check_truth_value("small_stem", small_stem)
    if channels < 1:
        raise UsageError(f"{name} needs at least one channel, not {channels}")
    if classes < 1:
        raise UsageError(f"{name} needs at least one class, not {classes}")
    make_attention = attention_factory(attention)
    made: list[nn.Module] = []

    def remembered(width: int) -> nn.Module:
        assert make_attention is not None
        made.append(make_attention(width))
        return made[-1]

    network = BACKBONES[name](
        channels=channels,
        classes=classes,
        attention=remembered if make_attention else None,
        small_stem=small_stem,
    )
    blocks = set(map(id, made))
    network.attention_blocks = tuple(
        name for name, module in network.named_modules() if id(module) in blocks
    )
    if weights is not None:
        network.loaded = load_weights(network, weights, name=name)
    return network
