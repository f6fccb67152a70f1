"""The nearest neighbours among the training spectra.

Cover, Hart (1967), "Nearest neighbor pattern classification",
https://doi.org/10.1109/TIT.1967.1053964.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsi.layers.distances import in_chunks, squared_distances
from hsi.models.decision_rule import (
    DecisionRule,
    Hyperparameters,
    Learned,
    log_probabilities,
    number_in,
)
from hsi.models.estimator import SpectralEstimator

NEIGHBOURS = (1, 3, 5, 7, 9, 11, 15, 21)


def nearest_neighbours(
    *, bands: int, classes: int, patch_size: int = 1, norm: str = "batch", dropout: float = 0.4
) -> SpectralEstimator:
    """Build a classifier by the nearest training spectra in Euclidean distance.

    Their number is chosen among the odd ones from 1 to 21 of `NEIGHBOURS`; each has one vote. Its
    scores are logarithms of the shares of votes, so that their softmax are the probabilities of
    scikit-learn's ``KNeighborsClassifier``. All training spectra are stored in the model.

    Parameters
    ----------
    bands, classes : int
        Sizes of input and output.
    patch_size : int
        1.
    norm, dropout
        Without effect, as there are no layers.
    """
    return SpectralEstimator(
        name="knn",
        rule=NearestNeighbours,
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
    )


class NearestNeighbours(DecisionRule):
    """Votes of the nearest training spectra; distances are computed in float64."""

    TENSORS = {  # noqa: RUF012
        "known": Learned(torch.float64, ("known", "bands")),
        "targets": Learned(torch.int64, ("known",)),
        "neighbours": Learned(torch.int64, ()),
    }
    known: Tensor
    targets: Tensor
    neighbours: Tensor

    def candidates(self, pixels: int) -> list[Hyperparameters]:
        """Return each of `NEIGHBOURS` that there are training pixels enough for."""
        return [{"n_neighbors": n} for n in NEIGHBOURS if n <= pixels]

    def fit(
        self,
        spectra: NDArray[np.float32],
        targets: NDArray[np.int64],
        hyperparameters: Hyperparameters,
        *,
        seed: int,
    ) -> Any:
        """Return a fitted `sklearn.neighbors.KNeighborsClassifier`; nothing in it is random."""
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(**hyperparameters).fit(spectra.astype(np.float64), targets)

    def take(
        self, fitted: Any, spectra: NDArray[np.float32], targets: NDArray[np.int64]
    ) -> dict[str, int]:
        """Copy the spectra themselves, and the number of neighbours."""
        self.set_tensors(known=spectra, targets=targets, neighbours=fitted.n_neighbors)
        return {"stored_spectra": len(spectra)}

    def forward(self, spectra: Tensor) -> Tensor:
        """Return scores ``(N, classes)`` of `spectra` ``(N, bands)``, float64."""
        spectra = spectra.to(self.known.dtype)
        if len(self.known) == 0:
            return spectra.new_zeros(len(spectra), self.classes)
        return in_chunks(self._shares, spectra, values=len(self.known))

    def _shares(self, spectra: Tensor) -> Tensor:
        neighbours = number_in(self.neighbours)
        distances = squared_distances(spectra, self.known)
        nearest = distances.topk(neighbours, dim=1, largest=False).indices
        votes = torch.nn.functional.one_hot(self.targets[nearest], self.classes).sum(dim=1)
        return log_probabilities(votes.to(spectra) / neighbours)
