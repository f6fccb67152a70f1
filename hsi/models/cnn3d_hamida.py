"""Ben Hamida's 3-D CNN: 3-D convolutions, and convolutions with a stride along bands as pooling.

Ben Hamida, Benoit, Lambert, Ben Amar (2018), "3-D Deep Learning Approach for Remote Sensing Image
Classification", https://doi.org/10.1109/TGRS.2018.2818945. Sizes for 103 bands and 5x5 patches::

    layer              kernel    stride    padding    output (channels, bands, h, w)
    3-D, ReLU          3x3x3     1         0          20, 101, 3, 3
    1-D                3         2         1          20, 51, 3, 3
    3-D, ReLU          3x3x3     1         1          35, 51, 1, 1
    1-D                3         2         1          35, 26, 1, 1
    1-D, ReLU          3         1         1          35, 26, 1, 1
    1-D, ReLU          2         2         1          35, 14, 1, 1
    linear             -         -         -          classes

Strides and paddings are along the bands, so that all but the last layer is a trunk. The paper gives
kernels and strides; the paddings, and that the convolutions for pooling have no ReLU, are those of
DeepHyperX, https://github.com/nshaud/DeepHyperX, by whose code this network is known.

The paper has no norm; here there is dropout before the last layer.
"""

from __future__ import annotations

from einops.layers.torch import Rearrange
from torch import nn

from hsi.layers import MergeBands, SpectralConv, SpectralSpatialConv
from hsi.layers.convolutions import Norm
from hsi.models.network import PatchNetwork
from hsi.models.sizes import check_sizes

KERNELS = (20, 35)
SIZE = 3
# Two 3x3x3 convolutions.
RECEPTIVE_FIELD = 1 + 2 * (SIZE - 1)


def cnn3d_hamida(
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
        Bands of a patch, at least 3; the paper's are all bands.
    classes : int
        Number of classes, at least 2.
    patch_size : int
        Side of a patch, odd and at least 5, which is the paper's.
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
        "cnn3d-hamida",
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
        fewest_bands=SIZE,
        smallest_patch=RECEPTIVE_FIELD,
        has_norms=False,
    )
    first, second = KERNELS
    trunk = nn.Sequential(
        Rearrange("n bands h w -> n 1 bands h w"),
        SpectralSpatialConv(1, first, bands=SIZE, size=SIZE),
        nn.ReLU(inplace=True),
        SpectralConv(first, first, bands=3, stride=2, padding=1),
        nn.ZeroPad3d((0, 0, 0, 0, 1, 1)),
        SpectralSpatialConv(first, second, bands=SIZE, size=SIZE),
        nn.ReLU(inplace=True),
        SpectralConv(second, second, bands=3, stride=2, padding=1),
        SpectralConv(second, second, bands=3, padding=1),
        nn.ReLU(inplace=True),
        SpectralConv(second, second, bands=2, stride=2, padding=1),
        nn.ReLU(inplace=True),
        MergeBands(),
        nn.Dropout(dropout),
    )
    window = patch_size - RECEPTIVE_FIELD + 1
    head = nn.Sequential(nn.Flatten(), nn.Linear(second * _bands_left(bands) * window**2, classes))
    for layer in (*trunk, *head):
        if isinstance(layer, nn.Conv3d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return PatchNetwork(
        trunk=trunk,
        head=head,
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        receptive_field=RECEPTIVE_FIELD,
    )


def _bands_left(bands: int) -> int:
    left = bands - SIZE + 1
    for size, stride in ((3, 2), (3, 1), (3, 2), (3, 1), (2, 2)):
        left = (left + 2 - size) // stride + 1
    return left
