"""How far two samples of figures lie apart that have nothing in common but the model.

References
----------
B. L. Welch, "The generalization of 'Student's' problem when several different population variances
are involved", Biometrika 34 (1947) 28-35, doi:10.1093/biomet/34.1-2.28.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from hsi.errors import UsageError
from hsi.evaluation.paired import SIGNIFICANT


@dataclass(frozen=True, kw_only=True)
class UnpairedDifference:
    """The difference of two means.

    Attributes
    ----------
    counts : tuple of int
        Sizes of the two samples.
    mean : float
        Mean of the first minus mean of the second.
    low, high : float
        95 % confidence interval (Welch's); nan where a sample has a single value.
    """

    counts: tuple[int, int]
    mean: float
    low: float
    high: float


def unpaired_difference(first: ArrayLike, second: ArrayLike) -> UnpairedDifference:
    """Return how far the mean of `first` lies above that of `second`.

    For figures of one model on splits of different kinds, whose seeds have nothing to do with each
    other.

    Parameters
    ----------
    first, second : array_like of float
        One-dimensional, of any lengths.

    Raises
    ------
    UsageError
        If one of them is empty or holds what is no finite number.

    Examples
    --------
    >>> found = unpaired_difference([0.98, 0.99, 0.97], [0.80, 0.70, 0.75])
    >>> f"{found.mean:.2f} ({found.low:.2f} to {found.high:.2f})"
    '0.23 (0.11 to 0.35)'
    """
    samples = [np.asarray(each, dtype=np.float64) for each in (first, second)]
    if any(each.ndim != 1 or not each.size or not np.isfinite(each).all() for each in samples):
        raise UsageError(
            f"figures of shapes {samples[0].shape} and {samples[1].shape}; expected finite "
            "numbers, one for each training"
        )
    one, two = samples
    mean = float(one.mean() - two.mean())
    if min(one.size, two.size) < 2:
        return UnpairedDifference(
            counts=(one.size, two.size), mean=mean, low=math.nan, high=math.nan
        )
    parts = [float(each.var(ddof=1)) / each.size for each in samples]
    margin = 0.0
    if sum(parts) > 0:
        freedom = sum(parts) ** 2 / sum(
            part**2 / (each.size - 1) for part, each in zip(parts, samples, strict=True)
        )
        margin = float(stdtrit(freedom, 1 - SIGNIFICANT / 2)) * math.sqrt(sum(parts))
    return UnpairedDifference(
        counts=(one.size, two.size), mean=mean, low=mean - margin, high=mean + margin
    )
