"""SpectralFormer: a transformer over the bands.

Hong, Han, Yao, Gao, Zhang, Plaza, Chanussot (2022), "SpectralFormer: Rethinking Hyperspectral Image
Classification with Transformers", https://arxiv.org/abs/2107.02988. Sizes for 200 bands::

    layer                                        output
    embedding of 3 neighbouring bands each       200 tokens of 64          group-wise
    class token and positions                    201 tokens of 64
    5 encoder layers, 4 heads                    201 tokens of 64          before the last three,
                                                                           cross-layer fusion
    norm, linear                                 classes                   of the class token

With patches of one pixel it is the paper's pixel-wise form; with larger ones the patch-wise, in
which a token is made of all pixels of three bands. Every token sees the whole patch, so there is no
trunk.

Fusion joins what enters a layer with what entered two layers before. The paper writes of two
weights; the authors' code, and so this, weighs and mixes all tokens of both, as a convolution in
which tokens are the channels. Neighbours of the first and the last band that do not exist are here
these bands themselves; in the authors' code they are the band at the other end.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsi.layers.convolutions import Norm
from hsi.layers.transformer import EncoderLayer
from hsi.models.network import PatchNetwork
from hsi.models.sizes import check_sizes

NEIGHBOURS = 3
WIDTH = 64
LAYERS, HEADS, HIDDEN = 5, 4, 8
# Layers between the two whose inputs are joined.
APART = 2


class GroupwiseEmbedding(nn.Module):
    """Tokens of neighbouring bands, ``(N, bands, p, p) -> (N, bands, C)``.

    Parameters
    ----------
    patch_size : int
        p.
    width : int
        C.
    """

    def __init__(self, patch_size: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(NEIGHBOURS * patch_size**2, width)

    def forward(self, x: Tensor) -> Tensor:
        """Embed each band with its neighbours."""
        pixels = x.flatten(2)  # (N, bands, p p)
        edge = NEIGHBOURS // 2
        first, last = pixels[:, :1].expand(-1, edge, -1), pixels[:, -1:].expand(-1, edge, -1)
        groups = torch.cat([first, pixels, last], dim=1).unfold(1, NEIGHBOURS, 1)
        return self.linear(groups.flatten(2))  # from (N, bands, p p 3)


class SpectralTransformer(nn.Module):
    """Encoder layers with cross-layer adaptive fusion, ``(N, tokens, C) -> (N, classes)``.

    Parameters
    ----------
    tokens : int
        Their number, without the class token.
    classes : int
        Number of classes.
    dropout : float
        Probability of dropping a value of the embedding and in the encoder layers.
    """

    def __init__(self, tokens: int, classes: int, *, dropout: float) -> None:
        super().__init__()
        self.class_token = nn.Parameter(torch.empty(1, 1, WIDTH))
        self.positions = nn.Parameter(torch.empty(1, 1 + tokens, WIDTH))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(WIDTH, heads=HEADS, hidden=HIDDEN, dropout=dropout, bias=False)
            for _ in range(LAYERS)
        )
        self.fusions = nn.ModuleList(
            nn.Conv1d(2 * (1 + tokens), 1 + tokens, 1) for _ in range(LAYERS - APART)
        )
        self.last = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, classes))
        nn.init.normal_(self.class_token)
        nn.init.normal_(self.positions)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits."""
        first = self.class_token.expand(tokens.shape[0], -1, -1)
        x = self.dropout(torch.cat([first, tokens], dim=1) + self.positions)  # (N, 1 + tokens, C)
        entered: list[Tensor] = []
        for number, layer in enumerate(self.layers):
            entered.append(x)
            if number >= APART:
                joined = torch.cat([x, entered[number - APART]], dim=1)
                x = self.fusions[number - APART](joined)
            # Of the last layer, nothing but the class token is looked at.
            x = layer(x, wanted=1 if number == LAYERS - 1 else None)
        return self.last(x[:, 0])


def spectralformer(
    *,
    bands: int,
    classes: int,
    patch_size: int = 7,
    norm: Norm = "batch",
    dropout: float = 0.1,
) -> PatchNetwork:
    """Build SpectralFormer; ``patch_size=1`` is the pixel-wise form.

    Parameters
    ----------
    bands : int
        Bands of a patch; the paper's are all bands.
    classes : int
        Number of classes, at least 2.
    patch_size : int
        Side of a patch, odd.
    norm : {"batch"}
        The network as it is: with layer norms.
    dropout : float
        Probability of dropping a value in the transformer, in [0, 1).

    Raises
    ------
    UsageError
        If the sizes do not fit, or if it is to go without norms.
    """
    check_sizes(
        "spectralformer",
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
    )
    return PatchNetwork(
        trunk=nn.Identity(),
        head=nn.Sequential(
            GroupwiseEmbedding(patch_size, WIDTH),
            SpectralTransformer(bands, classes, dropout=dropout),
        ),
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        receptive_field=1,
    )
