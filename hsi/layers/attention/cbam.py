"""Convolutional block attention: first the channels are weighted, then the positions.

Woo, Park, Lee, Kweon (2018), "CBAM: Convolutional Block Attention Module",
https://arxiv.org/abs/1807.06521.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsi.layers.attention.sizes import hidden_units

SPATIAL_SIZE = 7


class ConvolutionalBlockAttention(nn.Module):
    """Channel and then spatial attention (CBAM), ``(N, C, h, w) -> (N, C, h, w)``.

    The mean and the maximum of each channel go through the same two layers, and the sums of what
    comes out weight the channels. Then a 7x7 convolution, without bias but with a batch norm, over
    the mean and the maximum of all channels weights the positions. With H hidden units it has
    ``2 C H + H + C + 2 * 49 + 2`` parameters.

    Parameters
    ----------
    channels : int
        C.
    reduction : int
        H is ``C // reduction``, at least 1.

    Raises
    ------
    UsageError
        If one of the two is no whole number of at least 1.
    """

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        units = hidden_units(channels, reduction=reduction)
        self.mlp = nn.Sequential(
            nn.Conv2d(channels, units, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(units, channels, 1),
        )
        self.conv = nn.Conv2d(2, 1, SPATIAL_SIZE, padding=SPATIAL_SIZE // 2, bias=False)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, x: Tensor) -> Tensor:
        """Weight the channels of `x`, then its positions."""
        mean, highest = x.mean(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True)
        x = x * torch.sigmoid(self.mlp(mean) + self.mlp(highest))  # (N, C, 1, 1)
        pooled = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
        return x * torch.sigmoid(self.norm(self.conv(pooled)))  # (N, 1, h, w)
