"""Inception module: convolutions of several sizes side by side.

Szegedy et al. (2015), "Going Deeper with Convolutions", https://arxiv.org/abs/1409.4842; with batch
norm, Ioffe, Szegedy (2015), https://arxiv.org/abs/1502.03167.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsi.layers.placing import AttentionFactory, attention_or_nothing

# That of the published weights.
EPS = 0.001
# Of the normal distribution, cut off at two deviations, that initial weights are drawn from.
STD = 0.01


class InceptionConv(nn.Module):
    """Convolution that keeps the size, batch norm, ReLU: ``(N, C, h, w) -> (N, out, h, w)``.

    With a `stride`, height and width are divided by it.
    """

    def __init__(self, in_channels: int, out_channels: int, *, size: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, size, stride, padding=size // 2, bias=False
        )
        self.bn = nn.BatchNorm2d(out_channels, eps=EPS)
        self.relu = nn.ReLU(inplace=True)
        nn.init.trunc_normal_(self.conv.weight, std=STD, a=-2 * STD, b=2 * STD)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x`."""
        return self.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    """Four branches side by side, ``(N, C, h, w) -> (N, out, h, w)``.

    Their channels are put one after the other. Attention, if any, acts on all of them together.

    Parameters
    ----------
    in_channels : int
        C.
    point : int
        Channels of the 1x1 branch.
    small, large : tuple of int
        Channels of the 1x1 and the 3x3 convolution in each of two branches. In the paper, the
        second has 5x5; the published weights have 3x3 there, too.
    pooled : int
        Channels of the 1x1 convolution after a 3x3 maximum.
    attention : AttentionFactory, optional
        Makes the attention block.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        point: int,
        small: tuple[int, int],
        large: tuple[int, int],
        pooled: int,
        attention: AttentionFactory | None = None,
    ) -> None:
        super().__init__()
        self.branch1 = InceptionConv(in_channels, point, size=1)
        self.branch2, self.branch3 = (
            nn.Sequential(
                InceptionConv(in_channels, narrow, size=1), InceptionConv(narrow, wide, size=3)
            )
            for narrow, wide in (small, large)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, 1, padding=1), InceptionConv(in_channels, pooled, size=1)
        )
        self.out_channels = point + small[1] + large[1] + pooled
        self.attention = attention_or_nothing(attention, self.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the branches to `x`."""
        branches = (self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x))
        return self.attention(torch.cat(branches, dim=1))
