"""ShuffleNet V1: pointwise convolutions in groups, and a shuffle so that the groups mix.

Zhang, Zhou, Lin, Sun (2018), "ShuffleNet: An Extremely Efficient Convolutional Neural Network for
Mobile Devices", https://arxiv.org/abs/1707.01083::

    stage          units   output of 224x224   channels for 1, 2, 3, 4, 8 groups
    3x3, stride 2          112x112             24
    pool                   56x56               24
    stage2         4       28x28               144   200   240   272   384
    stage3         8       14x14               288   400   480   544   768
    stage4         4       7x7                 576   800   960   1088  1536
    mean, linear           classes

    with all channels times the width; the first unit of each stage has stride 2
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hsi.backbones.network import AttentionFactory, Backbone
from hsi.layers.channel_shuffle import channel_shuffle
from hsi.layers.conv_norm import ConvNorm

STEM_CHANNELS = 24
# Channels of the first stage by number of groups: all networks cost the same, about 140 million
# multiply-adds. Each further stage has twice the channels.
STAGE_CHANNELS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
UNITS = (4, 8, 4)
# The 3x3 convolution of a unit has a quarter of its channels.
BOTTLENECK = 4

relu = partial(nn.ReLU, inplace=True)


class ShuffleUnit(nn.Module):
    """Grouped 1x1, shuffle, depthwise 3x3, grouped 1x1, and a shortcut.

    With stride 1 the input is added. With stride 2 its 3x3 mean is put in front, and the branch
    makes the channels that are missing.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int,
        groups: int,
        first_groups: int,
        attention: AttentionFactory | None,
    ) -> None:
        super().__init__()
        narrow = _divisible(out_channels / BOTTLENECK, groups)
        made = out_channels if stride == 1 else out_channels - in_channels
        self.groups = groups
        self.reduce = ConvNorm(in_channels, narrow, size=1, groups=first_groups, activation=relu)
        self.filter = ConvNorm(narrow, narrow, size=3, stride=stride, groups=narrow)
        self.expand = ConvNorm(narrow, made, size=1, groups=groups)
        if attention is not None:
            self.expand.append(attention(made))
        self.pool = None if stride == 1 else nn.AvgPool2d(3, stride, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, out, h / stride, w / stride)``."""
        y = channel_shuffle(self.reduce(x), self.groups)
        y = self.expand(self.filter(y))
        y = x + y if self.pool is None else torch.cat([self.pool(x), y], dim=1)
        return F.relu(y, inplace=True)


class ShuffleNetV1(Backbone):
    """ShuffleNet V1.

    Parameters
    ----------
    groups : {1, 2, 3, 4, 8}
        Groups of the 1x1 convolutions. The very first of them has so few input channels that the
        paper does not group it.
    width : float
        What all numbers of channels are multiplied by. Where a grouped convolution cannot divide
        the result, it is rounded up.
    channels, classes : int
        Sizes of input and output.
    attention : callable, optional
        From a number of channels to a block that stands at the end of each unit's branch, before
        the shortcut.
    small_stem : bool
        For small images: the first convolution has stride 1, and there is no pooling behind it.
    """

    first_layer = "stem.0"
    last_layer = "classifier"

    def __init__(
        self,
        *,
        groups: int,
        width: float = 1.0,
        channels: int = 3,
        classes: int = 1000,
        attention: AttentionFactory | None = None,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        before = _divisible(STEM_CHANNELS * width, groups)
        self.stem = ConvNorm(
            channels, before, size=3, stride=1 if small_stem else 2, activation=relu
        )
        if not small_stem:
            self.stem.append(nn.MaxPool2d(3, stride=2, padding=1))
        self.stages = nn.Sequential()
        for stage, units in enumerate(UNITS):
            after = int(STAGE_CHANNELS[groups] * width) * 2**stage
            for i in range(units):
                unit = ShuffleUnit(
                    before,
                    after,
                    stride=2 if i == 0 else 1,
                    groups=groups,
                    first_groups=1 if stage == i == 0 else groups,
                    attention=attention,
                )
                self.stages.append(unit)
                before = after
        self.classifier = nn.Linear(before, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of `images` ``(N, channels, h, w)``."""
        x = self.stages(self.stem(images))  # (N, C, h / 32, w / 32)
        return self.classifier(x.mean(dim=(2, 3)))


def _divisible(channels: float, groups: int) -> int:
    """Round up to a multiple of `groups`, as the authors' network with 8 groups at width 0.5."""
    return math.ceil(channels / groups) * groups


VARIANTS: dict[str, Callable[..., Backbone]] = {
    "shufflenet_v1_g1_x0_5": partial(ShuffleNetV1, groups=1, width=0.5),
    "shufflenet_v1_g1_x1_0": partial(ShuffleNetV1, groups=1, width=1.0),
    "shufflenet_v1_g1_x2_0": partial(ShuffleNetV1, groups=1, width=2.0),
    "shufflenet_v1_g2_x0_5": partial(ShuffleNetV1, groups=2, width=0.5),
    "shufflenet_v1_g2_x1_0": partial(ShuffleNetV1, groups=2, width=1.0),
    "shufflenet_v1_g2_x2_0": partial(ShuffleNetV1, groups=2, width=2.0),
    "shufflenet_v1_g3_x0_5": partial(ShuffleNetV1, groups=3, width=0.5),
    "shufflenet_v1_g3_x1_0": partial(ShuffleNetV1, groups=3, width=1.0),
    "shufflenet_v1_g3_x2_0": partial(ShuffleNetV1, groups=3, width=2.0),
    "shufflenet_v1_g4_x0_5": partial(ShuffleNetV1, groups=4, width=0.5),
    "shufflenet_v1_g4_x1_0": partial(ShuffleNetV1, groups=4, width=1.0),
    "shufflenet_v1_g4_x2_0": partial(ShuffleNetV1, groups=4, width=2.0),
    "shufflenet_v1_g8_x0_5": partial(ShuffleNetV1, groups=8, width=0.5),
    "shufflenet_v1_g8_x1_0": partial(ShuffleNetV1, groups=8, width=1.0),
    "shufflenet_v1_g8_x2_0": partial(ShuffleNetV1, groups=8, width=2.0),
}
