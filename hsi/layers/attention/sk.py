"""Selective kernels: two convolutions, and for each channel a choice between them.

Li, Wang, Hu, Yang (2019), "Selective Kernel Networks", https://arxiv.org/abs/1903.06586.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from hsi.layers.attention.sizes import check_count, check_divides, hidden_units

# A 3x3 kernel, and one of 5x5 that is a 3x3 kernel with gaps, as the paper has it.
DILATIONS = (1, 2)


class SelectiveKernels(nn.Module):
    """Selective kernel unit, ``(N, C, h, w) -> (N, C, h, w)``.

    Split: a 3x3 convolution and one of 5x5 (a dilated 3x3), each with batch norm and ReLU. Fuse:
    the means of the channels of their sum go through a layer of H units with batch norm. Select: a
    second layer and a softmax over the branches weight them, channel by channel. With G groups it
    has ``2 (9 C C / G + 2 C) + C H + 2 H + 2 C H`` parameters.

    Parameters
    ----------
    channels : int
        C.
    groups : int, optional
        G, of the convolutions; the paper's 32, or what it has in common with C.
    reduction, smallest : int
        H is ``C // reduction``, but no fewer than `smallest`.
    stride : int
        Of the convolutions; any other than 1 makes the map smaller.

    Raises
    ------
    UsageError
        If a number is no whole number of at least 1 or `groups` does not divide `channels`.
    """

    def __init__(
        self,
        channels: int,
        *,
        groups: int | None = None,
        reduction: int = 16,
        smallest: int = 32,
        stride: int = 1,
    ) -> None:
        super().__init__()
        units = hidden_units(channels, reduction=reduction, smallest=smallest)
        if groups is None:
            groups = math.gcd(channels, 32)
        check_divides("groups", groups, channels)
        check_count("stride", stride)
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(
                    channels, channels, 3, stride=stride, padding=dilation, dilation=dilation,
                    groups=groups, bias=False,
                ),
                nn.BatchNorm2d(channels),
                nn.ReLU(inplace=True),
            )
            for dilation in DILATIONS
        )  # fmt: skip
        self.fuse = nn.Sequential(
            nn.Conv2d(channels, units, 1, bias=False),
            nn.BatchNorm2d(units),
            nn.ReLU(inplace=True),
        )
        self.select = nn.Conv2d(units, len(DILATIONS) * channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x` with both kernels and mix the results."""
        maps = torch.stack([branch(x) for branch in self.branches], dim=1)  # (N, 2, C, h, w)
        means = maps.sum(dim=1).mean(dim=(2, 3), keepdim=True)  # (N, C, 1, 1)
        choice = self.select(self.fuse(means)).unflatten(1, (len(DILATIONS), -1))
        return (maps * choice.softmax(dim=1)).sum(dim=1)
