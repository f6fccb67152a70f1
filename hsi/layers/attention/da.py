"""Dual attention: positions that look alike support each other, and so do channels.

Fu, Liu, Tian, Li, Bao, Fang, Lu (2019), "Dual Attention Network for Scene Segmentation",
https://arxiv.org/abs/1809.02983.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hsi.layers.attention.sizes import hidden_units


class DualAttention(nn.Module):
    """Position and channel attention, ``(N, C, h, w) -> (N, C, h, w)``.

    To the input are added two mixtures of it: every position receives the values of the positions
    whose keys fit its query, and every channel those of the channels that correlate with it. Each
    is scaled by a learned factor, which starts at 0, so that the block starts as the identity. With
    H values in a query it has ``2 (C H + H) + C C + C + 2`` parameters.

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
        query, key, value = (
            layer(x).flatten(2).transpose(1, 2)  # (N, h w, H) or (N, h w, C)
            for layer in (self.query, self.key, self.value)
        )
        from_positions = F.scaled_dot_product_attention(query, key, value, scale=1.0)
        from_positions = from_positions.transpose(1, 2).reshape(x.shape)
        # PyTorch's form that keeps no (C, C) for each image wants one head, and strides in order
        # also where h w = 1 makes others equally good: those of a copy.
        flat = x.flatten(2).unsqueeze(1).clone(memory_format=torch.contiguous_format)
        from_channels = F.scaled_dot_product_attention(flat, flat, flat, scale=1.0).view_as(x)
        return x + self.position_scale * from_positions + self.channel_scale * from_channels
