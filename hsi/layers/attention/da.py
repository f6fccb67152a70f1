"""Dual attention: positions that look alike support each other, and so do channels.

Fu, Liu, Tian, Li, Bao, Fang, Lu (2019), "Dual Attention Network for Scene Segmentation",
https://arxiv.org/abs/1809.02983.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsi.layers.attention.sizes import hidden_units


class DualAttention(nn.Module):
    """Position and channel attention, ``(N, C, h, w) -> (N, C, h, w)``.

    To the input are added two mixtures of it: every position receives the values of the positions
    whose keys fit its query, and every channel those of the channels that correlate with it. Each
    is scaled by a learned factor, which starts at 0, so that the block starts as the identity. With
    H values in a query it has ``2 (C H + H) + C C + C + 2`` parameters. Memory grows with
    ``(h w)^2`` and ``C^2``.

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

    def __init__(self, channels: int, *, reduction: int = 8) -> None:
        super().__init__()
        units = hidden_units(channels, reduction=reduction)
        self.query = nn.Conv2d(channels, units, 1)
        self.key = nn.Conv2d(channels, units, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.position_scale = nn.Parameter(torch.zeros(()))
        self.channel_scale = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Add both mixtures to `x`."""
        query, key, value = (layer(x).flatten(2) for layer in (self.query, self.key, self.value))
        positions = (query.transpose(1, 2) @ key).softmax(dim=2)  # (N, to, from)
        from_positions = (value @ positions.transpose(1, 2)).view_as(x)
        flat = x.flatten(2)  # (N, C, h w)
        channels = (flat @ flat.transpose(1, 2)).softmax(dim=2)  # (N, to, from)
        from_channels = (channels @ flat).view_as(x)
        return x + self.position_scale * from_positions + self.channel_scale * from_channels
