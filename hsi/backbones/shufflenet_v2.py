"""ShuffleNet V2: half of the channels pass a unit untouched, and a shuffle mixes the halves.

Ma, Zhang, Zheng, Sun (2018), "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture
Design", https://arxiv.org/abs/1807.11164::

    stage          units   output of 224x224   channels for x0.5, x1, x1.5, x2
    3x3, stride 2          112x112             24    24    24    24
    pool                   56x56               24    24    24    24
    stage2         4       28x28               48    116   176   244
    stage3         8       14x14               96    232   352   488
    stage4         4       7x7                 192   464   704   976
    1x1                    7x7                 1024  1024  1024  2048
    mean, linear           classes

    the first unit of each stage has stride 2, and both halves are made of all channels there
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from hsi.backbones.network import AttentionFactory, Backbone
from hsi.layers.channel_shuffle import channel_shuffle
from hsi.layers.conv_norm import ConvNorm

STEM_CHANNELS = 24
UNITS = (4, 8, 4)

relu = partial(nn.ReLU, inplace=True)


class Unit(nn.Module):
    """A branch of 1x1, depthwise 3x3, 1x1 for one half; the other half, and a shuffle of both.

    With stride 2, a depthwise 3x3 and a 1x1 make the other half.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int,
        attention: AttentionFactory | None,
    ) -> None:
        super().__init__()
        half = out_channels // 2
        self.branch1 = None
        if stride > 1:
            self.branch1 = nn.Sequential(
                *ConvNorm(in_channels, in_channels, size=3, stride=stride, groups=in_channels),
                *ConvNorm(in_channels, half, size=1, activation=relu),
            )
        self.branch2 = nn.Sequential(
            *ConvNorm(in_channels if stride > 1 else half, half, size=1, activation=relu),
            *ConvNorm(half, half, size=3, stride=stride, groups=half),
            *ConvNorm(half, half, size=1, activation=relu),
        )
        if attention is not None:
            self.branch2.append(attention(half))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, out, h / stride, w / stride)``."""
        if self.branch1 is None:
            kept, changed = x.chunk(2, dim=1)
        else:
            kept, changed = self.branch1(x), x
        return channel_shuffle(torch.cat([kept, self.branch2(changed)], dim=1), 2)


class ShuffleNetV2(Backbone):
    """ShuffleNet V2; state-dict keys are torchvision's.

    Parameters
    ----------
    stage_channels : tuple of int
        Channels of stage 2, 3 and 4.
    last_channels : int
        Channels of the last convolution.
    channels, classes : int
        Sizes of input and output.
    attention : callable, optional
        From a number of channels to a block that stands at the end of the branch of three
        convolutions, before the shuffle.
    small_stem : bool
        For small images: the first convolution has stride 1, and there is no pooling behind it.
    """

    first_layer = "conv1.0"
    last_layer = "fc"

    def __init__(
        self,
        *,
        stage_channels: tuple[int, int, int],
        last_channels: int = 1024,
        channels: int = 3,
        classes: int = 1000,
        attention: AttentionFactory | None = None,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        stride = 1 if small_stem else 2
        self.conv1 = ConvNorm(channels, STEM_CHANNELS, size=3, stride=stride, activation=relu)
        self.maxpool = nn.Identity() if small_stem else nn.MaxPool2d(3, stride=2, padding=1)
        stages = []
        before = STEM_CHANNELS
        for after, units in zip(stage_channels, UNITS, strict=True):
            stage = nn.Sequential(Unit(before, after, stride=2, attention=attention))
            for _ in range(units - 1):
                stage.append(Unit(after, after, stride=1, attention=attention))
            stages.append(stage)
            before = after
        self.stage2, self.stage3, self.stage4 = stages
        self.conv5 = ConvNorm(before, last_channels, size=1, activation=relu)
        self.fc = nn.Linear(last_channels, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of `images` ``(N, channels, h, w)``."""
        x = self.maxpool(self.conv1(images))  # (N, 24, h / 4, w / 4)
        x = self.conv5(self.stage4(self.stage3(self.stage2(x))))  # (N, C, h / 32, w / 32)
        return self.fc(x.mean(dim=(2, 3)))


VARIANTS: dict[str, Callable[..., Backbone]] = {
    "shufflenet_v2_x0_5": partial(ShuffleNetV2, stage_channels=(48, 96, 192)),
    "shufflenet_v2_x1_0": partial(ShuffleNetV2, stage_channels=(116, 232, 464)),
    "shufflenet_v2_x1_5": partial(ShuffleNetV2, stage_channels=(176, 352, 704)),
    "shufflenet_v2_x2_0": partial(ShuffleNetV2, stage_channels=(244, 488, 976), last_channels=2048),
}
