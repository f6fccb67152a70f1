"""Random numbers that are the same on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Random:
    """Random numbers made of PCG64's raw bits."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def uniform(self, low: float, high: float) -> float:
        """Return one number between `low` and `high`, evenly distributed."""
        return low + (high - low) * ((int(self._bits.random_raw()) >> 11) / 2**53)

    def normal(self, *shape: int) -> Floats:
        """Return nearly normal numbers: mean 0, standard deviation 1, none beyond 3.47.

        Each is the sum of four even ones of 16 bits (the distribution of Irwin and Hall).
        """
        raw = self._bits.random_raw(shape)
        total = np.zeros(shape, dtype=np.int64)
        for shift in (0, 16, 32, 48):
            total += ((raw >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.int64)
        return (total - 2 * 0xFFFF) / 37837.2  # 65536 / sqrt(3)

    def surface(self, rows: int, cols: int, *, spacing: int) -> Floats:
        """Return ``(rows, cols)``: normal numbers at knots, and a soft passage between them."""
        surface = self.normal(rows // spacing + 2, cols // spacing + 2)
        for length in (rows, cols):
            knot, rest = np.divmod(np.arange(length), spacing)
            t = (rest / spacing)[:, None]
            surface = surface[knot] + (surface[knot + 1] - surface[knot]) * (t * t * (3 - 2 * t))
            surface = surface.T  # the other axis next
        return surface
