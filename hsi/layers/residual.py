"""Residual blocks: what a few convolutions add to their input.

He, Zhang, Ren, Sun (2016), "Deep Residual Learning for Image Recognition",
https://arxiv.org/abs/1512.03385; with groups, Xie, Girshick, Dollár, Tu, He (2017), "Aggregated
Residual Transformations for Deep Neural Networks", https://arxiv.org/abs/1611.05431. Where a
bottleneck halves the map, its 3x3 convolution does it and not, as in the paper, the first 1x1: so
do the networks whose weights are published.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from hsi.layers.conv_norm import same_conv
from hsi.layers.placing import AttentionFactory, attention_or_nothing

# From a number of channels and a stride to a block ``(N, C, h, w) -> (N, C, h / s, w / s)``.
MiddleFactory = Callable[[int, int], nn.Module]


class Residual(nn.Sequential):
    """What layers in sequence add to their input, of the same shape before and after.

    With norm and activation before each convolution: He, Zhang, Ren, Sun (2016), "Identity Mappings
    in Deep Residual Networks", https://arxiv.org/abs/1603.05027. The first layer must not work in
    place.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Add the residual to `x`."""
        return x + super().forward(x)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, ``(N, C, h, w) -> (N, out, h / stride, w / stride)``.

    Attention, if any, acts on the residual, before the input is added.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int = 1,
        attention: AttentionFactory | None = None,
    ) -> None:
        super().__init__()
        self.conv1 = same_conv(in_channels, out_channels, size=3, stride=stride)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = same_conv(out_channels, out_channels, size=3)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.attention = attention_or_nothing(attention, out_channels)
        self.downsample = shortcut(in_channels, out_channels, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """Add the residual to `x`."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.attention(self.bn2(self.conv2(y)))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


class Bottleneck(nn.Module):
    """A 1x1, a 3x3 and a 1x1 convolution, ``(N, C, h, w) -> (N, out, h / stride, w / stride)``.

    Attention, if any, acts on the residual, before the input is added.

    Parameters
    ----------
    in_channels, out_channels, stride : int
        Sizes.
    width : int
        Channels of the 3x3 convolution.
    groups : int
        Its groups.
    attention : AttentionFactory, optional
        Makes the attention block for `out_channels`.
    middle : MiddleFactory, optional
        Makes what stands in place of the 3x3 convolution with its norm and ReLU; `groups` is then
        its own affair.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int,
        groups: int = 1,
        stride: int = 1,
        attention: AttentionFactory | None = None,
        middle: MiddleFactory | None = None,
    ) -> None:
        super().__init__()
        self.conv1 = same_conv(in_channels, width, size=1)
        self.bn1 = nn.BatchNorm2d(width)
        if middle is None:
            self.conv2: nn.Module = same_conv(width, width, size=3, stride=stride, groups=groups)
            self.bn2: nn.Module = nn.BatchNorm2d(width)
        else:
            self.conv2 = middle(width, stride)
            self.bn2 = nn.Identity()
        self.conv3 = same_conv(width, out_channels, size=1)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.attention = attention_or_nothing(attention, out_channels)
        self.downsample = shortcut(in_channels, out_channels, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """Add the residual to `x`."""
        y = self.relu(self.bn1(self.conv1(x)))  # (N, width, h, w)
        y = self.relu(self.bn2(self.conv2(y)))  # (N, width, h / stride, w / stride)
        y = self.attention(self.bn3(self.conv3(y)))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


def shortcut(in_channels: int, out_channels: int, *, stride: int) -> nn.Sequential | None:
    """Return what brings the input to the shape of the output, or None if they have the same."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(
        same_conv(in_channels, out_channels, size=1, stride=stride), nn.BatchNorm2d(out_channels)
    )
