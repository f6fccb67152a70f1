"""Squeeze-and-excitation taken apart: what its two layers are there for.

Three ablations of Wang et al. (2020), "ECA-Net: Efficient Channel Attention for Deep Convolutional
Neural Networks", https://arxiv.org/abs/1910.03151, section 3.2. None has fewer hidden units than
channels, and the first two let no channel see another.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsi.layers.attention.sizes import check_count


class SEVar1(nn.Module):
    """Channels weighted by the sigmoid of their own mean, ``(N, C, h, w) -> (N, C, h, w)``.

    No parameters.

    Parameters
    ----------
    channels : int
        C.

    Raises
    ------
    UsageError
        If it is no whole number of at least 1.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        check_count("channels", channels)

    def forward(self, x: Tensor) -> Tensor:
        """Weight the channels of `x`."""
        return x * torch.sigmoid(x.mean(dim=(2, 3), keepdim=True))


class SEVar2(nn.Module):
    """Channels weighted by their own mean times one weight, ``(N, C, h, w) -> (N, C, h, w)``.

    C parameters, which start at 1 as in `SEVar1`.

    Parameters
    ----------
    channels : int
        C.

    Raises
    ------
    UsageError
        If it is no whole number of at least 1.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        check_count("channels", channels)
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Weight the channels of `x`."""
        return x * torch.sigmoid(self.weight * x.mean(dim=(2, 3), keepdim=True))


class SEVar3(nn.Module):
    """Channels weighted by a matrix times all means, ``(N, C, h, w) -> (N, C, h, w)``.

    C squared parameters, and no bias.

    Parameters
    ----------
    channels : int
        C.

    Raises
    ------
    UsageError
        If it is no whole number of at least 1.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        check_count("channels", channels)
        self.fc = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Weight the channels of `x`."""
        return x * torch.sigmoid(self.fc(x.mean(dim=(2, 3), keepdim=True)))
