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
