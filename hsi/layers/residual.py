"""Residual blocks: what a few convolutions add to their input.

He, Zhang, Ren, Sun (2016), "Deep Residual Learning for Image Recognition",
https://arxiv.org/abs/1512.03385. Grouped as in Xie et al. (2017), "Aggregated Residual
Transformations", https://arxiv.org/abs/1611.05431. Where a bottleneck halves its map, its 3x3
convolution does it, not the first 1x1 as in the paper: so do the weights that are published.
"""

from __future__ import annotations

from torch import Tensor, nn

from hsi.layers.placing import AttentionFactory, attention_or_nothing


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, ``(N, C, h, w) -> (N, out, h / stride, w / stride)``.

    Attention, if any, acts on what is added to the input.
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
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
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

    Attention, if any, acts on what is added to the input.

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
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.attention = attention_or_nothing(attention, out_channels)
        self.downsample = shortcut(in_channels, out_channels, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """Add the residual to `x`."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.attention(self.bn3(self.conv3(y)))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


def shortcut(in_channels: int, out_channels: int, *, stride: int) -> nn.Sequential | None:
    """Return the 1x1 convolution that brings the input to the size of the output, if need be."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
    )
