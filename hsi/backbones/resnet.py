"""ResNet: residual blocks in four stages.

He, Zhang, Ren, Sun (2016), "Deep Residual Learning for Image Recognition",
https://arxiv.org/abs/1512.03385. Output sizes for 224x224::

    stage    layers                                   output (channels, h, w)
    stem     7x7 convolution, stride 2                64, 112, 112
             3x3 maximum, stride 2                    64, 56, 56
    layer1   blocks of 64 channels                    64, 56, 56     of bottlenecks 256
    layer2   blocks of 128, the first of stride 2     128, 28, 28                   512
    layer3   blocks of 256, the first of stride 2     256, 14, 14                   1024
    layer4   blocks of 512, the first of stride 2     512, 7, 7                     2048
    head     mean over positions, linear              classes

Attention acts on the residual of each block, before the block's input is added, where Hu et al. put
squeeze-and-excitation. The small stem is a 3x3 convolution of stride 1 without pooling.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from torch import Tensor, nn

from hsi.backbones.network import AttentionFactory, Backbone
from hsi.layers.conv_norm import same_conv
from hsi.layers.residual import BasicBlock, Bottleneck, MiddleFactory

# Channels of the four stages; a bottleneck has four times as many at its end.
STAGES = (64, 128, 256, 512)
EXPANSION = 4


class ResNet(Backbone):
    """A residual network; state-dict keys are torchvision's.

    Parameters
    ----------
    depths : tuple of int
        Blocks in each of the four stages.
    block : {"basic", "bottleneck"}
        Two 3x3 convolutions, or 1x1, 3x3, 1x1.
    groups, group_width : int
        Groups of the 3x3 convolution of a bottleneck, and channels of a group in the first stage.
    middle : MiddleFactory, optional
        Makes what stands in place of the 3x3 convolution of a bottleneck.
    channels, classes : int
        Sizes of input and output.
    attention : AttentionFactory, optional
        Makes the attention block of each residual block.
    small_stem : bool
        For images much smaller than 224x224.
    """

    first_layer = "conv1"
    last_layer = "fc"

    def __init__(
        self,
        *,
        depths: tuple[int, int, int, int],
        block: Literal["basic", "bottleneck"],
        groups: int = 1,
        group_width: int = 64,
        middle: MiddleFactory | None = None,
        channels: int = 3,
        classes: int = 1000,
        attention: AttentionFactory | None = None,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        size, stride = (3, 1) if small_stem else (7, 2)
        before = STAGES[0]
        self.conv1 = same_conv(channels, before, size=size, stride=stride)
        self.bn1 = nn.BatchNorm2d(before)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.Identity() if small_stem else nn.MaxPool2d(3, 2, padding=1)
        stages: list[nn.Module] = []
        for stage, (width, depth) in enumerate(zip(STAGES, depths, strict=True)):
            blocks = nn.Sequential()
            for i in range(depth):
                stride = 2 if i == 0 and stage > 0 else 1
                if block == "basic":
                    after = width
                    blocks.append(BasicBlock(before, after, stride=stride, attention=attention))
                else:
                    after = EXPANSION * width
                    blocks.append(
                        Bottleneck(
                            before,
                            after,
                            width=groups * group_width * width // STAGES[0],
                            groups=groups,
                            stride=stride,
                            attention=attention,
                            middle=middle,
                        )
                    )
                before = after
            stages.append(blocks)
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(before, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of `images` ``(N, channels, h, w)``."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))  # (N, 64, h / 4, w / 4)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (N, C, h / 32, w / 32)
        return self.fc(self.avgpool(x).flatten(1))


VARIANTS = {
    "resnet18": partial(ResNet, block="basic", depths=(2, 2, 2, 2)),
    "resnet34": partial(ResNet, block="basic", depths=(3, 4, 6, 3)),
    "resnet50": partial(ResNet, block="bottleneck", depths=(3, 4, 6, 3)),
    "resnet101": partial(ResNet, block="bottleneck", depths=(3, 4, 23, 3)),
    "resnet152": partial(ResNet, block="bottleneck", depths=(3, 8, 36, 3)),
}
