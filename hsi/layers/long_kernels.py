"""3-D convolutions whose kernels lie under many bands, quick on CPUs too.

Along the bands a convolution is a product of spectra: with the matrix of the discrete Fourier
transform, maps and kernels become as many numbers as there are bands, or nearly so, and to each of
them belongs one 2-D convolution instead of one for each band under the kernel. For 32 bands under a
kernel that is a tenth of the multiplications. A complex product takes three real ones (Gauss), and
what they are to be added up to is part of the matrices; since these are multiplied with as they
are, the spectra need no layout of their own.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Numbers of a spectrum that are computed at a time: they need not all be in memory at once.
AT_ONCE = 64


class LongSpectralConv(nn.Conv3d):
    """3-D convolution ``(N, C, bands, h, w) -> (N, out, bands', h', w')``, unpadded.

    A plain `torch.nn.Conv3d`, weights and all, but for the way to it on CPUs. A result has the
    channels of a band next to each other in memory, and so have maps that are quickly convolved.

    Parameters
    ----------
    in_channels, out_channels : int
        Numbers of channels.
    bands, size : int
        Bands under the kernel, and its side.
    """

    def __init__(self, in_channels: int, out_channels: int, *, bands: int, size: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=(bands, size, size))

    def forward(self, x: Tensor, *, dilation: int = 1) -> Tensor:
        """Convolve `x` with kernels whose rows and columns are `dilation` apart."""
        # Whatever runs an exported graph has ways of its own.
        if x.device.type != "cpu" or torch.compiler.is_exporting():
            return F.conv3d(x, self.weight, self.bias, dilation=(1, dilation, dilation))
        # Half precision has too few digits for sums over spectra.
        kind = torch.promote_types(self.weight.dtype, torch.float32)
        with torch.autocast("cpu", enabled=False):
            return self._by_spectra(x.to(kind), dilation).to(x.dtype)

    def _by_spectra(self, x: Tensor, dilation: int) -> Tensor:
        matrices = spectral_matrices(x.shape[2], self.kernel_size[0])
        of_maps, of_kernels, back = (each.to(x.dtype) for each in matrices)
        maps = x.transpose(1, 2).contiguous()  # (N, bands, C, h, w)
        kernels = self.weight.to(x.dtype).transpose(0, 2).transpose(1, 2)  # (depth, out, C, k, k)
        out: Tensor | None = None
        for some in torch.arange(len(of_maps)).split(AT_ONCE):
            spectra = along_bands(of_maps[some], maps).flatten(1, 2)  # (N, some C, h, w)
            weights = along_bands(of_kernels[some], kernels[None])[0].flatten(0, 1)
            products = F.conv2d(spectra, weights, dilation=dilation, groups=len(some))
            part = along_bands(back[:, some], products.unflatten(1, (len(some), -1)))
            out = part if out is None else out.add_(part)  # (N, bands', out, h', w')
        assert out is not None
        if self.bias is not None:
            out.add_(self.bias.to(x.dtype)[:, None, None])
        return out.transpose(1, 2)


def along_bands(matrix: Tensor, x: Tensor) -> Tensor:
    """Multiply the bands of ``(N, bands, C, h, w)`` by a matrix."""
    return torch.matmul(matrix, x.flatten(2)).unflatten(2, x.shape[2:])


class SpectralMatrices(NamedTuple):
    """``back @ ((of_maps @ x) * (of_kernels @ k))`` is the convolution of x with k, unpadded."""

    of_maps: Tensor
    """``(F, bands)``."""
    of_kernels: Tensor
    """``(F, depth)``."""
    back: Tensor
    """``(bands - depth + 1, F)``."""


@lru_cache(maxsize=16)
def spectral_matrices(bands: int, depth: int) -> SpectralMatrices:
    """Return the matrices for so many bands and so many under the kernel, in float64.

    Of a circular convolution, the values whose kernel does not reach around the end are taken.

    Examples
    --------
    >>> of_maps, of_kernels, back = spectral_matrices(5, 2)
    >>> x, kernel = torch.arange(5.0).double(), torch.tensor([1.0, 10.0]).double()
    >>> (back @ ((of_maps @ x) * (of_kernels @ kernel))).round(decimals=6).tolist()
    [10.0, 21.0, 32.0, 43.0]
    """
    place = torch.arange(bands, dtype=torch.float64)
    of_maps, of_kernels, back = [], [], []
    for frequency in range(bands // 2 + 1):
        angle = 2 * math.pi * frequency / bands * place
        cos, sin = angle.cos(), angle.sin()
        cos_k, sin_k = cos[:depth], sin[:depth]
        cos_b, sin_b = cos[: bands - depth + 1] / bands, sin[: bands - depth + 1] / bands
        if frequency == 0 or 2 * frequency == bands:  # real
            of_maps.append(cos)
            of_kernels.append(cos_k)
            back.append(cos_b)
            continue
        # x = a + ib with a = cos x, b = -sin x; the kernel, conjugated, is c + id.
        # (a + ib)(c + id) = (m1 - m3) + i (m1 + m2)
        # with m1 = c (a + b), m2 = a (d - c), m3 = b (c + d); and two frequencies are conjugates.
        of_maps += [cos - sin, cos, -sin]
        of_kernels += [cos_k, sin_k - cos_k, cos_k + sin_k]
        back += [2 * (cos_b - sin_b), -2 * sin_b, -2 * cos_b]
    return SpectralMatrices(torch.stack(of_maps), torch.stack(of_kernels), torch.stack(back, dim=1))
