"""MobileNet V1: depthwise-separable convolutions from end to end, in four widths.

Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam (2017), "MobileNets: Efficient
Convolutional Neural Networks for Mobile Vision Applications", https://arxiv.org/abs/1704.04861::

    layer                  stride   output of 224x224
    3x3                    2        32, 112x112
    depthwise-separable    1        64, 112x112
    depthwise-separable    2, 1     128, 56x56
    depthwise-separable    2, 1     256, 28x28
    depthwise-separable    2, 1 x5  512, 14x14
    depthwise-separable    2, 1     1024, 7x7
    mean, linear           -        classes

    with all channels times the width
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from hsi.backbones.network import AttentionFactory, Backbone
from hsi.layers.conv_norm import ConvNorm
from hsi.layers.convolutions import DepthwiseSeparableConv

STEM_CHANNELS = 32
# (channels, stride of the first block, blocks)
STAGES = ((64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 2, 6), (1024, 2, 2))


class MobileNetV1(Backbone):
    """MobileNet V1.

    Parameters
    ----------
    width : float
        What all numbers of channels are multiplied by.
    channels, classes : int
        Sizes of input and output.
    attention : callable, optional
        From a number of channels to a block that stands behind each depthwise-separable
        convolution.
    small_stem : bool
        For small images: the first two strides of 2, those of the first layer and of the 128
        channels, are 1.
    """

    first_layer = "features.0.0"
    last_layer = "classifier"

    def __init__(
        self,
        *,
        width: float = 1.0,
        channels: int = 3,
        classes: int = 1000,
        attention: AttentionFactory | None = None,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        relu = partial(nn.ReLU, inplace=True)
        before = int(STEM_CHANNELS * width)
        stride = 1 if small_stem else 2
        self.features = nn.Sequential(
            ConvNorm(channels, before, size=3, stride=stride, activation=relu)
        )
        for stage, (full_width, first_stride, blocks) in enumerate(STAGES):
            after = int(full_width * width)
            for i in range(blocks):
                stride = first_stride if i == 0 and not (small_stem and stage == 1) else 1
                block = DepthwiseSeparableConv(
                    before, after, size=3, norm="batch", stride=stride, padding=1
                )
                if attention is not None:
                    block.append(attention(after))
                self.features.append(block)
                before = after
        self.classifier = nn.Linear(before, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of `images` ``(N, channels, h, w)``."""
        return self.classifier(self.features(images).mean(dim=(2, 3)))


VARIANTS: dict[str, Callable[..., Backbone]] = {
    "mobilenet_v1": partial(MobileNetV1, width=1.0),
    "mobilenet_v1_x0_75": partial(MobileNetV1, width=0.75),
    "mobilenet_v1_x0_5": partial(MobileNetV1, width=0.5),
    "mobilenet_v1_x0_25": partial(MobileNetV1, width=0.25),
}
