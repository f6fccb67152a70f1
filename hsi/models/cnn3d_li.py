"""Li's 3-D CNN: two 3-D convolutions of few kernels.

Li, Zhang, Shen (2017), "Spectral-Spatial Classification of Hyperspectral Imagery with 3D
Convolutional Neural Network", https://doi.org/10.3390/rs9010067. Sizes for 103 bands and 5x5
patches, as the paper shows them for Pavia University::

    layer    kernel    output (channels, bands, h, w)
    3-D      7x3x3     2, 97, 3, 3
    3-D      3x3x3     4, 95, 1, 1
    linear   -         classes

A ReLU follows each convolution. Neither is padded and nothing is pooled, so that both are a trunk.
Code that goes around pads one band at each end before each convolution, and takes 16 and 32
kernels.

The paper has no norm; here there is dropout before the last layer.
"""

from __future__ import annotations

from einops.layers.torch import Rearrange
from torch import nn

from hsi.layers import MergeBands, SpectralSpatialConv
from hsi.layers.convolutions import Norm
from hsi.models.network import PatchNetwork
from hsi.models.sizes import check_sizes

# (output channels, bands under the kernel), each 3x3 in space
STAGES = ((2, 7), (4, 3))
SIZE = 3
BANDS_LOST = sum(bands - 1 for _, bands in STAGES)
RECEPTIVE_FIELD = 1 + (SIZE - 1) * len(STAGES)


def cnn3d_li(
    *,
    bands: int,
    classes: int,
    patch_size: int = 5,
    norm: Norm = "batch",
    dropout: float = 0.0,
) -> PatchNetwork:
    """Build the 3-D CNN; with larger patches its last layer sees more than one position.

    Parameters
    ----------
    bands : int
        Bands of a patch, at least 9; the paper's are all bands.
    classes : int
        Number of classes, at least 2.
    patch_size : int
        Side of a patch, odd and at least 5, the paper's.
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
        "cnn3d-li",
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
        fewest_bands=BANDS_LOST + 1,
        smallest_patch=RECEPTIVE_FIELD,
        has_norms=False,
    )
    layers: list[nn.Module] = [Rearrange("n bands h w -> n 1 bands h w")]
    channels = 1
    for out_channels, length in STAGES:
        layers += [
            SpectralSpatialConv(channels, out_channels, bands=length, size=SIZE),
            nn.ReLU(inplace=True),
        ]
        channels = out_channels
    trunk = nn.Sequential(*layers, MergeBands(), nn.Dropout(dropout))
    window = patch_size - RECEPTIVE_FIELD + 1
    head = nn.Sequential(
        nn.Flatten(), nn.Linear(channels * (bands - BANDS_LOST) * window**2, classes)
    )
    return PatchNetwork(
        trunk=trunk,
        head=head,
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        receptive_field=RECEPTIVE_FIELD,
    )
