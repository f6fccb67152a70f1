"""The layers of an inverted residual block: narrow ends, and a depthwise convolution between."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from hsi.layers.conv_norm import ConvNorm


def inverted_residual(
    in_channels: int,
    out_channels: int,
    *,
    expansion: int,
    size: int,
    stride: int,
    activation: Callable[[], nn.Module],
    norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
) -> tuple[list[ConvNorm], ConvNorm]:
    """Return the layers that work on the wide map, and the projection that makes it narrow again.

    Sandler, Howard, Zhu, Zhmoginov, Chen (2018), "MobileNetV2: Inverted Residuals and Linear
    Bottlenecks", https://arxiv.org/abs/1801.04381::

        expand      1x1             in -> expansion * in      activation; left out if expansion is 1
        filter      depthwise       of side size, with the stride         activation
        project     1x1             expansion * in -> out                 linear

    A family puts attention and the shortcut where its paper has them.
    """
    wide = expansion * in_channels
    layers = []
    if expansion > 1:
        layers.append(ConvNorm(in_channels, wide, size=1, activation=activation, norm=norm))
    layers.append(
        ConvNorm(
            wide, wide, size=size, stride=stride, groups=wide, activation=activation, norm=norm
        )
    )
    return layers, ConvNorm(wide, out_channels, size=1, norm=norm)
