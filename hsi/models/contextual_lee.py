"""Lee and Kwon's contextual CNN: filters of three sizes on all bands, then 1x1 convolutions.

Lee, Kwon (2017), "Going Deeper with Contextual CNN for Hyperspectral Image Classification",
https://arxiv.org/abs/1604.03519. Sizes for 5x5 patches::

    layer                                  kernel            output (channels, h, w)
    bank: 2-D, max pooling                 1x1, then 5x5     128, 1, 1
          2-D, max pooling                 3x3, then 3x3     128, 1, 1
          2-D                              5x5               128, 1, 1
          the three together                                 384, 1, 1      LRN, ReLU
    2-D                                    1x1               128, 1, 1      LRN, ReLU
    2 residual blocks of two 2-D           1x1               128, 1, 1      ReLU
    2 times 2-D                            1x1               128, 1, 1      ReLU, dropout 0.5
    2-D                                    1x1               classes

LRN is local response normalisation over 5 channels, as in AlexNet. The network is convolutional
throughout: without the padding that the paper gives to scenes, all but the last layer is a trunk.
It has 128 kernels, the paper's for Indian Pines and Pavia University; for Salinas it has 192.
Code that goes around has the bank of the authors' first form of it, without the 5x5 filters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsi.layers.convolutions import Norm
from hsi.layers.residual import Residual
from hsi.models.network import PatchNetwork
from hsi.models.sizes import check_sizes

KERNELS = 128
SIZES = (1, 3, 5)
BLOCKS = 2


class FilterBank(nn.Module):
    """Convolutions of several sizes side by side, ``(N, C, h, w) -> (N, sizes * out, h', w')``.

    Of those that are smaller than the largest, the largest values of as many positions as make up
    for it: all see a square of one size, ``h' = h - largest + 1``.

    Parameters
    ----------
    in_channels, out_channels : int
        Of each convolution.
    sizes : tuple of int
        Sides of the kernels.
    """

    def __init__(self, in_channels: int, out_channels: int, *, sizes: tuple[int, ...]) -> None:
        super().__init__()
        largest = max(sizes)
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(in_channels, out_channels, size),
                nn.MaxPool2d(largest - size + 1, stride=1) if size < largest else nn.Identity(),
            )
            for size in sizes
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x`."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


def contextual_lee(
    *,
    bands: int,
    classes: int,
    patch_size: int = 5,
    norm: Norm = "batch",
    dropout: float = 0.5,
) -> PatchNetwork:
    """Build the contextual CNN.

    Parameters
    ----------
    bands : int
        Bands of a patch; the paper's are all bands.
    classes : int
        Number of classes, at least 2.
    patch_size : {5}
        Side of a patch.
    norm : {"batch", "none"}
        Without batch norm either way, as in the paper.
    dropout : float
        Probability of dropping a unit of the last but one and the last but two layers, in [0, 1).

    Raises
    ------
    UsageError
        If the sizes do not fit.
    """
    check_sizes(
        "contextual-lee",
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
        only_patch=max(SIZES),
        has_norms=False,
    )
    trunk = nn.Sequential(
        FilterBank(bands, KERNELS, sizes=SIZES),
        nn.LocalResponseNorm(5),
        nn.ReLU(inplace=True),
        _pointwise(len(SIZES) * KERNELS),
        nn.LocalResponseNorm(5),
        nn.ReLU(inplace=True),
    )
    for _ in range(BLOCKS):
        trunk.append(Residual(_pointwise(), nn.ReLU(inplace=True), _pointwise()))
        trunk.append(nn.ReLU(inplace=True))
    for _ in range(2):
        trunk.extend([_pointwise(), nn.ReLU(inplace=True), nn.Dropout(dropout)])
    return PatchNetwork(
        trunk=trunk,
        head=nn.Sequential(nn.Flatten(), nn.Linear(KERNELS, classes)),
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        receptive_field=max(SIZES),
    )


def _pointwise(in_channels: int = KERNELS) -> nn.Conv2d:
    return nn.Conv2d(in_channels, KERNELS, 1)
