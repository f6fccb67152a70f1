"""Multinomial logistic regression on single spectra: a linear layer.

As a classifier of hyperspectral pixels: Li, Bioucas-Dias, Plaza (2010), "Semisupervised
Hyperspectral Image Segmentation Using Multinomial Logistic Regression With Active Learning",
https://doi.org/10.1109/TGRS.2010.2060550 (its supervised part).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hsi.models.decision_rule import DecisionRule, Hyperparameters
from hsi.models.estimator import SpectralEstimator

# The inverse of the strength of the penalty on squared weights, the usual one first.
C = (1.0, 10.0, 0.1, 100.0, 0.01, 1e3, 1e4)
MOST_ITERATIONS = 2000
# The logit of classes that there are no training pixels of: beyond all others.
NEVER = -1e9


def logistic_regression(
    *, bands: int, classes: int, patch_size: int = 1, norm: str = "batch", dropout: float = 0.4
) -> SpectralEstimator:
    """Build a multinomial logistic regression with a penalty on squared weights.

    C is chosen from 0.01 to 10,000 by factors of 10. The softmax of its scores are the
    probabilities of scikit-learn's ``LogisticRegression``.

    Parameters
    ----------
    bands, classes : int
        Sizes of input and output.
    patch_size : int
        1.
    norm, dropout
        Without effect, as there is one layer.
    """
    return SpectralEstimator(
        name="logistic-regression",
        rule=LinearLogits,
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
    )


class LinearLogits(DecisionRule):
    """Logits that are linear in the bands."""

    def __init__(self, *, bands: int, classes: int) -> None:
        super().__init__(bands=bands, classes=classes)
        self.linear = nn.Linear(bands, classes)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def candidates(self, pixels: int) -> list[Hyperparameters]:
        """Return each of `C`."""
        return [{"C": c} for c in C]

    def fit(
        self,
        spectra: NDArray[np.float32],
        targets: NDArray[np.int64],
        hyperparameters: Hyperparameters,
        *,
        seed: int,
    ) -> Any:
        """Return a fitted `sklearn.linear_model.LogisticRegression`; nothing in it is random."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        regression = LogisticRegression(**hyperparameters, max_iter=MOST_ITERATIONS)
        with warnings.catch_warnings():
            # `take` tells the number of iterations.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return regression.fit(spectra.astype(np.float64), targets)

    def take(
        self, fitted: Any, spectra: NDArray[np.float32], targets: NDArray[np.int64]
    ) -> dict[str, int]:
        """Copy a `LogisticRegression`, which has one row of weights for two classes."""
        weights, offsets = fitted.coef_, fitted.intercept_
        if len(fitted.classes_) == 2:
            weights = np.concatenate([-weights, weights]) / 2
            offsets = np.concatenate([-offsets, offsets]) / 2
        every_weight = np.zeros((self.classes, self.bands))
        every_offset = np.full(self.classes, NEVER)
        every_weight[fitted.classes_], every_offset[fitted.classes_] = weights, offsets
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(every_weight))
            self.linear.bias.copy_(torch.from_numpy(every_offset))
        return {"iterations": int(fitted.n_iter_.max())}

    def forward(self, spectra: Tensor) -> Tensor:
        """Return logits ``(N, classes)`` of `spectra` ``(N, bands)``."""
        logits: Tensor = self.linear(spectra)
        return logits
