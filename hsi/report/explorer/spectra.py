"""The spectra that a page holds: of all pixels or of every n-th, in all bands, as whole numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.report.explorer.packing import Block, pack
from hsi.scenes import Scene
from hsi.scenes.cube import is_missing

# In a page, these bytes become a third more.
SPECTRA_BYTES = 6_000_000
# Real scenes pack into a half to a quarter: more values need not be tried.
MOST_VALUES = 2 * SPECTRA_BYTES
MISSING, HIGHEST = 65535, 65534
# Steps that the middle 99.8 % of a band are divided into, unless its outliers need wider ones.
FINE_STEPS = 4095


@dataclass(frozen=True, kw_only=True, eq=False)
class Spectra:
    """Pixels ``(0, 0), (0, step), ...`` of a scene, as ``low + quantum * level``.

    Attributes
    ----------
    step : int
        1: all pixels.
    levels : ndarray of uint16
        ``(bands, rows, cols)``; `MISSING` where a value is no data.
    low, quantum : ndarray of float64
        ``(bands,)``. Values are off by half a `quantum` at most; by nothing where `exact`.
    exact : bool
        Whether the scene holds whole numbers that all have a level of their own.
    """

    step: int
    levels: NDArray[np.uint16]
    low: NDArray[np.float64]
    quantum: NDArray[np.float64]
    exact: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(rows, cols, bands)`` of what is held."""
        bands, rows, cols = self.levels.shape
        return rows, cols, bands

    def values(self) -> NDArray[np.float64]:
        """Return ``(rows, cols, bands)`` as a page shows them; NaN where no data is."""
        column = (slice(None), None, None)
        shown = self.low[column] + self.quantum[column] * self.levels
        shown[self.levels == MISSING] = np.nan
        return shown.transpose(1, 2, 0)


def take_spectra(scene: Scene, *, max_bytes: int = SPECTRA_BYTES) -> tuple[Spectra, Block]:
    """Return the spectra of as many pixels as fit, and their levels packed.

    Pixels are left out, never bands: every n-th row and column is kept, with the smallest n whose
    packed levels have at most `max_bytes`. A block of one pixel may have more.
    """
    most = max_bytes / SPECTRA_BYTES * MOST_VALUES
    step = max(1, math.ceil(math.sqrt(scene.rows * scene.cols * scene.bands / most)))
    while True:
        spectra = quantise(read_every(scene.cube, step), nodata=scene.nodata, step=step)
        block = pack(spectra.levels)
        if len(block.data) <= max_bytes or step >= max(scene.rows, scene.cols):
            return spectra, block
        step = max(step + 1, int(step * math.sqrt(len(block.data) / max_bytes)))


def read_every(cube: Any, step: int) -> NDArray[Any]:
    """Return every `step`-th row and column of a cube, in native byte order.

    A file is read in blocks: what is left out is not in memory together.
    """
    return np.asarray(cube[::step, ::step, :]).astype(np.dtype(cube.dtype).newbyteorder("="))


def quantise(values: NDArray[Any], *, nodata: float | None, step: int) -> Spectra:
    """Return ``(rows, cols, bands)`` of values as levels.

    Whole numbers keep their values if a band's range is below 65535. Others get steps of 1/4095 of
    the range of a band's middle 99.8 %, or as much wider ones as its outliers need.
    """
    rows, cols, bands = values.shape
    levels = np.full((bands, rows, cols), MISSING, dtype=np.uint16)
    low, quantum = np.zeros(bands), np.ones(bands)
    exact = values.dtype.kind in "iu"
    for band in range(bands):
        known = ~is_missing(values[:, :, band], nodata)
        if not known.any():
            continue
        found = values[:, :, band][known].astype(np.float64)
        low[band], span = found.min(), np.ptp(found)
        if values.dtype.kind == "f" or span > HIGHEST:
            exact = False
            lower, upper = np.percentile(found, (0.1, 99.9))
            quantum[band] = max((upper - lower) / FINE_STEPS, span / HIGHEST) or 1.0
        numbers = np.rint((found - low[band]) / quantum[band])
        levels[band][known] = numbers.clip(0, HIGHEST).astype(np.uint16)
    return Spectra(step=step, levels=levels, low=low, quantum=quantum, exact=exact)
