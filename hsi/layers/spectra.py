"""Convolutions along the bands, of each position alone, quick on CPUs too.

PyTorch's 3-D convolutions with kernels of one pixel are slow on CPUs, several times so for a whole
scene as one input. Here the spectra of all positions are a batch of rows, with all channels of a
band next to each other in memory. A result has that order, so that nothing is rearranged between
one such layer and the next.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class SpectralConv(nn.Conv3d):
    """Convolution along bands, ``(N, C, bands, h, w) -> (N, out, bands', h, w)``.

    A plain `torch.nn.Conv3d` whose kernel is one pixel wide, weights and all.

    Parameters
    ----------
    in_channels, out_channels : int
        Numbers of channels.
    bands : int
        Bands under the kernel.
    stride, padding : int
        Along the bands.
    bias : bool
        Whether something is added to each channel.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        bands: int,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size=(bands, 1, 1),
            stride=(stride, 1, 1),
            padding=(padding, 0, 0),
            bias=bias,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x`."""
        rows = as_rows(x)  # (P, C, 1, bands)
        size, stride, padding = self.kernel_size[0], self.stride[0], int(self.padding[0])
        kernels = self.weight.flatten(2).unsqueeze(2)  # (out, C, 1, size)
        if size == rows.shape[3] and not padding:
            # All bands at once: a matrix product.
            flat = rows.permute(0, 2, 3, 1).flatten(1)
            y = F.linear(flat, kernels.permute(0, 2, 3, 1).flatten(1), self.bias)
            return as_maps(y[:, :, None, None], x)
        if self.in_channels == 1:
            # The bands under the kernel as channels: with one channel there is no fast path.
            rows = F.pad(rows[:, 0, 0], (padding, padding)).unfold(1, size, stride).contiguous()
            rows, kernels = rows.transpose(1, 2).unsqueeze(2), kernels.transpose(1, 3)
            return as_maps(F.conv2d(rows, kernels, self.bias), x)
        return as_maps(F.conv2d(rows, kernels, self.bias, (1, stride), (0, padding)), x)


def as_rows(x: Tensor) -> Tensor:
    """Return the spectra of all positions, ``(N, C, bands, h, w) -> (N h w, C, 1, bands)``.

    Channels last in memory; a view, if all channels of a band and all bands of a position are next
    to each other already.

    Examples
    --------
    >>> import torch
    >>> x = torch.rand(2, 3, 5, 4, 6)
    >>> torch.equal(as_maps(as_rows(x), x), x)
    True
    """
    rows = x.permute(0, 3, 4, 2, 1).flatten(0, 2).contiguous()  # (P, bands, C)
    return rows.transpose(1, 2).unsqueeze(2)


def as_maps(rows: Tensor, like: Tensor) -> Tensor:
    """Return ``(N h w, C, 1, bands)`` as ``(N, C, bands, h, w)``, a view, for N, h, w of `like`."""
    N, _, _, h, w = like.shape
    return rows.squeeze(2).unflatten(0, (N, h, w)).permute(0, 3, 4, 1, 2)
