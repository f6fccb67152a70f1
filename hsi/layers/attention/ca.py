"""Coordinate attention: each channel is weighted along the rows and along the columns.

Hou, Zhou, Feng (2021), "Coordinate Attention for Efficient Mobile Network Design",
https://arxiv.org/abs/2103.02907.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsi.layers.attention.sizes import hidden_units


class CoordinateAttention(nn.Module):
    """Coordinate attention, ``(N, C, h, w) -> (N, C, h, w)``.

    The means of all rows and those of all columns go through one layer with batch norm and hard
    swish; from the first part come the weights of the rows and from the second those of the
    columns, each through a layer of its own. With H hidden units it has
    ``C H + 2 H + 2 (H C + C)`` parameters.

    Parameters
    ----------
    channels : int
        C.
    reduction, smallest : int
        H is ``C // reduction``, but no fewer than `smallest`.

    Raises
    ------
    UsageError
        If a number is no whole number of at least 1.
    """

    def __init__(self, channels: int, *, reduction: int = 32, smallest: int = 8) -> None:
        super().__init__()
        units = hidden_units(channels, reduction=reduction, smallest=smallest)
        self.mix = nn.Sequential(
            nn.Conv2d(channels, units, 1, bias=False),
            nn.BatchNorm2d(units),
            nn.Hardswish(inplace=True),
        )
        self.of_rows = nn.Conv2d(units, channels, 1)
        self.of_cols = nn.Conv2d(units, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Weight the rows and the columns of `x`."""
        rows, cols = x.shape[2:]
        means = torch.cat(
            [x.mean(dim=3, keepdim=True), x.mean(dim=2, keepdim=True).transpose(2, 3)], dim=2
        )  # (N, C, h + w, 1)
        down, across = self.mix(means).split([rows, cols], dim=2)
        along_rows = torch.sigmoid(self.of_rows(down))  # (N, C, h, 1)
        along_cols = torch.sigmoid(self.of_cols(across.transpose(2, 3)))  # (N, C, 1, w)
        return x * along_rows * along_cols
