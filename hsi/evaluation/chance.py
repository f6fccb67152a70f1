"""Whether a classifier does better than always answering the most frequent class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtrc

from hsi.errors import UsageError

# Results that guessing gives more seldom than this are no guesses.
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Guessing:
    """What was right, and what always answering the most frequent class would have been."""

    right: int
    guessed: int
    total: int
    most_frequent: int
    """Place of that class."""
    p_value: float
    """Probability that answers which are right as often as that are so many times right."""

    @property
    def is_beaten(self) -> bool:
        """Whether the classifier does better than chance explains."""
        return self.p_value < SIGNIFICANCE


def against_guessing(confusion: ArrayLike) -> Guessing | None:
    """Compare the accuracy with the share of the most frequent class (no-information rate).

    By the exact one-sided binomial test.

    Parameters
    ----------
    confusion : array_like of int
        ``(classes, classes)``: rows are the truth, columns the prediction.

    Returns
    -------
    Guessing or None
        None if fewer than two classes have samples: then there is nothing to guess.

    Raises
    ------
    UsageError
        If the matrix is not square.

    Examples
    --------
    >>> found = against_guessing([[24, 26], [32, 18]])
    >>> found.right, found.guessed, found.total, f"{found.p_value:.2f}", found.is_beaten
    (42, 50, 100, '0.96', False)
    """
    counts = np.asarray(confusion)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise UsageError(f"a confusion matrix of shape {counts.shape}; expected a square one")
    of_class = counts.sum(axis=1)
    if np.count_nonzero(of_class) < 2:
        return None
    right, guessed, total = int(np.trace(counts)), int(of_class.max()), int(of_class.sum())
    return Guessing(
        right=right,
        guessed=guessed,
        total=total,
        most_frequent=int(of_class.argmax()),
        p_value=float(bdtrc(right - 1, total, guessed / total)),
    )
