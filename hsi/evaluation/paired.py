"""Whether one model is better than another: the same splits and seeds for both, compared in pairs.

References
----------
F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (1945) 80-83,
doi:10.2307/3001968.
Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
percentages", Psychometrika 12 (1947) 153-157, doi:10.1007/BF02295996.
S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
Statistics 6 (1979) 65-70.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import nctdtr, stdtrit

from hsi.errors import UsageError

# Chance of finding a difference that is there, for which the seeds needed are reckoned.
POWER = 0.8
SIGNIFICANT = 0.05
# Below six pairs no division of signs is significant for Wilcoxon's test; as many as ten thousand
# no one would run.
FEWEST_SEEDS, MOST_SEEDS = 6, 10_000
# So many standard errors beyond the limit, a difference is found for certain.
BEYOND = 5.0


@dataclass(frozen=True, kw_only=True)
class PairedDifference:
    """How two models differ over several seeds.

    Attributes
    ----------
    seeds : int
        Number of pairs.
    mean : float
        Mean difference, the first model minus the second, in the unit of the values.
    low, high : float
        95 % confidence interval of the mean (Student's t); nan for a single pair.
    p : float
        Of Wilcoxon's signed-rank test, two-sided: that ranks of differences like these come about
        where neither model is better. With five seeds it cannot fall below 0.06.
    spread : float
        Standard deviation of the differences; nan for a single pair.
    ahead : tuple of int
        Pairs in which the first, in which the second model has the higher figure.
    """

    seeds: int
    mean: float
    low: float
    high: float
    p: float
    spread: float
    ahead: tuple[int, int]

    def seeds_needed(self, *, comparisons: int = 1) -> int | None:
        """Return how many seeds would find a difference of this size in four of five cases.

        By a t-test, and never fewer than those with which Wilcoxon's test can find anything. Of
        several `comparisons` it is reckoned with the correction that the first to be found has to
        bear. None where it cannot be reckoned: a single pair, no difference at all, or too many.
        """
        return _seeds_needed(self.mean, self.spread, comparisons)


@dataclass(frozen=True, kw_only=True)
class McNemar:
    """How two maps of one split differ on its test pixels.

    Attributes
    ----------
    only_first, only_second : int
        Pixels that only the first, only the second map has right.
    p : float
        Two-sided, exact: that they divide like this where both maps are equally good. It counts
        each pixel as a trial of its own; neighbouring pixels are not, so that it is too small in
        most scenes.
    """

    only_first: int
    only_second: int
    p: float


def paired_difference(first: ArrayLike, second: ArrayLike) -> PairedDifference:
    """Compare figures of two models that were trained on the same splits with the same seeds.

    The interval and the test say what other seeds would give on this scene with splits like
    these; they say nothing of other scenes.

    Parameters
    ----------
    first, second : array_like of float
        ``(seeds,)``, in the same order: overall accuracies, for instance.

    Raises
    ------
    UsageError
        If they are not pairs of finite numbers.

    Examples
    --------
    >>> found = paired_difference([0.95, 0.96, 0.97, 0.96, 0.95, 0.97], [0.94] * 6)
    >>> round(found.mean, 3), found.p
    (0.02, 0.03125)
    """
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.ndim != 1 or one.shape != two.shape or one.size == 0:
        raise UsageError(
            f"figures of shapes {one.shape} and {two.shape}; expected one for each seed, and the "
            "same seeds for both models"
        )
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        raise UsageError("figures to compare must be finite numbers")
    differences = one - two
    # Differences of equal figures are zero, not what rounding leaves of them.
    differences[np.isclose(one, two, rtol=1e-12, atol=0)] = 0
    mean, count = float(differences.mean()), differences.size
    ahead = int((differences > 0).sum()), int((differences < 0).sum())
    if count == 1:
        return PairedDifference(
            seeds=1, mean=mean, low=math.nan, high=math.nan, p=1.0, spread=math.nan, ahead=ahead
        )
    spread = float(differences.std(ddof=1))
    margin = float(stdtrit(count - 1, 1 - SIGNIFICANT / 2)) * spread / math.sqrt(count)
    # Differences that are equal as counts of pixels are ties, whatever their last bits are.
    ranked = np.round(differences / max(np.abs(one).max(), np.abs(two).max(), 1e-300), 12)
    return PairedDifference(
        seeds=count,
        mean=mean,
        low=mean - margin,
        high=mean + margin,
        p=signed_rank_p(ranked),
        spread=spread,
        ahead=ahead,
    )


def mcnemar(first_right: ArrayLike, second_right: ArrayLike) -> McNemar:
    """Compare which test pixels two maps have right.

    Parameters
    ----------
    first_right, second_right : array_like of bool
        Of the same pixels, in the same order.

    Raises
    ------
    UsageError
        If they are not of the same pixels.

    Examples
    --------
    >>> mcnemar([True] * 9 + [False], [True] * 3 + [False] * 7)
    McNemar(only_first=6, only_second=0, p=0.03125)
    """
    from scipy.stats import binomtest

    one, two = np.asarray(first_right), np.asarray(second_right)
    if one.shape != two.shape or one.dtype != bool or two.dtype != bool:
        raise UsageError(
            f"right pixels as {one.dtype} of {one.shape} and {two.dtype} of {two.shape}; expected "
            "a boolean for each test pixel, of the same pixels"
        )
    ours, theirs = int(np.count_nonzero(one & ~two)), int(np.count_nonzero(two & ~one))
    p = 1.0 if ours == theirs else float(binomtest(ours, ours + theirs).pvalue)
    return McNemar(only_first=ours, only_second=theirs, p=p)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values of several comparisons, corrected so that all may be believed at once.

    Below 0.05, the chance that any of the differences is none stays below 0.05.

    Examples
    --------
    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise UsageError(f"p-values {list(p_values)}; expected numbers from 0 to 1")
    order = np.argsort(values, kind="stable")
    corrected = np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1))
    result: NDArray[np.float64] = np.empty_like(values)
    result[order] = np.minimum(corrected, 1)
    return [float(value) for value in result]


def fewest_seeds(comparisons: int) -> int:
    """Return the fewest seeds with which Wilcoxon's test can confirm anything, once corrected.

    The smallest p-value of so many seeds is that of all differences having one sign.

    Examples
    --------
    >>> fewest_seeds(1), fewest_seeds(9)
    (6, 9)
    """
    return next(n for n in range(2, 64) if comparisons * 2.0 ** (1 - n) < SIGNIFICANT)


def signed_rank_p(differences: NDArray[np.float64]) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test, exact with ties too.

    Differences of nothing are left out. The sums of ranks that all divisions of signs give are
    counted one rank after the other, so that many seeds take no longer than their square.

    Examples
    --------
    >>> signed_rank_p(np.array([1.0, 1.0, 2.0, -0.5, 0.0]))
    0.25
    """
    differences = differences[differences != 0]
    if not differences.size:
        return 1.0
    _, inverse, counts = np.unique(np.abs(differences), return_inverse=True, return_counts=True)
    # Equal ones share the mean of their ranks; twice that is a whole number.
    ranks = (2 * np.cumsum(counts) - counts + 1)[inverse]
    chances = np.ones(1)
    for rank in ranks:
        longer = np.zeros(chances.size + rank)
        longer[: chances.size] += chances / 2
        longer[rank:] += chances / 2
        chances = longer
    positive = int(ranks[differences > 0].sum())
    least = min(positive, int(ranks.sum()) - positive)
    return min(1.0, float(2 * chances[: least + 1].sum()))


def _seeds_needed(mean: float, spread: float, comparisons: int = 1) -> int | None:
    """Return the pairs with which a t-test finds such a difference with `POWER`."""
    if mean == 0 or math.isnan(spread):
        return None
    fewest = fewest_seeds(comparisons)
    if spread == 0:
        return fewest

    def is_enough(count: int) -> bool:
        limit = stdtrit(count - 1, 1 - SIGNIFICANT / comparisons / 2)
        shift = abs(mean) / spread * math.sqrt(count)
        # SciPy's function has no value for some differences so large.
        return bool(shift > limit + BEYOND or 1 - nctdtr(count - 1, shift, limit) >= POWER)

    counts = range(fewest, MOST_SEEDS + 1)
    place = bisect.bisect_left(counts, True, key=is_enough)
    return counts[place] if place < len(counts) else None
