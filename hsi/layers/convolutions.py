"""Convolutions over bands and space, unpadded and with stride 1 by default, as a trunk needs them.

All keep the channels last in memory, which is the quick way on CPUs and on tensor cores.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hsi.layers.norm import TrunkBatchNorm2d

Norm = Literal["batch", "none"]

# PyTorch takes its slow 3-D convolution, six times slower here, for a single input with at most so
# many rows in all channels and bands together (`use_mkldnn` in its Convolution.cpp), on CPUs.
SMALL = 20480


class SpectralSpatialConv(nn.Conv3d):
    """3-D convolution ``(N, C, bands, h, w) -> (N, out, bands', h', w')``, quick on CPUs too.

    A plain `torch.nn.Conv3d`, weights and all. Given one input channel, PyTorch has no fast path on
    a CPU; there the bands under the kernel become the input channels of a 2-D convolution, which
    is the same sum. So do the positions under a kernel as wide as the map. The stride is along the
    bands.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        bands: int,
        size: int,
        stride: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size=(bands, size, size),
            stride=(stride, 1, 1),
            bias=bias,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x`."""
        if torch.compiler.is_exporting():
            # What is quickest on maps of a size is for whatever runs the graph to decide.
            return super().forward(x)
        if self.in_channels != 1 or x.device.type != "cpu":
            if x.device.type == "cpu" and x.shape[3:] == self.kernel_size[1:]:
                return self._along_bands(x)
            x = x.contiguous(memory_format=torch.channels_last_3d)
            if x.device.type == "cpu" and x.shape[0] == 1 and x.shape[:4].numel() <= SMALL:
                return self._in_halves(x)
            return super().forward(x)
        depth = self.kernel_size[0]
        slabs = x.squeeze(1).unfold(1, depth, self.stride[0])  # (N, bands', h, w, depth), a view
        slabs = slabs.flatten(0, 1).permute(0, 3, 1, 2)  # (N bands', depth, h, w), channels last
        # In mixed precision too: its gradient in bfloat16 takes twice as long on a CPU.
        with torch.autocast("cpu", enabled=False):
            slabs = slabs.to(self.weight.dtype)
            out = F.conv2d(slabs, self.weight.squeeze(1), self.bias)  # (N bands', out, h', w')
        return out.unflatten(0, (x.shape[0], -1)).transpose(1, 2)  # (N, out, bands', h', w')

    def _along_bands(self, x: Tensor) -> Tensor:
        """Convolve a map that the kernel covers, with its positions as channels."""
        rows = x.permute(0, 2, 3, 4, 1).flatten(2).transpose(1, 2).unsqueeze(2)  # (N, k k C, 1, b)
        kernels = self.weight.permute(0, 3, 4, 1, 2).flatten(1, 3).unsqueeze(2)
        out = F.conv2d(rows, kernels, self.bias, (1, self.stride[0]))  # (N, out, 1, bands')
        return out.transpose(2, 3).unsqueeze(4)

    def _in_halves(self, x: Tensor) -> Tensor:
        """Convolve the upper and the lower half of a map as a batch of two."""
        rows = x.shape[3] - self.kernel_size[1] + 1
        half = (rows + 1) // 2
        seen = half + self.kernel_size[1] - 1
        halves = torch.cat([x[:, :, :, :seen], x[:, :, :, -seen:]])
        upper, lower = super().forward(halves).split(1)
        return torch.cat([upper, lower[:, :, :, 2 * half - rows :]], dim=3)


class MergeBands(nn.Module):
    """Make bands and channels one axis: ``(N, C, bands, h, w) -> (N, bands * C, h, w)``.

    Bands vary slowest, so that whole runs of channels are copied into a map with channels last.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Rearrange `x`."""
        return x.permute(0, 3, 4, 2, 1).flatten(3).permute(0, 3, 1, 2)


class DepthwiseSeparableConv(nn.Sequential):
    """Depthwise convolution and pointwise 1x1, each followed by a norm and a ReLU.

    ``(N, C, h, w) -> (N, out, h - size + 1, w - size + 1)`` without `padding` and `stride`, which
    are those of the depthwise convolution.

    Chollet (2017), "Xception", https://arxiv.org/abs/1610.02357; the order of norm and activation
    is that of Howard et al. (2017), "MobileNets", https://arxiv.org/abs/1704.04861.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        size: int,
        norm: Norm,
        stride: int = 1,
        padding: int = 0,
    ) -> None:
        bias = norm == "none"
        super().__init__(
            nn.Conv2d(
                in_channels, in_channels, size, stride, padding, groups=in_channels, bias=bias
            ),
            *normalization(norm, in_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(in_channels, out_channels, 1, bias=bias),
            *normalization(norm, out_channels),
            nn.ReLU(inplace=True),
        )


def normalization(norm: Norm, channels: int) -> list[nn.Module]:
    """Return the layers that `norm` stands for: one batch norm, or nothing."""
    return [TrunkBatchNorm2d(channels)] if norm == "batch" else []
