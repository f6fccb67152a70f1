"""The range of each band: what noise is a share of, and quality is measured by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# A few pixels beyond, such as glint or a defect, do not widen a band's range.
PERCENTILES = (0.1, 99.9)


class Ranges(NamedTuple):
    """Lower and upper end of each band's range, ``(bands,)``."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Ranges:
        """Return the ranges of ``(pixels, bands)``: from the 0.1th to the 99.9th percentile.

        A band whose percentiles are the same has its extremes as range; one that does not vary, a
        range of 1.
        """
        low, high = np.percentile(values, PERCENTILES, axis=0)
        same = low == high
        low = np.where(same, values.min(axis=0), low)
        high = np.where(same, values.max(axis=0), high)
        return cls(low, np.where(high > low, high, low + 1))

    def shares(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``(..., bands)`` values in shares of the ranges."""
        return (values - self.low) / (self.high - self.low)

    def values(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values that are such shares of the ranges."""
        return shares * (self.high - self.low) + self.low
