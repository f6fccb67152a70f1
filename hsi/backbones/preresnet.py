"""Pre-activation ResNet: norm and ReLU come before each convolution, and the sum is left as it is.

He, Zhang, Ren, Sun (2016), "Identity Mappings in Deep Residual Networks",
https://arxiv.org/abs/1603.05027. Stages and sizes are those of `hsi.backbones.resnet`; a last norm
and ReLU come before the mean. The stem keeps its own norm and ReLU, and where a block changes the
shape, a 1x1 convolution without a norm brings its normalised input to it.

Attention acts on the residual of each block. The small stem is a 3x3 convolution of stride 1
without pooling.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from torch import Tensor, nn

from hsi.backbones.network import AttentionFactory, Backbone
from hsi.backbones.resnet import EXPANSION, STAGES
from hsi.layers.conv_norm import same_conv
from hsi.layers.placing import attention_or_nothing


class PreBlock(nn.Module):
    """Convolutions after their norms, ``(N, C, h, w) -> (N, out, h / stride, w / stride)``.

    Parameters
    ----------
    in_channels : int
        C.
    convolutions : tuple
        (channels, size, stride) of each.
    attention : AttentionFactory, optional
        Makes the attention block for the residual.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        convolutions: tuple[tuple[int, int, int], ...],
        attention: AttentionFactory | None = None,
    ) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU(inplace=True)
        self.residual = nn.Sequential()
        before, total_stride = in_channels, 1
        for i, (after, size, stride) in enumerate(convolutions):
            if i > 0:
                self.residual.extend([nn.BatchNorm2d(before), nn.ReLU(inplace=True)])
            self.residual.append(same_conv(before, after, size=size, stride=stride))
            before, total_stride = after, total_stride * stride
        self.attention = attention_or_nothing(attention, before)
        self.shortcut = (
            None
            if before == in_channels and total_stride == 1
            else same_conv(in_channels, before, size=1, stride=total_stride)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Add the residual to `x`."""
        active = self.relu(self.norm(x))
        residual = self.attention(self.residual(active))
        return residual + (x if self.shortcut is None else self.shortcut(active))


class PreResNet(Backbone):
    """A pre-activation residual network.

    Parameters
    ----------
    depths : tuple of int
        Blocks in each of the four stages.
    block : {"basic", "bottleneck"}
        Two 3x3 convolutions, or 1x1, 3x3, 1x1.
    channels, classes : int
        Sizes of input and output.
    attention : AttentionFactory, optional
        Makes the attention block of each residual block.
    small_stem : bool
        For images much smaller than 224x224.
    """

    first_layer = "stem.0"
    last_layer = "linear"

    def __init__(
        self,
        *,
        depths: tuple[int, int, int, int],
        block: Literal["basic", "bottleneck"],
        channels: int = 3,
        classes: int = 1000,
        attention: AttentionFactory | None = None,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        size, stride = (3, 1) if small_stem else (7, 2)
        before = STAGES[0]
        self.stem = nn.Sequential(
            same_conv(channels, before, size=size, stride=stride),
            nn.BatchNorm2d(before),
            nn.ReLU(inplace=True),
            nn.Identity() if small_stem else nn.MaxPool2d(3, 2, padding=1),
        )
        self.stages = nn.Sequential()
        for stage, (width, depth) in enumerate(zip(STAGES, depths, strict=True)):
            blocks = nn.Sequential()
            for i in range(depth):
                stride = 2 if i == 0 and stage > 0 else 1
                convolutions: tuple[tuple[int, int, int], ...]
                if block == "basic":
                    convolutions = ((width, 3, stride), (width, 3, 1))
                else:
                    convolutions = ((width, 1, 1), (width, 3, stride), (EXPANSION * width, 1, 1))
                blocks.append(PreBlock(before, convolutions=convolutions, attention=attention))
                before = convolutions[-1][0]
            self.stages.append(blocks)
        self.norm = nn.Sequential(nn.BatchNorm2d(before), nn.ReLU(inplace=True))
        self.linear = nn.Linear(before, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of `images` ``(N, channels, h, w)``."""
        x = self.stages(self.stem(images))  # (N, C, h / 32, w / 32)
        return self.linear(self.norm(x).mean(dim=(2, 3)))


VARIANTS = {
    "preresnet18": partial(PreResNet, block="basic", depths=(2, 2, 2, 2)),
    "preresnet50": partial(PreResNet, block="bottleneck", depths=(3, 4, 6, 3)),
}
