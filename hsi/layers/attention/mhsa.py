"""Multi-head self-attention: every position looks at all others.

Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin (2017), "Attention Is All You
Need", https://arxiv.org/abs/1706.03762.
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn

from hsi.layers.attention.sizes import check_count, check_divides


class MultiHeadSelfAttention(nn.Module):
    """Self-attention over positions, added to its input, ``(N, C, h, w) -> (N, C, h, w)``.

    Positions are told apart by what they hold alone: if they change places, so do the results. It
    has ``4 (C C + C)`` parameters, in the two layers that make queries, keys and values and that
    mix the heads.

    Parameters
    ----------
    channels : int
        C.
    heads : int, optional
        Number of heads, a divisor of C; 8, or what it has in common with C.

    Raises
    ------
    UsageError
        If `channels` is no whole number of at least 1 or `heads` does not divide it.
    """

    def __init__(self, channels: int, *, heads: int | None = None) -> None:
        super().__init__()
        check_count("channels", channels)
        if heads is None:
            heads = math.gcd(channels, 8)
        check_divides("heads", heads, channels)
        self.heads = heads
        self.to_parts = nn.Linear(channels, 3 * channels)
        self.mix = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Add to each position of `x` what it finds in all."""
        places = x.flatten(2).transpose(1, 2)  # (N, h w, C)
        parts = self.to_parts(places).unflatten(2, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (N, heads, h w, C / heads)
        found = F.scaled_dot_product_attention(query, key, value)
        mixed = self.mix(found.transpose(1, 2).flatten(2))  # (N, h w, C)
        return x + mixed.transpose(1, 2).reshape(x.shape)
