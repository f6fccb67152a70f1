"""Squeeze-and-excitation: each channel is weighted by what all channels hold on average.

Hu, Shen, Sun (2018), "Squeeze-and-Excitation Networks", https://arxiv.org/abs/1709.01507.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from hsi.layers.attention.sizes import check_count, hidden_units


class SqueezeExcitation(nn.Module):
    """Squeeze-and-excitation, ``(N, C, h, w) -> (N, C, h, w)``.

    The means of all channels go through two layers, with biases, to weights between 0 and 1. With H
    hidden units it has ``2 C H + H + C`` parameters; the names of its layers are torchvision's.

    Parameters
    ----------
    channels : int
        C.
    reduction : int
        H is ``C // reduction``, at least 1.
    units : int, optional
        H itself, instead.
    activation : callable
        Makes the activation between the two layers; the paper's is the ReLU.

    Raises
    ------
    UsageError
        If a number is no whole number of at least 1.
    """

    def __init__(
        self,
        channels: int,
        *,
        reduction: int = 16,
        units: int | None = None,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        if units is None:
            units = hidden_units(channels, reduction=reduction)
        check_count("channels", channels)
        check_count("units", units)
        self.fc1 = nn.Conv2d(channels, units, 1)
        self.activation = activation()
        self.fc2 = nn.Conv2d(units, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Weight the channels of `x`."""
        squeezed = x.mean(dim=(2, 3), keepdim=True)  # (N, C, 1, 1)
        return x * torch.sigmoid(self.fc2(self.activation(self.fc1(squeezed))))
