"""Chen's 3-D CNN: three 3-D convolutions with kernels of 32 bands.

Chen, Jiang, Li, Jia, Ghamisi (2016), "Deep Feature Extraction and Classification of Hyperspectral
Images Based on Convolutional Neural Networks", https://doi.org/10.1109/TGRS.2016.2584107. Sizes for
103 bands and 27x27 patches; a ReLU follows each convolution::

    layer                   kernel     output (channels, bands, h, w)
    3-D                     32x4x4     32, 72, 24, 24
    max pooling             1x2x2      32, 72, 12, 12
    3-D                     32x5x5     64, 41, 8, 8
    max pooling             1x2x2      64, 41, 4, 4        dropout 0.5
    3-D                     32x4x4     128, 10, 1, 1       dropout 0.5
    linear                  -          classes

These are the paper's numbers of kernels for Pavia University; for its other scenes they are larger.
DeepHyperX, https://github.com/nshaud/DeepHyperX, has 32 kernels in each layer, of 4x4 pixels in the
second, too, and dropout after each. Scenes with fewer than 94 bands, of which three such kernels
would leave nothing, have kernels of a third of the bands here.

The pooling takes every second position. On a scene it is done at every position, and the layers
after it take positions that lie as far apart (Shensa, 1992, "The discrete wavelet transform:
wedding the à trous and Mallat algorithms"): so all is a trunk, and a map costs a fortieth of its
patches.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hsi.layers import MergeBands, SpectralSpatialConv
from hsi.layers.convolutions import Norm
from hsi.layers.long_kernels import LongSpectralConv
from hsi.models.network import PatchNetwork
from hsi.models.sizes import check_sizes

# (output channels, side of the kernel)
STAGES = ((32, 4), (64, 5), (128, 4))
DEPTH = 32
POOLED = 2
PATCH = 27


class StridedTrunk(nn.Module):
    """Convolutions with poolings between them, ``(N, bands, h, w) -> (N, C, h - 26, w - 26)``.

    Parameters
    ----------
    depth : int
        Bands under each kernel.
    dropout : float
        Probability of dropping a value after the second pooling and after the last convolution.
    """

    def __init__(self, *, depth: int, dropout: float) -> None:
        super().__init__()
        (first, size), (second, wide), (third, narrow) = STAGES
        self.conv1 = SpectralSpatialConv(1, first, bands=depth, size=size)
        self.conv2 = LongSpectralConv(first, second, bands=depth, size=wide)
        self.conv3 = LongSpectralConv(second, third, bands=depth, size=narrow)
        self.pool = SpatialMaxPool()
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(dropout)
        self.merge = MergeBands()

    def forward(self, x: Tensor) -> Tensor:
        """Compute one position of each patch, or all positions of a map."""
        # Of a patch, a pooling is needed at every second position of what went before it, and so
        # at every second or fourth one of the patch.
        stride = POOLED if tuple(x.shape[2:]) == (PATCH, PATCH) else 1
        apart = POOLED // stride
        # The largest value of what a ReLU gives is what it gives for the largest.
        y = self.relu(self.pool(self.conv1(x.unsqueeze(1)), stride=stride))
        y = self.relu(self.pool(self.conv2(y, dilation=apart), stride=stride, apart=apart))
        y = self.relu(self.conv3(self.dropout(y), dilation=apart**2))
        return self.dropout(self.merge(y))


class SpatialMaxPool(nn.Module):
    """Largest value of 2x2 positions of each band, ``(N, C, bands, h, w)``."""

    def forward(self, x: Tensor, *, stride: int, apart: int = 1) -> Tensor:
        """Pool positions that are `apart`, at every `stride`-th place."""
        if torch.is_grad_enabled() and apart == 1:
            # The gradient goes to one position of four, and PyTorch's pooling knows which; that of
            # `maximum` passes over all of them again and again, in ten times the time.
            pooled = F.max_pool2d(x.transpose(1, 2).flatten(0, 1), 2, stride)
            return pooled.unflatten(0, (x.shape[0], -1)).transpose(1, 2)
        # But it keeps for each value where it came from, in twice the memory.
        for axis in (3, 4):
            places = x.shape[axis] - apart
            one, other = x.narrow(axis, 0, places), x.narrow(axis, apart, places)
            steps = (slice(None),) * axis + (slice(None, None, stride),)
            x = torch.maximum(one[steps], other[steps])
        return x


def cnn3d_chen(
    *,
    bands: int,
    classes: int,
    patch_size: int = PATCH,
    norm: Norm = "batch",
    dropout: float = 0.5,
) -> PatchNetwork:
    """Build the 3-D CNN.

    Parameters
    ----------
    bands : int
        Bands of a patch; the paper's are all bands.
    classes : int
        Number of classes, at least 2.
    patch_size : {27}
        Side of a patch.
    norm : {"batch", "none"}
        Without a norm either way, as in the paper.
    dropout : float
        Probability of dropping a value in the second and the third stage, in [0, 1).

    Raises
    ------
    UsageError
        If the sizes do not fit.
    """
    check_sizes(
        "cnn3d-chen",
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
        only_patch=PATCH,
        has_norms=False,
    )
    depth = min(DEPTH, (bands + len(STAGES) - 1) // len(STAGES))
    left = bands - len(STAGES) * (depth - 1)
    return PatchNetwork(
        trunk=StridedTrunk(depth=depth, dropout=dropout),
        head=nn.Sequential(nn.Flatten(), nn.Linear(STAGES[-1][0] * left, classes)),
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        receptive_field=PATCH,
    )
