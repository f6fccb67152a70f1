"""A2S2K-ResNet: a choice between two kernels, then spectral and spatial residual blocks.

Roy, Manna, Song, Bruzzone (2021), "Attention-Based Adaptive Spectral-Spatial Kernel ResNet for
Hyperspectral Image Classification", https://doi.org/10.1109/TGRS.2020.3043267. Sizes for 200 bands
and 9x9 patches::

    layer                          kernel               output (channels, bands, h, w)
    3-D, chosen between two        7x1x1, 7x3x3; /2     24, 97, 9, 9      padded in space
    2 residual blocks of two 3-D   7x1x1                24, 97, 9, 9      padded
    3-D                            97x1x1               128, 1, 9, 9
    3-D, over all 128 channels     3x3                  24, 1, 7, 7
    2 residual blocks of two 2-D   3x3                  24, 1, 7, 7       padded
    mean, linear                   -                    classes

Each residual is weighted, channel by channel (efficient feature recalibration, that is ECA-Net's
attention). Norms stand where the improved residual networks that the paper follows have them: Duta,
Liu, Zhu, Shao (2020), https://arxiv.org/abs/2004.04989. The choice depends on the mean of a whole
patch, so there is no trunk.

Where the authors' code is not what the paper says, this is:

- The weights of both kernels come there from one and the same layer, so that they are always one
  half; in the paper each kernel has its own.
- The mean is there over the upper left 5x5 positions, all of them with 7x7 patches alone.
- Of the 3x3 weights of a recalibration, six meet nothing but zeros; here there are three.
- Another ReLU stands there before the second norm of a residual. And what has no effect is left
  out: norms that are never called, biases that a norm takes away again.
"""

from __future__ import annotations

import torch
from einops.layers.torch import Rearrange
from torch import Tensor, nn

from hsi.layers import MergeBands, SpectralConv, SpectralSpatialConv, TrunkBatchNorm3d
from hsi.layers.attention.eca import EfficientChannelAttention
from hsi.layers.convolutions import Norm
from hsi.layers.residual import Residual
from hsi.models.network import PatchNetwork
from hsi.models.sizes import check_sizes

KERNELS = 24
# Bands under a kernel, and the stride of the first convolutions along them.
SPECTRAL_SIZE, STRIDE = 7, 2
MERGED = 128
SPATIAL_SIZE = 3
# Hidden units for the choice between the kernels: the bands, divided by this.
REDUCTION = 2


class ChosenKernels(nn.Module):
    """Convolutions with two kernels, and for each channel a choice between them.

    ``(N, 1, bands, h, w) -> (N, out, bands', h, w)``. The weights of both, which add up to one, are
    found from the means of the sum of both. Li, Wang, Hu, Yang (2019), "Selective Kernel Networks",
    https://arxiv.org/abs/1903.06586.

    Parameters
    ----------
    out_channels : int
        Number of channels.
    hidden : int
        Units between the means and the weights.
    """

    def __init__(self, out_channels: int, *, hidden: int) -> None:
        super().__init__()
        edge = SPATIAL_SIZE // 2
        self.spectral = nn.Sequential(
            SpectralConv(1, out_channels, bands=SPECTRAL_SIZE, stride=STRIDE, bias=False),
            *_norm_3d(out_channels),
        )
        self.spatial = nn.Sequential(
            nn.ConstantPad3d((edge, edge, edge, edge, 0, 0), 0.0),
            SpectralSpatialConv(
                1, out_channels, bands=SPECTRAL_SIZE, size=SPATIAL_SIZE, stride=STRIDE, bias=False
            ),
            *_norm_3d(out_channels),
        )
        self.squeeze = nn.Linear(out_channels, hidden)
        self.excite = nn.Linear(hidden, 2 * out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x`."""
        spectral, spatial = self.spectral(x), self.spatial(x)
        means = spectral.mean(dim=(2, 3, 4)) + spatial.mean(dim=(2, 3, 4))  # (N, out)
        scores = self.excite(torch.relu(self.squeeze(means))).unflatten(1, (2, -1))
        weights = scores.softmax(dim=1)[..., None, None, None]  # (N, 2, out, 1, 1, 1)
        return weights[:, 0] * spectral + weights[:, 1] * spatial


def a2s2k(
    *,
    bands: int,
    classes: int,
    patch_size: int = 9,
    norm: Norm = "batch",
    dropout: float = 0.0,
) -> PatchNetwork:
    """Build A2S2K-ResNet with two spectral and two spatial residual blocks.

    Parameters
    ----------
    bands : int
        Bands of a patch, at least 7; the paper's are all bands.
    classes : int
        Number of classes, at least 2.
    patch_size : int
        Side of a patch, odd and at least 3.
    norm : {"batch"}
        Batch norms, as in the paper.
    dropout : float
        Probability of dropping a value before the last layer, in [0, 1). The paper has none.

    Raises
    ------
    UsageError
        If the sizes do not fit, and the message names the smallest that do; or if it is to go
        without norms.
    """
    check_sizes(
        "a2s2k",
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
        fewest_bands=SPECTRAL_SIZE,
        smallest_patch=SPATIAL_SIZE,
    )
    left = (bands - SPECTRAL_SIZE) // STRIDE + 1
    head = nn.Sequential(
        Rearrange("n bands h w -> n 1 bands h w"),
        ChosenKernels(KERNELS, hidden=bands // REDUCTION),
        Residual(
            _along_bands(bias=False),
            *_norm_3d(KERNELS),
            _along_bands(bias=False),
            TrunkBatchNorm3d(KERNELS),
            EfficientChannelAttention(KERNELS),
        ),
        Residual(
            *_norm_3d(KERNELS),
            _along_bands(bias=False),
            *_norm_3d(KERNELS),
            _along_bands(bias=True),
            EfficientChannelAttention(KERNELS),
        ),
        SpectralConv(KERNELS, MERGED, bands=left, bias=False),  # (N, 128, 1, h, w)
        *_norm_3d(MERGED),
        MergeBands(),
        nn.Conv2d(MERGED, KERNELS, SPATIAL_SIZE, bias=False),  # (N, 24, h - 2, w - 2)
        *_norm_2d(),
        _spatial_block(),
        _spatial_block(),
        *_norm_2d(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(KERNELS, classes),
    )
    return PatchNetwork(
        trunk=nn.Identity(),
        head=head,
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        receptive_field=1,
    )


def _spatial_block() -> Residual:
    return Residual(
        *_norm_2d(),
        _in_space(bias=False),
        *_norm_2d(),
        _in_space(bias=True),
        EfficientChannelAttention(KERNELS),
    )


def _along_bands(*, bias: bool) -> nn.Module:
    return SpectralConv(
        KERNELS, KERNELS, bands=SPECTRAL_SIZE, padding=SPECTRAL_SIZE // 2, bias=bias
    )


def _in_space(*, bias: bool) -> nn.Module:
    return nn.Conv2d(KERNELS, KERNELS, SPATIAL_SIZE, padding=SPATIAL_SIZE // 2, bias=bias)


def _norm_3d(channels: int) -> list[nn.Module]:
    # Not in place: what the norm returns is a view, of which PyTorch would copy more than it saves.
    return [TrunkBatchNorm3d(channels), nn.ReLU()]


def _norm_2d() -> list[nn.Module]:
    return [nn.BatchNorm2d(KERNELS), nn.ReLU(inplace=True)]
