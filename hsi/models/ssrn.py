"""SSRN: residual blocks along the bands, then residual blocks in space.

Zhong, Li, Luo, Chapman (2018), "Spectral-Spatial Residual Network for Hyperspectral Image
Classification: A 3-D Deep Learning Framework", https://doi.org/10.1109/TGRS.2017.2755542. Sizes for
200 bands and 7x7 patches; norm and ReLU come before each convolution but the first, and before the
pooling::

    layer                         kernel       output (channels, bands, h, w)
    3-D                           7x1x1, /2    24, 97, 7, 7
    2 residual blocks of two 3-D  7x1x1        24, 97, 7, 7      padded
    3-D                           97x1x1       128, 1, 7, 7
    3-D, over all 128 channels    3x3          24, 1, 5, 5
    2 residual blocks of two 2-D  3x3          24, 1, 5, 5       padded
    mean, dropout 0.5, linear     -            classes

All that goes along the bands sees each pixel alone, and the 3x3 convolution after it is not padded:
so far it is a trunk. No convolution has a bias, since a batch norm follows each on every way
to the result and takes it away again.

The paper's shortcuts are identities, and so they are here. In the Keras code that goes around,
those of the spatial blocks are 1x1x1 convolutions, since it takes an axis of length 1 for one that
has been halved; and it normalises twice where each kind of block ends.
"""

from __future__ import annotations

from einops.layers.torch import Rearrange
from torch import nn

from hsi.layers import MergeBands, SpectralConv, TrunkBatchNorm2d, TrunkBatchNorm3d
from hsi.layers.convolutions import Norm
from hsi.layers.residual import Residual
from hsi.models.network import PatchNetwork
from hsi.models.sizes import check_sizes

KERNELS = 24
# Bands under a kernel, and the stride of the first convolution along them.
SPECTRAL_SIZE, STRIDE = 7, 2
MERGED = 128
SPATIAL_SIZE = 3


def ssrn(
    *,
    bands: int,
    classes: int,
    patch_size: int = 7,
    norm: Norm = "batch",
    dropout: float = 0.5,
) -> PatchNetwork:
    """Build SSRN with two spectral and two spatial residual blocks.

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
        Probability of dropping a value before the last layer, in [0, 1).

    Raises
    ------
    UsageError
        If the sizes do not fit, and the message names the smallest that do; or if it is to go
        without norms.
    """
    check_sizes(
        "ssrn",
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
        fewest_bands=SPECTRAL_SIZE,
        smallest_patch=SPATIAL_SIZE,
    )
    left = (bands - SPECTRAL_SIZE) // STRIDE + 1
    trunk = nn.Sequential(
        Rearrange("n bands h w -> n 1 bands h w"),
        SpectralConv(1, KERNELS, bands=SPECTRAL_SIZE, stride=STRIDE, bias=False),
        *_norm_3d(KERNELS),
        Residual(_along_bands(), *_norm_3d(KERNELS), _along_bands()),
        Residual(*_norm_3d(KERNELS), _along_bands(), *_norm_3d(KERNELS), _along_bands()),
        *_norm_3d(KERNELS),
        SpectralConv(KERNELS, MERGED, bands=left, bias=False),  # (N, 128, 1, h, w)
        *_norm_3d(MERGED),
        MergeBands(),
        nn.Conv2d(MERGED, KERNELS, SPATIAL_SIZE, bias=False),  # (N, 24, h - 2, w - 2)
        TrunkBatchNorm2d(KERNELS),
        nn.ReLU(inplace=True),
    )
    head = nn.Sequential(
        Residual(_in_space(), *_norm_2d(), _in_space()),
        Residual(*_norm_2d(), _in_space(), *_norm_2d(), _in_space()),
        *_norm_2d(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(KERNELS, classes),
    )
    for layer in (*trunk.modules(), *head.modules()):
        if isinstance(layer, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(layer.weight)
    return PatchNetwork(
        trunk=trunk,
        head=head,
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        receptive_field=SPATIAL_SIZE,
    )


def _along_bands() -> nn.Module:
    return SpectralConv(
        KERNELS, KERNELS, bands=SPECTRAL_SIZE, padding=SPECTRAL_SIZE // 2, bias=False
    )


def _in_space() -> nn.Module:
    return nn.Conv2d(KERNELS, KERNELS, SPATIAL_SIZE, padding=SPATIAL_SIZE // 2, bias=False)


def _norm_3d(channels: int) -> list[nn.Module]:
    # Not in place: what the norm returns is a view, of which PyTorch would copy more than it saves.
    return [TrunkBatchNorm3d(channels), nn.ReLU()]


def _norm_2d() -> list[nn.Module]:
    return [nn.BatchNorm2d(KERNELS), nn.ReLU(inplace=True)]
