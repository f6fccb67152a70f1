"""SSFTT: two convolutions, a few tokens that they are gathered in, a transformer.

Sun, Zhao, Zheng, Wu (2022), "Spectral-Spatial Feature Tokenization Transformer for Hyperspectral
Image Classification", https://doi.org/10.1109/TGRS.2022.3144158. Sizes for 30 components and 13x13
patches; norm and ReLU follow both convolutions::

    layer          kernel      output
    3-D            3x3x3       8 channels, 28 bands, 11x11
    2-D            3x3         64 channels, 9x9             from 8 * 28 = 224
    tokenizer      -           4 tokens of 64
    transformer    8 heads     5 tokens of 64               the class token before the four
    linear         -           classes                      of the class token

No convolution is padded, so they are the trunk. They have no bias, which their norms would take
away again.

Scores are divided by the root of the length of a head's keys, 8, as the paper writes and as is
usual; the authors' code divides by that of all heads' together, 64.
"""

from __future__ import annotations

import torch
from einops.layers.torch import Rearrange
from torch import Tensor, nn

from hsi.layers import MergeBands, SpectralSpatialConv, TrunkBatchNorm2d, TrunkBatchNorm3d
from hsi.layers.convolutions import Norm
from hsi.layers.transformer import EncoderLayer
from hsi.models.network import PatchNetwork
from hsi.models.sizes import check_sizes

SIZE = 3
SPECTRAL_CHANNELS, WIDTH = 8, 64
TOKENS = 4
HEADS, HIDDEN = 8, 8
# two unpadded 3x3 convolutions
RECEPTIVE_FIELD = 5


class GaussianTokenizer(nn.Module):
    """Gathers the positions of a window in tokens, ``(N, C, k, k) -> (N, tokens, C)``.

    Each token is a weighted mean of all positions, the weights a softmax over them of products with
    a vector of the token's own, which starts with values from a normal distribution.

    Parameters
    ----------
    channels : int
        C.
    tokens : int
        Their number.
    """

    def __init__(self, channels: int, *, tokens: int) -> None:
        super().__init__()
        self.to_weights = nn.Linear(channels, tokens, bias=False)
        self.to_values = nn.Linear(channels, channels, bias=False)
        nn.init.xavier_normal_(self.to_weights.weight)
        nn.init.xavier_normal_(self.to_values.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Gather the positions of `x`."""
        places = x.flatten(2).transpose(1, 2)  # (N, k k, C)
        weights = self.to_weights(places).softmax(dim=1)  # (N, k k, tokens)
        # Values of the means are the means of the values, and four of them cost less.
        return self.to_values(weights.transpose(1, 2) @ places)


class TokenClassifier(nn.Module):
    """A transformer over tokens and a class token, ``(N, tokens, C) -> (N, classes)``."""

    def __init__(self, classes: int, *, dropout: float) -> None:
        super().__init__()
        self.class_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.positions = nn.Parameter(torch.empty(1, 1 + TOKENS, WIDTH))
        self.dropout = nn.Dropout(dropout)
        self.encoder = EncoderLayer(WIDTH, heads=HEADS, hidden=HIDDEN, dropout=dropout)
        self.linear = nn.Linear(WIDTH, classes)
        nn.init.normal_(self.positions, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits."""
        first = self.class_token.expand(tokens.shape[0], -1, -1)
        x = self.dropout(torch.cat([first, tokens], dim=1) + self.positions)  # (N, 1 + tokens, C)
        return self.linear(self.encoder(x, wanted=1)[:, 0])


def ssftt(
    *,
    bands: int,
    classes: int,
    patch_size: int = 13,
    norm: Norm = "batch",
    dropout: float = 0.1,
) -> PatchNetwork:
    """Build SSFTT with one encoder layer and four tokens.

    Parameters
    ----------
    bands : int
        Components of a patch, at least 3; the paper's are 30.
    classes : int
        Number of classes, at least 2.
    patch_size : int
        Side of a patch, odd and at least 5.
    norm : {"batch"}
        Batch norms after the convolutions, as in the paper.
    dropout : float
        Probability of dropping a value in the transformer, in [0, 1).

    Raises
    ------
    UsageError
        If the sizes do not fit, and the message names the smallest that do; or if it is to go
        without norms.
    """
    check_sizes(
        "ssftt",
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
        fewest_bands=SIZE,
        smallest_patch=RECEPTIVE_FIELD,
    )
    merged = SPECTRAL_CHANNELS * (bands - SIZE + 1)
    trunk = nn.Sequential(
        Rearrange("n bands h w -> n 1 bands h w"),
        SpectralSpatialConv(1, SPECTRAL_CHANNELS, bands=SIZE, size=SIZE, bias=False),
        TrunkBatchNorm3d(SPECTRAL_CHANNELS),
        nn.ReLU(inplace=True),
        MergeBands(),
        nn.Conv2d(merged, WIDTH, SIZE, bias=False),
        TrunkBatchNorm2d(WIDTH),
        nn.ReLU(inplace=True),
    )
    head = nn.Sequential(
        GaussianTokenizer(WIDTH, tokens=TOKENS), TokenClassifier(classes, dropout=dropout)
    )
    return PatchNetwork(
        trunk=trunk,
        head=head,
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        receptive_field=RECEPTIVE_FIELD,
    )
