"""DenseNet: every layer of a block sees what all layers before it have made.

Huang, Liu, van der Maaten, Weinberger (2017), "Densely Connected Convolutional Networks",
https://arxiv.org/abs/1608.06993::

    stage          output of 224x224    121   161   169   201     layers in each dense block
    7x7, pool      56x56
    dense block 1  56x56                  6     6     6     6     then transition: 1x1 to half the
    dense block 2  28x28                 12    12    12    12     channels, 2x2 mean
    dense block 3  14x14                 24    36    32    48
    dense block 4  7x7                   16    24    32    32
    mean, linear   classes

    growth rate (161: 48, the others 32); a dense layer is norm, ReLU, 1x1 to four times the growth
    rate, norm, ReLU, 3x3 to the growth rate
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hsi.backbones.network import AttentionFactory, Backbone
from hsi.layers.conv_norm import same_conv

# The width of the 1x1 convolution in a dense layer, in growth rates.
BOTTLENECK = 4


class DenseLayer(nn.Sequential):
    """From the maps so far, ``(N, C_i, h, w)`` each, to one more, ``(N, growth, h, w)``."""

    def __init__(self, in_channels: int, growth: int) -> None:
        wide = BOTTLENECK * growth
        layers = {
            "norm1": nn.BatchNorm2d(in_channels),
            "relu1": nn.ReLU(inplace=True),
            "conv1": same_conv(in_channels, wide, size=1),
            "norm2": nn.BatchNorm2d(wide),
            "relu2": nn.ReLU(inplace=True),
            "conv2": same_conv(wide, growth, size=3),
        }
        super().__init__(OrderedDict(layers))

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Make one more map of `maps`."""
        return super().forward(torch.cat(maps, dim=1))


class DenseBlock(nn.Sequential):
    """Dense layers one after the other: ``(N, C, h, w) -> (N, C + layers * growth, h, w)``."""

    def __init__(self, in_channels: int, *, layers: int, growth: int) -> None:
        named = {
            f"denselayer{i + 1}": DenseLayer(in_channels + i * growth, growth)
            for i in range(layers)
        }
        super().__init__(OrderedDict(named))

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` and the maps of all layers, one behind the other."""
        maps = [x]
        for layer in self:
            maps.append(layer(maps))
        return torch.cat(maps, dim=1)


def transition(in_channels: int, out_channels: int) -> nn.Sequential:
    """Return the way to the next block: ``(N, C, h, w) -> (N, out, h / 2, w / 2)``."""
    layers = {
        "norm": nn.BatchNorm2d(in_channels),
        "relu": nn.ReLU(inplace=True),
        "conv": same_conv(in_channels, out_channels, size=1),
        "pool": nn.AvgPool2d(2),
    }
    return nn.Sequential(OrderedDict(layers))


class DenseNet(Backbone):
    """DenseNet with four dense blocks; state-dict keys are torchvision's.

    Parameters
    ----------
    layers : tuple of int
        Dense layers in each block.
    growth : int
        Channels that each layer adds.
    stem_channels : int
        Channels of the first convolution.
    channels, classes : int
        Sizes of input and output.
    attention : callable, optional
        From a number of channels to a block that stands behind each dense block.
    small_stem : bool
        For small images: the first convolution is 3x3 with stride 1, as in the paper's networks for
        32x32 images, and there is no pooling behind it.
    """

    first_layer = "features.conv0"
    last_layer = "classifier"

    def __init__(
        self,
        *,
        layers: tuple[int, int, int, int],
        growth: int,
        stem_channels: int,
        channels: int = 3,
        classes: int = 1000,
        attention: AttentionFactory | None = None,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        size, stride = (3, 1) if small_stem else (7, 2)
        self.features = nn.Sequential()
        self.features.add_module(
            "conv0", same_conv(channels, stem_channels, size=size, stride=stride)
        )
        self.features.add_module("norm0", nn.BatchNorm2d(stem_channels))
        self.features.add_module("relu0", nn.ReLU(inplace=True))
        if not small_stem:
            self.features.add_module("pool0", nn.MaxPool2d(3, stride=2, padding=1))
        width = stem_channels
        for number, depth in enumerate(layers, start=1):
            if number > 1:
                self.features.add_module(f"transition{number - 1}", transition(width, width // 2))
                width //= 2
            block = DenseBlock(width, layers=depth, growth=growth)
            self.features.add_module(f"denseblock{number}", block)
            width += depth * growth
            if attention is not None:
                self.features.add_module(f"attention{number}", attention(width))
        self.features.add_module("norm5", nn.BatchNorm2d(width))
        self.classifier = nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of `images` ``(N, channels, h, w)``."""
        x = F.relu(self.features(images), inplace=True)  # (N, C, h / 32, w / 32)
        return self.classifier(x.mean(dim=(2, 3)))


VARIANTS: dict[str, Callable[..., Backbone]] = {
    "densenet121": partial(DenseNet, layers=(6, 12, 24, 16), growth=32, stem_channels=64),
    "densenet161": partial(DenseNet, layers=(6, 12, 36, 24), growth=48, stem_channels=96),
    "densenet169": partial(DenseNet, layers=(6, 12, 32, 32), growth=32, stem_channels=64),
    "densenet201": partial(DenseNet, layers=(6, 12, 48, 32), growth=32, stem_channels=64),
}
