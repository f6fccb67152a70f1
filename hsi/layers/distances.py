"""Distances between spectra, for classifiers that compare a pixel with those they know."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

# Distances that are held at a time: 32 MB of float64.
HELD_VALUES = 4 * 2**20


def squared_distances(spectra: Tensor, known: Tensor) -> Tensor:
    """Return the squared Euclidean distance of each spectrum to each known one.

    Both are moved by the mean of the known ones first: a square that is large beside the
    differences would take their digits in ``|a|^2 + |b|^2 - 2 ab``.

    Parameters
    ----------
    spectra : Tensor
        ``(N, bands)``.
    known : Tensor
        ``(M, bands)``, of the same floating type.

    Returns
    -------
    Tensor
        ``(N, M)``, none below 0.

    Examples
    --------
    >>> squared_distances(torch.tensor([[1e4, 3.0]]), torch.tensor([[1e4, 0.0], [1e4 + 4, 0.0]]))
    tensor([[ 9., 25.]])
    """
    centre = known.mean(dim=0)
    spectra, known = spectra - centre, known - centre
    squares = spectra.square().sum(dim=1)[:, None] + known.square().sum(dim=1)
    return torch.addmm(squares, spectra, known.T, alpha=-2).clamp_(min=0)


def in_chunks(function: Callable[[Tensor], Tensor], spectra: Tensor, *, values: int) -> Tensor:
    """Apply `function` to as many spectra at a time as memory should hold.

    Parameters
    ----------
    function : callable
        ``(n, bands) -> (n, ...)``.
    spectra : Tensor
        ``(N, bands)``.
    values : int
        What it holds for each spectrum, at most.
    """
    step = max(1, HELD_VALUES // max(1, values))
    if torch.compiler.is_exporting() or len(spectra) <= step:
        return function(spectra)
    return torch.cat([function(some) for some in spectra.split(step)])
