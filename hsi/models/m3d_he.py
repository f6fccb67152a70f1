"""M3D-DCNN: 3-D convolutions of several lengths along the bands, added up.

He, Li, Chen (2017), "Multi-Scale 3D Deep Convolutional Neural Network for Hyperspectral Image
Classification", https://doi.org/10.1109/ICIP.2017.8297014. Sizes for 200 bands and 7x7 patches; a
ReLU follows each row of convolutions::

    layer                      kernel         stride    output (channels, bands, h, w)
    3-D                        11x3x3         3x1x1     16, 64, 5, 5
    1-D of 4 lengths, added    1, 3, 5, 11    1         16, 64, 5, 5         padded
    1-D of 4 lengths, added    1, 3, 5, 11    1         16, 64, 5, 5         padded
    3-D                        3x2x2          1         16, 62, 4, 4
    max pooling                3x2x2          3x2x2     16, 20, 2, 2
    linear                     -              -         classes              dropout 0.6 before

Pooled at every position instead of at every second one, it is a trunk up to the pooling, and the
head takes every second position of its window. DeepHyperX, by whose code this network is known,
declares the pooling and leaves it out, so that its last layer is twelve times as large.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops.layers.torch import Rearrange
from torch import Tensor, nn

from hsi.layers import MergeBands, SpectralConv, SpectralSpatialConv
from hsi.layers.convolutions import Norm
from hsi.layers.spectra import as_maps, as_rows
from hsi.models.network import PatchNetwork
from hsi.models.sizes import check_sizes

KERNELS = 16
# Bands under the kernel and stride along them of the first convolution.
FIRST_LENGTH, FIRST_STRIDE = 11, 3
LENGTHS = (1, 3, 5, 11)
LAST_LENGTH, POOLED = 3, 3
# 3x3, 2x2, and 2x2 of the pooling.
RECEPTIVE_FIELD = 5
FEWEST_BANDS = FIRST_LENGTH + FIRST_STRIDE * (LAST_LENGTH - 1 + POOLED - 1)


class MultiScaleConv(nn.Module):
    """Convolutions of several lengths along bands, added up, of equal shape before and after.

    ``(N, C, bands, h, w)``. Their sum is one convolution with the sum of the kernels, each padded
    to the longest, and so it is computed.

    Parameters
    ----------
    channels : int
        C.
    lengths : tuple of int
        Bands under each kernel, odd.
    """

    def __init__(self, channels: int, *, lengths: tuple[int, ...]) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            SpectralConv(channels, channels, bands=length, padding=length // 2)
            for length in lengths
        )
        self.longest = max(lengths)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x`."""
        kernels: list[Tensor] = []
        biases: list[Tensor] = []
        for scale in self.scales:
            assert isinstance(scale, SpectralConv)
            assert scale.bias is not None
            missing = (self.longest - scale.kernel_size[0]) // 2
            kernels.append(F.pad(scale.weight.flatten(2), (missing, missing)))  # (C, C, longest)
            biases.append(scale.bias)
        kernel, bias = torch.stack(kernels).sum(dim=0), torch.stack(biases).sum(dim=0)
        padding = (0, self.longest // 2)
        return as_maps(F.conv2d(as_rows(x), kernel.unsqueeze(2), bias, padding=padding), x)


class EverySecond(nn.Module):
    """Every second row and column, ``(N, C, k, k) -> (N, C, (k + 1) / 2, (k + 1) / 2)``."""

    def forward(self, x: Tensor) -> Tensor:
        """Choose from `x`."""
        return x[:, :, ::2, ::2]


def m3d_he(
    *,
    bands: int,
    classes: int,
    patch_size: int = 7,
    norm: Norm = "batch",
    dropout: float = 0.6,
) -> PatchNetwork:
    """Build M3D-DCNN.

    Parameters
    ----------
    bands : int
        Bands of a patch, at least 23; the paper's are all bands.
    classes : int
        Number of classes, at least 2.
    patch_size : int
        Side of a patch, odd and at least 5; the paper's is 7.
    norm : {"batch", "none"}
        Without a norm either way, as in the paper.
    dropout : float
        Probability of dropping a value before the last layer, in [0, 1).

    Raises
    ------
    UsageError
        If the sizes do not fit, and the message names the smallest that do.
    """
    check_sizes(
        "m3d-he",
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
        fewest_bands=FEWEST_BANDS,
        smallest_patch=RECEPTIVE_FIELD,
        has_norms=False,
    )
    trunk = nn.Sequential(
        Rearrange("n bands h w -> n 1 bands h w"),
        SpectralSpatialConv(1, KERNELS, bands=FIRST_LENGTH, size=3, stride=FIRST_STRIDE),
        nn.ReLU(inplace=True),
        MultiScaleConv(KERNELS, lengths=LENGTHS),
        nn.ReLU(inplace=True),
        MultiScaleConv(KERNELS, lengths=LENGTHS),
        nn.ReLU(inplace=True),
        SpectralSpatialConv(KERNELS, KERNELS, bands=LAST_LENGTH, size=2),
        nn.ReLU(inplace=True),
        nn.MaxPool3d((POOLED, 2, 2), stride=(POOLED, 1, 1)),
        MergeBands(),
    )
    left = ((bands - FIRST_LENGTH) // FIRST_STRIDE + 1 - (LAST_LENGTH - 1)) // POOLED
    side = (patch_size - RECEPTIVE_FIELD) // 2 + 1
    head = nn.Sequential(
        EverySecond(),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(KERNELS * left * side**2, classes),
    )
    return PatchNetwork(
        trunk=trunk,
        head=head,
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        receptive_field=RECEPTIVE_FIELD,
    )
