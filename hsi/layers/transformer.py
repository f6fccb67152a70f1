"""The encoder layer of transformers, with the norms before attention and perceptron.

Vaswani et al. (2017), "Attention Is All You Need", https://arxiv.org/abs/1706.03762; as Dosovitskiy
et al. (2021), "An Image is Worth 16x16 Words", https://arxiv.org/abs/2010.11929, have it.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class EncoderLayer(nn.Module):
    """Self-attention and a perceptron, each added to its input, ``(N, tokens, C) -> same``.

    Parameters
    ----------
    width : int
        C.
    heads : int
        Heads of the attention, a divisor of C.
    hidden : int
        Hidden units of the perceptron.
    dropout : float
        Probability of dropping a value after each linear layer of the residuals.
    bias : bool
        Whether queries, keys and values have a bias.
    """

    def __init__(
        self, width: int, *, heads: int, hidden: int, dropout: float, bias: bool = True
    ) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.to_query = nn.Linear(width, width, bias=bias)
        self.to_key_and_value = nn.Linear(width, 2 * width, bias=bias)
        self.mix = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.norm2 = nn.LayerNorm(width)
        self.perceptron = nn.Sequential(
            nn.Linear(width, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, width),
            nn.Dropout(dropout),
        )

    def forward(self, tokens: Tensor, *, wanted: int | None = None) -> Tensor:
        """Return all tokens, or the first ones that are `wanted`, which look at all the same."""
        x = self.norm1(tokens)
        query = self.to_query(x[:, :wanted])
        key, value = self.to_key_and_value(x).chunk(2, dim=2)
        found = F.scaled_dot_product_attention(
            self._apart(query), self._apart(key), self._apart(value)
        )
        tokens = tokens[:, :wanted] + self.dropout(self.mix(found.transpose(1, 2).flatten(2)))
        return tokens + self.perceptron(self.norm2(tokens))

    def _apart(self, x: Tensor) -> Tensor:
        """Give each head its part, ``(N, tokens, C) -> (N, heads, tokens, C / heads)``."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)
