"""GoogLeNet: nine inception modules, and two auxiliary heads while training.

Szegedy et al. (2015), "Going Deeper with Convolutions", https://arxiv.org/abs/1409.4842, with batch
norm instead of response normalisation. Output sizes for 224x224::

    layers                                     output (channels, h, w)
    7x7 convolution, stride 2                  64, 112, 112
    3x3 maximum, stride 2                      64, 56, 56
    1x1 and 3x3 convolution                    192, 56, 56
    3x3 maximum, stride 2                      192, 28, 28
    inception 3a, 3b                           480, 28, 28
    3x3 maximum, stride 2                      480, 14, 14
    inception 4a to 4e                         832, 14, 14
    2x2 maximum, stride 2                      832, 7, 7
    inception 5a, 5b                           1024, 7, 7
    mean over positions, dropout, linear       classes

Attention acts on the output of each inception module. The small stem is a 3x3 convolution of stride
1 without pooling.
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from hsi.backbones.network import AttentionFactory, Backbone
from hsi.errors import UsageError
from hsi.layers.inception import STD, Inception, InceptionConv

# (name, 1x1, (1x1, 3x3), (1x1, second 3x3), pooled): channels of the branches, the paper's table
MODULES: tuple[tuple[str, int, tuple[int, int], tuple[int, int], int], ...] = (
    ("3a", 64, (96, 128), (16, 32), 32),
    ("3b", 128, (128, 192), (32, 96), 64),
    ("4a", 192, (96, 208), (16, 48), 64),
    ("4b", 160, (112, 224), (24, 64), 64),
    ("4c", 128, (128, 256), (24, 64), 64),
    ("4d", 112, (144, 288), (32, 64), 64),
    ("4e", 256, (160, 320), (32, 128), 128),
    ("5a", 256, (160, 320), (32, 128), 128),
    ("5b", 384, (192, 384), (48, 128), 128),
)
# Modules after which a maximum of this size and stride 2 is taken.
POOLED = {"3b": 3, "4e": 2}
# Modules that an auxiliary head listens to.
HEARD = ("4a", "4d")
DROPOUT = 0.2
AUXILIARY_CHANNELS = 128
AUXILIARY_SIDE = 4
AUXILIARY_HIDDEN = 1024
AUXILIARY_DROPOUT = 0.7


class Scores(NamedTuple):
    """Logits ``(N, classes)`` of the network and of its auxiliary heads."""

    main: Tensor
    first: Tensor
    second: Tensor


class AuxiliaryHead(nn.Module):
    """A classifier of features inside the network, ``(N, C, h, w) -> (N, classes)``."""

    def __init__(self, in_channels: int, classes: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(AUXILIARY_SIDE)
        self.conv = InceptionConv(in_channels, AUXILIARY_CHANNELS, size=1)
        self.fc1 = _linear(AUXILIARY_CHANNELS * AUXILIARY_SIDE**2, AUXILIARY_HIDDEN)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(AUXILIARY_DROPOUT)
        self.fc2 = _linear(AUXILIARY_HIDDEN, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        x = self.conv(self.pool(x)).flatten(1)  # (N, 128 * 4 * 4)
        return self.fc2(self.dropout(self.relu(self.fc1(x))))


class GoogLeNet(Backbone):
    """GoogLeNet; state-dict keys are torchvision's.

    Parameters
    ----------
    channels, classes : int
        Sizes of input and output.
    auxiliary : bool
        Add the two heads whose losses, each times 0.3, are added to that of the network in the
        paper's training. `with_auxiliary` returns their scores.
    attention : AttentionFactory, optional
        Makes the attention block of each inception module.
    small_stem : bool
        For images much smaller than 224x224.
    """

    first_layer = "conv1.conv"
    last_layer = "fc"

    def __init__(
        self,
        *,
        channels: int = 3,
        classes: int = 1000,
        auxiliary: bool = False,
        attention: AttentionFactory | None = None,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        size, stride = (3, 1) if small_stem else (7, 2)
        self.conv1 = InceptionConv(channels, 64, size=size, stride=stride)
        self.maxpool1 = nn.Identity() if small_stem else nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2 = InceptionConv(64, 64, size=1)
        self.conv3 = InceptionConv(64, 192, size=3)
        self.maxpool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        before = 192
        heard = []
        for name, point, small, large, pooled in MODULES:
            module = Inception(
                before, point=point, small=small, large=large, pooled=pooled, attention=attention
            )
            self.add_module(f"inception{name}", module)
            before = module.out_channels
            if name in HEARD:
                heard.append(before)
        self.auxiliary = auxiliary
        if auxiliary:
            self.aux1, self.aux2 = (AuxiliaryHead(each, classes) for each in heard)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(DROPOUT)
        self.fc = _linear(before, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of `images` ``(N, channels, h, w)``."""
        return self._scores(images, heard=[])

    def with_auxiliary(self, images: Tensor) -> Scores:
        """Return the logits ``(N, classes)`` of all three heads.

        Raises
        ------
        UsageError
            If the network was built without auxiliary heads.
        """
        if not self.auxiliary:
            raise UsageError("this GoogLeNet has no auxiliary heads; build it with auxiliary=True")
        heard: list[Tensor] = []
        main = self._scores(images, heard=heard)
        return Scores(main, self.aux1(heard[0]), self.aux2(heard[1]))

    def _scores(self, images: Tensor, *, heard: list[Tensor]) -> Tensor:
        """Return the logits; append to `heard` what the auxiliary heads listen to."""
        x = self.maxpool1(self.conv1(images))  # (N, 64, h / 4, w / 4)
        x = self.maxpool2(self.conv3(self.conv2(x)))  # (N, 192, h / 8, w / 8)
        for name, *_ in MODULES:
            x = self.get_submodule(f"inception{name}")(x)
            if name in HEARD:
                heard.append(x)
            if name in POOLED:
                x = F.max_pool2d(x, POOLED[name], stride=2, ceil_mode=True)
        return self.fc(self.dropout(self.avgpool(x).flatten(1)))  # from (N, 1024, h / 32, w / 32)


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.trunc_normal_(layer.weight, std=STD, a=-2 * STD, b=2 * STD)
    return layer


VARIANTS = {"googlenet": GoogLeNet}
