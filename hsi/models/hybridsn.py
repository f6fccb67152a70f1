"""HybridSN and its variants: 3-D convolutions over bands and space, and a 2-D convolution.

Roy, Krishna, Dubey, Chaudhuri (2019), "HybridSN: Exploring 3-D-2-D CNN Feature Hierarchy for
Hyperspectral Image Classification", https://arxiv.org/abs/1902.06701. Sizes for 30 components and
25x25 patches::

    layer      kernel     output (channels, bands, h, w)
    3-D        7x3x3      8, 24, 23, 23
    3-D        5x3x3      16, 20, 21, 21
    3-D        3x3x3      32, 18, 19, 19
    2-D        3x3        64, 17, 17          from 32 * 18 = 576 channels
    linear     -          256, 128, classes   with dropout 0.4 before the second and the third

No layer is padded, so everything up to the 2-D convolution is a trunk. The paper has no norm;
a batch norm after the 2-D convolution is the default here.

Attention weighs what it sees by what else it sees. It is to see the window of one pixel and no
more, so it is the first layer of the head, and the trunk still serves the whole scene.
"""

from __future__ import annotations

from typing import get_args

from einops.layers.torch import Rearrange
from torch import nn

from hsi.errors import UsageError, unknown_name
from hsi.layers import DepthwiseSeparableConv, MergeBands, SpectralSpatialConv, normalization
from hsi.layers.attention import attention_factory
from hsi.layers.convolutions import Norm
from hsi.layers.placing import AttentionFactory
from hsi.models.network import PatchNetwork

# (output channels, bands under the kernel), each 3x3 in space
SPECTRAL_STAGES = ((8, 7), (16, 5), (32, 3))
BANDS_LOST = sum(bands - 1 for _, bands in SPECTRAL_STAGES)
SPATIAL_CHANNELS = 64
HIDDEN = (256, 128)
# four 3x3 convolutions in each variant
RECEPTIVE_FIELD = 9


def hybridsn(
    *,
    bands: int,
    classes: int,
    patch_size: int = 25,
    norm: Norm = "batch",
    dropout: float = 0.4,
    attention: str | AttentionFactory | None = None,
) -> PatchNetwork:
    """Build HybridSN: three 3-D convolutions, then a 2-D convolution over all their channels.

    With ``norm="none"`` it is the paper's network: 5,122,176 parameters for 30 components, 16
    classes and 25x25 patches.

    Parameters
    ----------
    bands : int
        Bands or components of a patch, at least 13.
    classes : int
        Number of classes, at least 2.
    patch_size : int
        Side of a patch, odd and at least 9.
    norm : {"batch", "none"}
        Normalisation after the 2-D convolution.
    dropout : float
        Probability of dropping a unit of the two hidden linear layers, in [0, 1).
    attention : str or callable, optional
        Name of an attention block (see `hsi.build_attention`), or a function from a number of
        channels to one: for the 64 channels of the 2-D convolution, window by window.

    Raises
    ------
    UsageError
        If the sizes do not fit, and the message names the smallest that do; or if a name is
        unknown.
    """
    _check("hybridsn", bands, BANDS_LOST + 1, classes, patch_size, norm, dropout)
    channels = SPECTRAL_STAGES[-1][0] * (bands - BANDS_LOST)
    trunk = nn.Sequential(
        *_spectral_layers(),
        nn.Conv2d(channels, SPATIAL_CHANNELS, 3, bias=norm == "none"),
        *normalization(norm, SPATIAL_CHANNELS),
        nn.ReLU(inplace=True),
    )
    return _network(trunk, SPATIAL_CHANNELS, bands, classes, patch_size, dropout, attention)


def hybridsn_dw(
    *,
    bands: int,
    classes: int,
    patch_size: int = 25,
    norm: Norm = "batch",
    dropout: float = 0.4,
    attention: str | AttentionFactory | None = None,
) -> PatchNetwork:
    """Build HybridSN with its 2-D convolution split into a depthwise 3x3 and a pointwise 1x1.

    The norm and a ReLU follow each of the two. Parameters as for `hybridsn`.
    """
    _check("hybridsn-dw", bands, BANDS_LOST + 1, classes, patch_size, norm, dropout)
    channels = SPECTRAL_STAGES[-1][0] * (bands - BANDS_LOST)
    trunk = nn.Sequential(
        *_spectral_layers(),
        DepthwiseSeparableConv(channels, SPATIAL_CHANNELS, size=3, norm=norm),
    )
    return _network(trunk, SPATIAL_CHANNELS, bands, classes, patch_size, dropout, attention)


def hybridsn_2d3d(
    *,
    bands: int,
    classes: int,
    patch_size: int = 25,
    norm: Norm = "batch",
    dropout: float = 0.4,
    attention: str | AttentionFactory | None = None,
) -> PatchNetwork:
    """Build HybridSN with the 2-D convolution first; its 64 channels are the depth of the 3-D ones.

    The window that its first linear layer sees is large (1664 channels: 480,896 values at 25x25),
    so nearly all of its weights are there. Parameters as for `hybridsn`; any number of bands.

    Attention stands before that layer, too: after the 2-D convolution it would stand inside the
    trunk and see a whole scene. It has 1664 channels there, so blocks with ``C^2`` weights are
    large.
    """
    _check("hybridsn-2d3d", bands, 1, classes, patch_size, norm, dropout)
    channels = SPECTRAL_STAGES[-1][0] * (SPATIAL_CHANNELS - BANDS_LOST)
    trunk = nn.Sequential(
        nn.Conv2d(bands, SPATIAL_CHANNELS, 3, bias=norm == "none"),
        *normalization(norm, SPATIAL_CHANNELS),
        nn.ReLU(inplace=True),
        *_spectral_layers(),
    )
    return _network(trunk, channels, bands, classes, patch_size, dropout, attention)


def _spectral_layers() -> list[nn.Module]:
    """Return the 3-D convolutions, ``(N, bands, h, w) -> (N, 32 (bands - 12), h - 6, w - 6)``."""
    layers: list[nn.Module] = [Rearrange("n bands h w -> n 1 bands h w")]
    channels = 1
    for out_channels, bands in SPECTRAL_STAGES:
        layers += [
            SpectralSpatialConv(channels, out_channels, bands=bands, size=3),
            nn.ReLU(inplace=True),
        ]
        channels = out_channels
    return [*layers, MergeBands()]


def _network(
    trunk: nn.Module,
    channels: int,
    bands: int,
    classes: int,
    patch_size: int,
    dropout: float,
    attention: str | AttentionFactory | None,
) -> PatchNetwork:
    """Put attention, if any, and the three linear layers behind `trunk`."""
    window_size = patch_size - RECEPTIVE_FIELD + 1
    make_attention = attention_factory(attention)
    head = nn.Sequential(
        *([make_attention(channels)] if make_attention else []),  # (N, channels, k, k)
        nn.Flatten(),
        nn.Linear(channels * window_size**2, HIDDEN[0]),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(HIDDEN[0], HIDDEN[1]),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(HIDDEN[1], classes),
    )
    return PatchNetwork(
        trunk=trunk,
        head=head,
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        receptive_field=RECEPTIVE_FIELD,
    )


def _check(
    name: str,
    bands: int,
    fewest_bands: int,
    classes: int,
    patch_size: int,
    norm: str,
    dropout: float,
) -> None:
    if bands < fewest_bands:
        raise UsageError(
            f"{name} cannot work on {bands} bands or components: its 3-D convolutions need at "
            f"least {fewest_bands}"
        )
    if patch_size < RECEPTIVE_FIELD or patch_size % 2 == 0:
        raise UsageError(
            f"{name} cannot work on patches of side {patch_size}: the side must be odd (the pixel "
            f"is its centre) and at least {RECEPTIVE_FIELD} (four unpadded 3x3 convolutions)"
        )
    if classes < 2:
        raise UsageError(f"{name} needs at least 2 classes to tell apart, not {classes}")
    if norm not in get_args(Norm):
        raise unknown_name("norm", norm, get_args(Norm))
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout must be in [0, 1), not {dropout}")
