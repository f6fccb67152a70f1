"""A convolution that keeps the size, and the same with batch norm and activation behind it."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn


def same_conv(
    in_channels: int, out_channels: int, *, size: int, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    """Return a convolution without bias, ``(N, C, h, w) -> (N, out, h / stride, w / stride)``.

    `size` is odd and the padding ``size // 2``, so that only the stride makes the map smaller,
    rounded up. Initial weights are normal with the variance of He et al. (2015), "Delving Deep into
    Rectifiers", https://arxiv.org/abs/1502.01852, for the gradient (fan out).
    """
    layer = nn.Conv2d(
        in_channels, out_channels, size, stride, padding=size // 2, groups=groups, bias=False
    )
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer


class ConvNorm(nn.Sequential):
    """`same_conv`, batch norm, and an activation or none; their state-dict keys are 0 and 1.

    ``(N, C, h, w) -> (N, out, h / stride, w / stride)``, rounded up.

    Parameters
    ----------
    in_channels, out_channels, size, stride, groups : int
        As for `same_conv`.
    activation : callable, optional
        Makes the activation.
    norm : callable
        From a number of channels to the norm.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        size: int,
        stride: int = 1,
        groups: int = 1,
        activation: Callable[[], nn.Module] | None = None,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    ) -> None:
        super().__init__(
            same_conv(in_channels, out_channels, size=size, stride=stride, groups=groups),
            norm(out_channels),
            *([activation()] if activation else []),
        )
