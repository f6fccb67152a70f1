"""Shares in words that do not flatter."""

from __future__ import annotations

import math


def percent(share: float | None, *, digits: int) -> str:
    """Return a fraction in percent, without the sign; a dash where there is none.

    Rounding neither makes a flawless result of a nearly flawless one nor hides an error: only 1
    is 100, and only 0 is 0.

    Examples
    --------
    >>> [percent(share, digits=1) for share in (0.98765, 0.99999, 0.00001, 1.0, None)]
    ['98.8', '99.9', '<0.1', '100.0', '–']
    """
    if share is None or not math.isfinite(share):
        return "–"
    step = 10.0**-digits
    if 0 < 100 * share < step:
        return f"<{step:.{digits}f}"
    if 100 - step < 100 * share < 100:
        return f"{100 - step:.{digits}f}"
    return f"{100 * share:.{digits}f}"


def percents(*shares: float, digits: int) -> tuple[str, ...]:
    """Return fractions as `percent` does, with as many more digits as tell unequal ones apart.

    Examples
    --------
    >>> percents(0.9921, 0.9924, digits=1), percents(0.5, 0.6, digits=1)
    (('99.21', '99.24'), ('50.0', '60.0'))
    """
    for more in range(digits, digits + 5):
        texts = tuple(percent(share, digits=more) for share in shares)
        if len(set(texts)) >= len(set(shares)):
            break
    return texts


def points(difference: float) -> str:
    """Return a difference of fractions in percentage points; what is not 0 is not shown as 0.

    Examples
    --------
    >>> [points(each) for each in (0.0623, -0.082, 0.0002, -0.0004, 0.0)]
    ['6.2', '-8.2', '0.02', '-0.04', '0.0']
    """
    value, digits = 100 * difference, 1
    while abs(value) > 1e-6 and round(value, digits) == 0:
        digits += 1
    return f"{round(value, digits) + 0.0:.{digits}f}"


def with_interval(mean: float, low: float, high: float) -> str:
    """Return a difference of fractions in points, with its interval if there is one.

    Examples
    --------
    >>> with_interval(0.021, 0.012, 0.03), with_interval(0.021, float("nan"), float("nan"))
    ('2.1 (1.2 to 3.0)', '2.1')
    """
    return points(mean) if low != low else f"{points(mean)} ({points(low)} to {points(high)})"
