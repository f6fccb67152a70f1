"""Efficient channel attention: each channel is weighted by itself and a few neighbours.

Wang, Wu, Zhu, Li, Zuo, Hu (2020), "ECA-Net: Efficient Channel Attention for Deep Convolutional
Neural Networks", https://arxiv.org/abs/1910.03151.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from hsi.errors import UsageError
from hsi.layers.attention.sizes import check_count


class EfficientChannelAttention(nn.Module):
    """Efficient channel attention, ``(N, C, h, w) -> (N, C, h, w)``.

    A 1-D convolution of size k over the means of the channels, without bias, gives weights between
    0 and 1: k parameters. Channels beyond the first and the last count as 0. Maps may have bands,
    too: ``(N, C, bands, h, w)``.

    Parameters
    ----------
    channels : int
        C.
    gamma, b : float
        k follows from C by `kernel_size`.

    Raises
    ------
    UsageError
        If `channels` is no whole number of at least 1 or `gamma` is not positive.
    """

    def __init__(self, channels: int, *, gamma: float = 2, b: float = 1) -> None:
        super().__init__()
        size = kernel_size(channels, gamma=gamma, b=b)
        self.conv = nn.Conv1d(1, 1, size, padding=size // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Weight the channels of `x`."""
        places = tuple(range(2, x.ndim))
        means = x.mean(dim=places).unsqueeze(1)  # (N, 1, C)
        weights = torch.sigmoid(self.conv(means)).squeeze(1)
        return x * weights.view(*weights.shape, *(1 for _ in places))


def kernel_size(channels: int, *, gamma: float = 2, b: float = 1) -> int:
    """Return the odd number nearest to ``|log2(channels) + b| / gamma``, of two the larger.

    Examples
    --------
    >>> [kernel_size(channels) for channels in (1, 64, 256, 512, 2048)]
    [1, 3, 5, 5, 7]
    """
    check_count("channels", channels)
    if not gamma > 0 or not math.isfinite(gamma + b):
        raise UsageError(f"gamma must be positive and b finite, not {gamma} and {b}")
    return 2 * int(abs(math.log2(channels) + b) / gamma / 2) + 1
