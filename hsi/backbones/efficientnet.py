"""EfficientNet: inverted residuals with squeeze-and-excitation, scaled in depth and width at once.

Tan, Le (2019), "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
https://arxiv.org/abs/1905.11946. B0, for 224x224::

    layer               expansion   kernel   channels   blocks   stride   output
    convolution         -           3x3      32         1        2        112x112
    inverted residual   1           3x3      16         1        1        112x112
    inverted residual   6           3x3      24         2        2        56x56
    inverted residual   6           5x5      40         2        2        28x28
    inverted residual   6           3x3      80         3        2        14x14
    inverted residual   6           5x5      112        3        1        14x14
    inverted residual   6           5x5      192        4        2        7x7
    inverted residual   6           3x3      320        1        1        7x7
    convolution         -           1x1      1280       1        1        7x7
    mean, linear        -                    classes

The compound-scaling rule: for 2^phi times the work, depth times 1.2^phi, width times 1.1^phi, side
of the image times 1.15^phi. B1 to B7 have the multiples that the authors made of it::

              B0    B1    B2    B3    B4    B5    B6    B7
    width     1.0   1.0   1.1   1.2   1.4   1.6   1.8   2.0     channels rounded to multiples of 8
    depth     1.0   1.1   1.2   1.4   1.8   2.2   2.6   3.1     blocks rounded up
    image     224   240   260   300   380   456   528   600
    dropout   0.2   0.2   0.3   0.3   0.4   0.4   0.5   0.5
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from hsi.backbones.network import AttentionFactory, Backbone
from hsi.layers.attention.se import SqueezeExcitation
from hsi.layers.conv_norm import ConvNorm
from hsi.layers.inverted_residual import inverted_residual

STEM_CHANNELS = 32
# (expansion, kernel, channels, blocks, stride of the first block)
STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)
# The last convolution has four times the channels of the last stage.
LAST_EXPANSION = 4
# Squeeze-and-excitation looks through a quarter of the channels that come into the block.
SQUEEZE = 4
# Probability to leave out a block while training: it grows with the depth from 0 up to this.
LAST_DROP = 0.2

silu = partial(nn.SiLU, inplace=True)


class StochasticDepth(nn.Module):
    """Leave out whole images of a batch while training: ``(N, C, h, w)``, zeros for some of the N.

    Huang, Sun, Liu, Sedra, Weinberger (2016), "Deep Networks with Stochastic Depth",
    https://arxiv.org/abs/1603.09382. Those that stay are made larger, to keep the mean.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """Drop some images of `x`."""
        if not self.training or self.probability == 0:
            return x
        kept = 1 - self.probability
        return x * x.new_empty(len(x), 1, 1, 1).bernoulli_(kept).div_(kept)


class Block(nn.Module):
    """Inverted residual with attention on the wide map, and a shortcut where the shape stays."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        expansion: int,
        size: int,
        stride: int,
        drop: float,
        norm: Callable[[int], nn.Module],
        attention: AttentionFactory | None,
    ) -> None:
        super().__init__()
        widen, project = inverted_residual(
            in_channels,
            out_channels,
            expansion=expansion,
            size=size,
            stride=stride,
            activation=silu,
            norm=norm,
        )
        wide = expansion * in_channels
        if attention is None:
            excite: nn.Module = SqueezeExcitation(
                wide, units=in_channels // SQUEEZE, activation=silu
            )
        else:
            excite = attention(wide)
        self.block = nn.Sequential(*widen, excite, project)
        shortcut = stride == 1 and in_channels == out_channels
        self.drop = StochasticDepth(drop) if shortcut else None

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, out, h / stride, w / stride)``."""
        y = self.block(x)
        if self.drop is None:
            return y
        y = self.drop(y)
        y += x
        return y


class EfficientNet(Backbone):
    """EfficientNet; state-dict keys are torchvision's.

    Parameters
    ----------
    width, depth : float
        What the channels and the blocks of B0 are multiplied by.
    dropout : float
        Probability of dropping a value before the last layer while training.
    norm : callable
        From a number of channels to the norm.
    channels, classes : int
        Sizes of input and output.
    attention : callable, optional
        From a number of channels to a block that stands in each inverted residual instead of the
        squeeze-and-excitation. Without, the network is the paper's.
    small_stem : bool
        For small images: the first two strides of 2, those of the first layer and of the 24
        channels, are 1.
    """

    first_layer = "features.0.0"
    last_layer = "classifier.1"

    def __init__(
        self,
        *,
        width: float,
        depth: float,
        dropout: float,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
        channels: int = 3,
        classes: int = 1000,
        attention: AttentionFactory | None = None,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        before = scaled_channels(STEM_CHANNELS, width)
        stride = 1 if small_stem else 2
        self.features = nn.Sequential(
            ConvNorm(channels, before, size=3, stride=stride, activation=silu, norm=norm)
        )
        depths = [scaled_blocks(blocks, depth) for _, _, _, blocks, _ in STAGES]
        built = 0
        for number, (expansion, size, full_width, _, first_stride) in enumerate(STAGES):
            after = scaled_channels(full_width, width)
            stage = nn.Sequential()
            for i in range(depths[number]):
                block = Block(
                    before,
                    after,
                    expansion=expansion,
                    size=size,
                    stride=first_stride if i == 0 and not (small_stem and number == 1) else 1,
                    drop=LAST_DROP * built / sum(depths),
                    norm=norm,
                    attention=attention,
                )
                stage.append(block)
                before = after
                built += 1
            self.features.append(stage)
        last = LAST_EXPANSION * before
        self.features.append(ConvNorm(before, last, size=1, activation=silu, norm=norm))
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of `images` ``(N, channels, h, w)``."""
        return self.classifier(self.features(images).mean(dim=(2, 3)))


def scaled_channels(channels: int, width: float) -> int:
    """Return the multiple of 8 that is nearest to `width` times `channels`.

    The next one up, where the nearest would take away more than a tenth.

    Examples
    --------
    >>> scaled_channels(32, 1.1), scaled_channels(80, 1.4), scaled_channels(16, 0.7)
    (32, 112, 16)
    """
    exact = width * channels
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * exact else rounded + 8


def scaled_blocks(blocks: int, depth: float) -> int:
    """Return `depth` times `blocks`, rounded up."""
    return math.ceil(depth * blocks)


# As the published weights of B5, B6 and B7 were trained.
slow_norm = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)

VARIANTS: dict[str, Callable[..., Backbone]] = {
    "efficientnet_b0": partial(EfficientNet, width=1.0, depth=1.0, dropout=0.2),
    "efficientnet_b1": partial(EfficientNet, width=1.0, depth=1.1, dropout=0.2),
    "efficientnet_b2": partial(EfficientNet, width=1.1, depth=1.2, dropout=0.3),
    "efficientnet_b3": partial(EfficientNet, width=1.2, depth=1.4, dropout=0.3),
    "efficientnet_b4": partial(EfficientNet, width=1.4, depth=1.8, dropout=0.4),
    "efficientnet_b5": partial(EfficientNet, width=1.6, depth=2.2, dropout=0.4, norm=slow_norm),
    "efficientnet_b6": partial(EfficientNet, width=1.8, depth=2.6, dropout=0.5, norm=slow_norm),
    "efficientnet_b7": partial(EfficientNet, width=2.0, depth=3.1, dropout=0.5, norm=slow_norm),
}
