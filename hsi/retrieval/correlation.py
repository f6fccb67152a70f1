"""Canonical correlation analysis: what two modalities have in common, without labels."""

from __future__ import annotations

import warnings
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning

from hsi.retrieval.network import MODALITIES, Modality, other_modality

# With as many values as pairs everything correlates with everything; so many pairs for each value.
PAIRS_PER_VALUE, MOST_VALUES = 3, 50
ITERATIONS = 2000


class CanonicalCorrelation:
    """Directions of two modalities whose values correlate most: the common space before networks.

    H. Hotelling, "Relations between two sets of variates", Biometrika 28, 1936. Each modality is
    first reduced to at most 50 principal components, and to a third of the number of pairs.

    Parameters
    ----------
    dimensions : int
        The most dimensions of the common space; there are no more than a modality has values.

    Attributes
    ----------
    dimensions_ : int
        Dimensions that were found.
    """

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def fit(self, first: NDArray[np.float32], second: NDArray[np.float32]) -> Self:
        """Find the directions of pairs of rows, ``(n, d1)`` and ``(n, d2)``; three at least."""
        given = {"first": first, "second": second}
        self._reductions = {name: _reduction(rows) for name, rows in given.items()}
        reduced = {name: self._reductions[name].transform(given[name]) for name in MODALITIES}
        self.dimensions_ = min(self.dimensions, *(rows.shape[1] for rows in reduced.values()))
        self._correlation = CCA(n_components=self.dimensions_, max_iter=ITERATIONS)
        with warnings.catch_warnings():
            # The last directions of noise alone may take for ever; they are there all the same.
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.filterwarnings("ignore", "y residual is constant", UserWarning)
            self._correlation.fit(reduced["first"], reduced["second"])
        variates = self._variates(reduced["first"], reduced["second"])
        self._scale = {
            name: np.maximum(rows.std(axis=0), np.finfo(np.float32).tiny)
            for name, rows in zip(MODALITIES, variates, strict=True)
        }
        return self

    def embed(self, modality: Modality, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the canonical variates ``(n, dimensions_)``, of unit variance where fitted."""
        reduced = self._reductions[modality].transform(rows)
        other = np.zeros((len(rows), self._reductions[other_modality(modality)].n_components_))
        pair = (reduced, other) if modality == "first" else (other, reduced)
        variates = self._variates(*pair)[MODALITIES.index(modality)]
        return (variates / self._scale[modality]).astype(np.float32)

    def _variates(
        self, first: NDArray[np.floating], second: NDArray[np.floating]
    ) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        one, other = self._correlation.transform(first, second)
        return one, other


def _reduction(rows: NDArray[np.float32]) -> PCA:
    values = max(1, min(MOST_VALUES, len(rows) // PAIRS_PER_VALUE, rows.shape[1]))
    with np.errstate(invalid="ignore"):  # shares of a variance of 0, which nobody asks for
        return PCA(n_components=values, random_state=0).fit(rows)
