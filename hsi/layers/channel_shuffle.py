"""Channel shuffle: what lets grouped convolutions hear of each other."""

from __future__ import annotations

from einops import rearrange
from torch import Tensor


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """Deal the channels of each group out over all groups; ``(N, C, h, w)`` before and after.

    C is a multiple of `groups`. Zhang, Zhou, Lin, Sun (2018), "ShuffleNet",
    https://arxiv.org/abs/1707.01083.

    Examples
    --------
    >>> import torch
    >>> channel_shuffle(torch.arange(6).reshape(1, 6, 1, 1), 2).flatten()
    tensor([0, 3, 1, 4, 2, 5])
    """
    return rearrange(x, "n (group c) h w -> n (c group) h w", group=groups)
