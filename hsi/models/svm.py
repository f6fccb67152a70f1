"""Support vector machine with a Gaussian kernel, on single spectra.

Cortes, Vapnik (1995), "Support-Vector Networks", https://doi.org/10.1007/BF00994018; as a
classifier of hyperspectral pixels: Melgani, Bruzzone (2004), "Classification of Hyperspectral
Remote Sensing Images With Support Vector Machines", https://doi.org/10.1109/TGRS.2004.831865.

For each two classes i < j there is a decision value, positive where i wins::

    d_ij(x) = sum over support vectors v of  a_ij(v) exp(-gamma |x - v|^2)  +  b_ij

and the score of a class is the number of duels that it wins, plus s / (3 (|s| + 1)), where s is the
sum of its decision values, each counted for it: this decides between equals, and never more. With
two classes in all, the scores are half the decision value, for one and against the other.
"""

from __future__ import annotations

import math
from itertools import combinations, product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsi.layers.distances import in_chunks, squared_distances
from hsi.models.decision_rule import DecisionRule, Hyperparameters, Learned
from hsi.models.estimator import SpectralEstimator

# The penalty of pixels on the wrong side, the usual one first.
C = (100.0, 10.0, 1e3, 1.0, 1e4)
# The kernel's coefficient times the bands: 1 suits bands of unit variance.
GAMMA = (1.0, 1 / 4, 4.0, 1 / 16)
CACHE_MB = 500


def svm(
    *, bands: int, classes: int, patch_size: int = 1, norm: str = "batch", dropout: float = 0.4
) -> SpectralEstimator:
    """Build a support vector machine with a Gaussian kernel.

    C is chosen from 1 to 10,000 by factors of 10, gamma from a sixteenth to four times
    ``1 / bands`` by factors of 4. Its scores are those of scikit-learn's
    ``SVC(decision_function_shape="ovr", break_ties=True)``; they rank classes and are no logits of
    probabilities.

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
        name="svm",
        rule=SupportVectors,
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
    )


class SupportVectors(DecisionRule):
    """Decision values of each two classes, and the scores of classes that follow from them.

    Computed in float64, as scikit-learn does: where C is large, large values cancel.
    """

    TENSORS = {  # noqa: RUF012
        "present": Learned(torch.int64, ("present",)),
        "vectors": Learned(torch.float64, ("vectors", "bands")),
        "coefficients": Learned(torch.float64, ("vectors", "duels")),
        "intercepts": Learned(torch.float64, ("duels",)),
        "gamma": Learned(torch.float64, ()),
    }
    present: Tensor
    """Targets of the classes that there were training pixels of."""
    vectors: Tensor
    coefficients: Tensor
    """Of each support vector in each duel; 0 in those of other classes."""
    intercepts: Tensor
    gamma: Tensor

    def candidates(self, pixels: int) -> list[Hyperparameters]:
        """Return all pairs of `C` and `GAMMA`, by the steps to the usual ones."""
        pairs = sorted(
            product(C, GAMMA),
            key=lambda pair: abs(math.log10(pair[0] / C[0])) + abs(math.log(pair[1], 4)),
        )
        return [{"C": c, "gamma": factor / self.bands} for c, factor in pairs]

    def fit(
        self,
        spectra: NDArray[np.float32],
        targets: NDArray[np.int64],
        hyperparameters: Hyperparameters,
        *,
        seed: int,
    ) -> Any:
        """Return a fitted `sklearn.svm.SVC`; nothing in it is random."""
        from sklearn.svm import SVC

        machine = SVC(
            **hyperparameters,
            kernel="rbf",
            decision_function_shape="ovr",
            break_ties=True,
            cache_size=CACHE_MB,
        )
        return machine.fit(spectra.astype(np.float64), targets)

    def take(
        self, fitted: Any, spectra: NDArray[np.float32], targets: NDArray[np.int64]
    ) -> dict[str, int]:
        """Copy an `SVC`, whose coefficients have a row for each opponent of a vector's class."""
        present = len(fitted.classes_)
        coefficients, intercepts = fitted.dual_coef_, fitted.intercept_
        if present == 2:  # it turns the sign of a single duel around
            coefficients, intercepts = -coefficients, -intercepts
        ends = np.cumsum(fitted.n_support_)
        of_class = [slice(end - n, end) for end, n in zip(ends, fitted.n_support_, strict=True)]
        duels = list(combinations(range(present), 2))
        in_duels = np.zeros((len(fitted.support_vectors_), len(duels)))
        for duel, (i, j) in enumerate(duels):
            in_duels[of_class[i], duel] = coefficients[j - 1, of_class[i]]
            in_duels[of_class[j], duel] = coefficients[i, of_class[j]]
        self.set_tensors(
            present=fitted.classes_,
            vectors=fitted.support_vectors_,
            coefficients=in_duels,
            intercepts=intercepts,
            gamma=fitted.gamma,
        )
        return {"support_vectors": len(fitted.support_vectors_)}

    def forward(self, spectra: Tensor) -> Tensor:
        """Return scores ``(N, classes)`` of `spectra` ``(N, bands)``, float64."""
        spectra = spectra.to(self.vectors.dtype)
        present = len(self.present)
        if present == 0:
            return spectra.new_zeros(len(spectra), self.classes)
        values = in_chunks(self._decision_values, spectra, values=len(self.vectors))
        if self.classes == 2:
            return torch.cat([values, -values], dim=1) / 2
        first, second = torch.triu_indices(present, present, 1, device=values.device)
        places = torch.arange(len(first), device=values.device)
        counts_for = values.new_zeros(len(first), present)
        counts_for[places, first], counts_for[places, second] = 1.0, -1.0
        # Of its present - 1 duels, a class wins more than it loses by so many.
        balance = torch.where(values < 0, -1.0, 1.0).to(values) @ counts_for
        sums = values @ counts_for
        # Without training pixels, a class loses every duel by far: this is the limit.
        scores = values.new_full((values.shape[0], self.classes), -1 / 3)
        scores[:, self.present] = (balance + present - 1) / 2 + sums / (3 * (sums.abs() + 1))
        return scores

    def _decision_values(self, spectra: Tensor) -> Tensor:
        kernel = squared_distances(spectra, self.vectors).mul_(-self.gamma).exp_()
        return kernel @ self.coefficients + self.intercepts
