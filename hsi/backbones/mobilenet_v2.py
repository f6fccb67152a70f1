"""MobileNet V2: inverted residual blocks with a linear end.

Sandler, Howard, Zhu, Zhmoginov, Chen (2018), "MobileNetV2: Inverted Residuals and Linear
Bottlenecks", https://arxiv.org/abs/1801.04381::

    layer               expansion   channels   blocks   stride   output of 224x224
    3x3                 -           32         1        2        112x112
    inverted residual   1           16         1        1        112x112
    inverted residual   6           24         2        2        56x56
    inverted residual   6           32         3        2        28x28
    inverted residual   6           64         4        2        14x14
    inverted residual   6           96         3        1        14x14
    inverted residual   6           160        3        2        7x7
    inverted residual   6           320        1        1        7x7
    1x1                 -           1280       1        1        7x7
    mean, linear        -           classes
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from hsi.backbones.network import AttentionFactory, Backbone
from hsi.layers.conv_norm import ConvNorm
from hsi.layers.inverted_residual import inverted_residual

STEM_CHANNELS = 32
# (expansion, channels, blocks, stride of the first block)
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
LAST_CHANNELS = 1280
DROPOUT = 0.2

relu6 = partial(nn.ReLU6, inplace=True)


class Block(nn.Module):
    """Inverted residual, with a shortcut where input and output have the same shape."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        expansion: int,
        stride: int,
        attention: AttentionFactory | None,
    ) -> None:
        super().__init__()
        widen, project = inverted_residual(
            in_channels, out_channels, expansion=expansion, size=3, stride=stride, activation=relu6
        )
        self.conv = nn.Sequential(*widen, *project)
        if attention is not None:
            self.conv.append(attention(out_channels))
        self.shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, out, h / stride, w / stride)``."""
        y = self.conv(x)
        return x + y if self.shortcut else y


class MobileNetV2(Backbone):
    """MobileNet V2; state-dict keys are torchvision's.

    Parameters
    ----------
    channels, classes : int
        Sizes of input and output.
    attention : callable, optional
        From a number of channels to a block that stands at the end of each inverted residual,
        before the shortcut is added.
    small_stem : bool
        For small images: the first two strides of 2, those of the first layer and of the 24
        channels, are 1.
    """

    first_layer = "features.0.0"
    last_layer = "classifier.1"

    def __init__(
        self,
        *,
        channels: int = 3,
        classes: int = 1000,
        attention: AttentionFactory | None = None,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        before = STEM_CHANNELS
        stride = 1 if small_stem else 2
        self.features = nn.Sequential(
            ConvNorm(channels, before, size=3, stride=stride, activation=relu6)
        )
        for stage, (expansion, after, blocks, first_stride) in enumerate(STAGES):
            for i in range(blocks):
                stride = first_stride if i == 0 and not (small_stem and stage == 1) else 1
                self.features.append(
                    Block(before, after, expansion=expansion, stride=stride, attention=attention)
                )
                before = after
        self.features.append(ConvNorm(before, LAST_CHANNELS, size=1, activation=relu6))
        self.classifier = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(LAST_CHANNELS, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of `images` ``(N, channels, h, w)``."""
        return self.classifier(self.features(images).mean(dim=(2, 3)))


VARIANTS: dict[str, Callable[..., Backbone]] = {"mobilenet_v2": MobileNetV2}
