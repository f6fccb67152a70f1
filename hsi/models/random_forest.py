"""Random forest on single spectra.

Breiman (2001), "Random Forests", https://doi.org/10.1023/A:1010933404324; as a classifier of
hyperspectral pixels: Ham, Chen, Crawford, Ghosh (2005), "Investigation of the Random Forest
Framework for Classification of Hyperspectral Data", https://doi.org/10.1109/TGRS.2004.842481.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from hsi.layers.distances import in_chunks
from hsi.models.decision_rule import (
    DecisionRule,
    Hyperparameters,
    Learned,
    log_probabilities,
    number_in,
)
from hsi.models.estimator import SpectralEstimator

TREES = 200
# Bands that a split looks at, as multiples of the square root of their number, which is usual.
FEATURES = (1.0, 0.5, 2.0)


def random_forest(
    *, bands: int, classes: int, patch_size: int = 1, norm: str = "batch", dropout: float = 0.4
) -> SpectralEstimator:
    """Build a random forest of 200 trees.

    Chosen is how many bands each split looks at: half, once or twice the square root of their
    number. Trees grow until their leaves hold one class. Its scores are logarithms of mean
    probabilities, so that their softmax are those of scikit-learn's ``RandomForestClassifier``.

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
        name="random-forest",
        rule=Forest,
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
    )


class Forest(DecisionRule):
    """The nodes of all trees, one after the other; the leaves come last.

    A spectrum goes through all trees at once: left if its value in the node's band is at most the
    threshold. From a leaf it goes to the leaf itself, so that all trees take as many steps as the
    deepest.
    """

    TENSORS = {  # noqa: RUF012
        # The first tells in what type scores are; float32 would make equals of what is none.
        "shares": Learned(torch.float64, ("leaves", "classes")),
        "roots": Learned(torch.int64, ("trees",)),
        "band": Learned(torch.int64, ("nodes",)),
        "threshold": Learned(torch.float32, ("nodes",)),
        "branches": Learned(torch.int64, ("nodes", "two")),
        "depth": Learned(torch.int64, ()),
    }
    roots: Tensor
    band: Tensor
    threshold: Tensor
    branches: Tensor
    """Where it goes on, left and right."""
    shares: Tensor
    """Of the training pixels in a leaf, those of each class."""
    depth: Tensor

    def candidates(self, pixels: int) -> list[Hyperparameters]:
        """Return each of `FEATURES`; of few bands, some are the same."""
        root = math.sqrt(self.bands)
        numbers = [max(1, min(self.bands, round(factor * root))) for factor in FEATURES]
        return [{"max_features": number} for number in dict.fromkeys(numbers)]

    def fit(
        self,
        spectra: NDArray[np.float32],
        targets: NDArray[np.int64],
        hyperparameters: Hyperparameters,
        *,
        seed: int,
    ) -> Any:
        """Return a fitted `sklearn.ensemble.RandomForestClassifier`."""
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(
            **hyperparameters,
            n_estimators=TREES,
            # Any seed becomes one of the 32 bits that scikit-learn takes.
            random_state=int(np.random.SeedSequence(seed).generate_state(1)[0]),
            n_jobs=torch.get_num_threads(),
        )
        return forest.fit(spectra, targets)

    def take(
        self, fitted: Any, spectra: NDArray[np.float32], targets: NDArray[np.int64]
    ) -> dict[str, int]:
        """Copy the trees of a `RandomForestClassifier`."""
        trees = [each.tree_ for each in fitted.estimators_]
        starts = np.cumsum([0, *(tree.node_count for tree in trees)])
        left, right = (
            np.concatenate([getattr(tree, side) for tree in trees])
            for side in ("children_left", "children_right")
        )
        is_leaf = left < 0
        offset = np.repeat(starts[:-1], np.diff(starts))
        old = np.arange(len(left))
        branches = np.stack([left + offset, right + offset], axis=1)
        branches[is_leaf] = old[is_leaf, None]

        order = np.argsort(is_leaf, kind="stable")
        new = np.empty_like(order)
        new[order] = old
        leaves = np.concatenate([tree.value[:, 0] for tree in trees])[is_leaf]
        shares = np.zeros((len(leaves), self.classes))
        shares[:, fitted.classes_] = leaves
        self.set_tensors(
            roots=new[starts[:-1]],
            band=np.where(is_leaf, 0, np.concatenate([tree.feature for tree in trees]))[order],
            threshold=_below(np.concatenate([tree.threshold for tree in trees]))[order],
            branches=new[branches][order],
            shares=shares,
            depth=max(tree.max_depth for tree in trees),
        )
        return {"trees": len(trees), "nodes": len(old)}

    def forward(self, spectra: Tensor) -> Tensor:
        """Return scores ``(N, classes)`` of `spectra` ``(N, bands)``, float64."""
        if len(self.roots) == 0:
            return self.shares.new_zeros(len(spectra), self.classes)
        return in_chunks(self._mean_shares, spectra, values=len(self.roots))

    def _mean_shares(self, spectra: Tensor) -> Tensor:
        spectra = spectra.to(self.threshold.dtype)
        values, branches = spectra.flatten(), self.branches.flatten()
        # Flat, since PyTorch looks up along one axis in half the time.
        node = self.roots.repeat(spectra.shape[0])  # (N * trees,)
        first = torch.arange(0, spectra.numel(), self.bands, device=node.device)
        first = first.repeat_interleave(len(self.roots))
        for _ in range(number_in(self.depth)):
            value = values.index_select(0, first + self.band.index_select(0, node))
            goes_right = value > self.threshold.index_select(0, node)
            node = branches.index_select(0, node.mul_(2).add_(goes_right))
        leaf = node - (len(self.band) - len(self.shares))
        # Added up tree by tree, as scikit-learn does: rounded otherwise, equals would differ.
        sums = F.embedding_bag(leaf.unflatten(0, (-1, len(self.roots))), self.shares, mode="sum")
        return log_probabilities(sums / len(self.roots))


def _below(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the largest float32 that is not above each threshold.

    A float32 value is at most the one exactly if it is at most the other.
    """
    rounded = thresholds.astype(np.float32)
    lower = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded > thresholds, lower, rounded)
