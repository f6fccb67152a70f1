"""Mou's recurrent network: the spectrum of a pixel as a sequence, one band a step.

Mou, Ghamisi, Zhu (2017), "Deep Recurrent Neural Networks for Hyperspectral Image Classification",
https://doi.org/10.1109/TGRS.2016.2636241. Sizes for 200 bands::

    layer                  output
    recurrent, 64 units    64 for each of 200 bands      gated, with PRetanh
    batch norm             12800
    linear                 classes

Of the paper are the single layer of 64 gated recurrent units with sigmoid gates, whose candidate
state goes through a parametric rectified tanh (PRetanh) instead of tanh, weights and biases from
-0.1 to 0.1, and one band a step. That the states after all bands, normalised, go to the last layer,
and not that after the last band alone, is as in DeepHyperX, https://github.com/nshaud/DeepHyperX,
by whose code this network is known; there, a plain GRU with tanh stands for the paper's. From the
last state alone it learns much more slowly: what the first bands said is two hundred steps away.

The paper has no dropout; here there is some before the last layer.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hsi.layers import normalization
from hsi.layers.convolutions import Norm
from hsi.models.network import PatchNetwork
from hsi.models.sizes import check_sizes

HIDDEN = 64
LARGEST_WEIGHT = 0.1
# What He et al. (2015), "Delving Deep into Rectifiers", start the slopes of their PReLU from.
FIRST_SLOPE = 0.25


class PRetanhGRU(nn.Module):
    """A gated recurrent unit along the bands, ``(N, bands, h, w) -> (N, bands * hidden, h, w)``.

    From the state s and the value x of a band comes the next state::

        u, r = sigmoid(W [x, s] + b)
        c    = PRetanh(V [x, r s] + d)
        s'   = (1 - u) s + u c

    PRetanh is tanh above 0, and tanh times a slope of each unit below. The first state is 0.

    Parameters
    ----------
    hidden : int
        Number of units.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        # For the gates u and r and the candidate c, one below the other.
        self.weight_band = nn.Parameter(torch.empty(3 * hidden, 1))
        self.weight_state = nn.Parameter(torch.empty(3 * hidden, hidden))
        self.bias = nn.Parameter(torch.empty(3 * hidden))
        self.slope = nn.Parameter(torch.empty(hidden))
        for weight in (self.weight_band, self.weight_state, self.bias):
            nn.init.uniform_(weight, -LARGEST_WEIGHT, LARGEST_WEIGHT)
        nn.init.constant_(self.slope, FIRST_SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        """Return the states after each band."""
        N, bands, h, w = x.shape
        steps = x.permute(1, 0, 2, 3).reshape(bands, -1, 1)
        of_gates, of_candidate = self.weight_state.split([2 * self.hidden, self.hidden])
        state = x.new_zeros(steps.shape[1], self.hidden)
        states = []
        for value in steps:
            said = F.linear(value, self.weight_band, self.bias)
            gates, candidate = said.split([2 * self.hidden, self.hidden], dim=1)
            update, reset = (gates + F.linear(state, of_gates)).sigmoid().chunk(2, dim=1)
            candidate = candidate + F.linear(reset * state, of_candidate)
            state = torch.lerp(state, F.prelu(candidate.tanh(), self.slope), update)
            states.append(state)
        # (N h w, bands, hidden), which is a map with channels last
        return torch.stack(states, dim=1).view(N, h, w, -1).permute(0, 3, 1, 2)


def rnn_mou(
    *,
    bands: int,
    classes: int,
    patch_size: int = 1,
    norm: Norm = "batch",
    dropout: float = 0.0,
) -> PatchNetwork:
    """Build the recurrent network; all of it acts on each pixel alone.

    Parameters
    ----------
    bands : int
        Bands of a pixel; the paper's are all bands.
    classes : int
        Number of classes, at least 2.
    patch_size : {1}
        Side of a patch.
    norm : {"batch", "none"}
        Normalisation of the states.
    dropout : float
        Probability of dropping a state before the last layer, in [0, 1).

    Raises
    ------
    UsageError
        If the sizes do not fit.
    """
    check_sizes(
        "rnn-mou",
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
        only_patch=1,
        has_norms=False,
    )
    trunk = nn.Sequential(
        PRetanhGRU(HIDDEN), *normalization(norm, HIDDEN * bands), nn.Dropout(dropout)
    )
    last = nn.Linear(HIDDEN * bands, classes)
    for weight in last.parameters():
        nn.init.uniform_(weight, -LARGEST_WEIGHT, LARGEST_WEIGHT)
    return PatchNetwork(
        trunk=trunk,
        head=nn.Sequential(nn.Flatten(), last),
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        receptive_field=1,
    )
