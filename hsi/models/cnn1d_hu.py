"""Hu's 1-D CNN: one convolution along the spectrum of a pixel.

Hu, Huang, Wei, Zhang, Li (2015), "Deep Convolutional Neural Networks for Hyperspectral Image
Classification", https://doi.org/10.1155/2015/258619. Sizes for 220 bands::

    layer                        kernel    output (channels, bands)
    1-D                          24        20, 197                   a ninth of the bands
    max pooling, tanh            5         20, 40                    a fifth of the kernel
    linear, tanh                 -         100
    linear                       -         classes

A ninth is rounded down, a fifth up, and the last window of the pooling may be partly empty: so come
the 24, 5 and 40 of the paper, and its 81,408 parameters for 8 classes. Code that goes around rounds
the ninth up and drops what does not fill a window.

Weights and biases are drawn from -0.05 to 0.05, as in the paper. It has no norm and no dropout;
here there is dropout before the last layer.
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from einops.layers.torch import Rearrange
from torch import Tensor, nn

from hsi.layers import MergeBands, SpectralConv
from hsi.layers.convolutions import Norm
from hsi.layers.spectra import as_maps, as_rows
from hsi.models.network import PatchNetwork
from hsi.models.sizes import check_sizes

KERNELS = 20
HIDDEN = 100
# Bands for one of the kernel, and bands of the kernel for one of the pooling.
BANDS_PER_KERNEL, KERNEL_PER_POOLING = 9, 5
LARGEST_WEIGHT = 0.05


class SpectralMaxPool(nn.Module):
    """Largest value of each few bands, ``(N, C, bands, h, w) -> (N, C, bands / size, h, w)``.

    The last few may be fewer.

    Parameters
    ----------
    size : int
        Bands in a window.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """Pool `x`."""
        return as_maps(F.max_pool2d(as_rows(x), (1, self.size), ceil_mode=True), x)


def cnn1d_hu(
    *,
    bands: int,
    classes: int,
    patch_size: int = 1,
    norm: Norm = "batch",
    dropout: float = 0.0,
) -> PatchNetwork:
    """Build the 1-D CNN; all of it acts on each pixel alone.

    Parameters
    ----------
    bands : int
        Bands of a pixel; the paper's are all bands.
    classes : int
        Number of classes, at least 2.
    patch_size : {1}
        Side of a patch.
    norm : {"batch", "none"}
        Without a norm either way, as in the paper.
    dropout : float
        Probability of dropping a hidden unit, in [0, 1).

    Raises
    ------
    UsageError
        If the sizes do not fit.
    """
    check_sizes(
        "cnn1d-hu",
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
        only_patch=1,
        has_norms=False,
    )
    length = max(1, bands // BANDS_PER_KERNEL)
    window = math.ceil(length / KERNEL_PER_POOLING)
    left = math.ceil((bands - length + 1) / window)
    trunk = nn.Sequential(
        Rearrange("n bands h w -> n 1 bands h w"),
        SpectralConv(1, KERNELS, bands=length),
        SpectralMaxPool(window),
        nn.Tanh(),
        MergeBands(),
    )
    head = nn.Sequential(
        nn.Flatten(),
        nn.Linear(KERNELS * left, HIDDEN),
        nn.Tanh(),
        nn.Dropout(dropout),
        nn.Linear(HIDDEN, classes),
    )
    for weight in (*trunk.parameters(), *head.parameters()):
        nn.init.uniform_(weight, -LARGEST_WEIGHT, LARGEST_WEIGHT)
    return PatchNetwork(
        trunk=trunk,
        head=head,
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        receptive_field=1,
    )
