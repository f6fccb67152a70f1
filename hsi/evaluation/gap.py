"""Whether two accuracies differ by more than chance explains."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hsi.errors import UsageError


@dataclass(frozen=True)
class Gap:
    """The difference of two accuracies with its confidence interval, as fractions."""

    difference: float
    low: float
    high: float


def accuracy_gap(
    right_a: int, total_a: int, right_b: int, total_b: int, *, confidence: float = 0.95
) -> Gap:
    """Return how much the first accuracy exceeds the second, with a confidence interval.

    The interval is made of Wilson's score intervals of the two, which hold for small samples and
    for accuracies near 0 and 1, too: method 10 of R. G. Newcombe, "Interval estimation for the
    difference between independent proportions", Statistics in Medicine 17 (1998) 873-890. It
    supposes that the two were counted on different samples.

    Parameters
    ----------
    right_a, total_a, right_b, total_b : int
        How many of how many were right.
    confidence : float
        Probability that the interval holds the true difference.

    Raises
    ------
    UsageError
        If a sample is empty or more are right than there are.

    Examples
    --------
    >>> gap = accuracy_gap(56, 70, 48, 80)
    >>> f"{gap.difference:.3f} ({gap.low:.4f} to {gap.high:.4f})"
    '0.200 (0.0524 to 0.3339)'
    """
    from scipy.stats import binomtest  # takes a second, and most commands need none of it

    for right, total in ((right_a, total_a), (right_b, total_b)):
        if not 0 <= right <= total or total == 0:
            raise UsageError(f"{right} right of {total}; expected a share of at least one")
    a, b = right_a / total_a, right_b / total_b
    interval_a, interval_b = (
        binomtest(right, total).proportion_ci(confidence, method="wilson")
        for right, total in ((right_a, total_a), (right_b, total_b))
    )
    low = a - b - math.hypot(a - interval_a.low, interval_b.high - b)
    high = a - b + math.hypot(interval_a.high - a, b - interval_b.low)
    return Gap(difference=a - b, low=float(low), high=float(high))
