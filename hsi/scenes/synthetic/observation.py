"""Observation: what the sensor makes of surfaces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsi.scenes.synthetic.land import SEEN
from hsi.scenes.synthetic.random_bits import Floats, Random
from hsi.scenes.synthetic.surfaces import Surface, peak, straw_reflectance


def observe(
    random: Random, shares: NDArray[np.uint8], surfaces: list[Surface], wavelengths: Floats
) -> NDArray[np.uint16]:
    """Return the cube: mixed surfaces in uneven light, with noise, times 10,000."""
    rows, cols, _ = shares.shape

    def uneven(patches: float, pixels: float, *, spacing: int) -> Floats:
        smooth = random.surface(rows, cols, spacing=spacing)
        return patches * smooth + pixels * random.normal(rows, cols)

    growth = uneven(0.05, 0.04, spacing=10)  # added to the share of ground that is covered
    ripeness = uneven(0.05, 0.05, spacing=8)  # added to the share of straw
    light = 1 + uneven(0.08, 0.02, spacing=32)
    straw = straw_reflectance(wavelengths)
    noise = noise_level(random, wavelengths)

    cube = np.empty((rows, cols, len(wavelengths)), dtype=np.uint16)
    for row in range(rows):
        line = np.zeros((cols, len(wavelengths)))
        for field in np.flatnonzero(shares[row].max(axis=0)):
            surface, seen = surfaces[field], np.flatnonzero(shares[row, :, field])
            ripe = np.clip(surface.straw + ripeness[row, seen], 0, 1)[:, None]
            cover = np.clip(surface.cover + growth[row, seen], 0, 1)[:, None]
            plants = surface.leaf + ripe * (straw - surface.leaf)
            mixture = surface.bare + cover * (plants - surface.bare)
            line[seen] += shares[row, seen, field, None].astype(np.float64) / SEEN**2 * mixture
        line = line * light[row][:, None] + noise * random.normal(*line.shape)
        cube[row] = np.rint(10_000 * np.clip(line, 0, 1))
    return cube


def noise_level(random: Random, wavelengths: Floats) -> Floats:
    """Return the standard deviation of each band's noise, in reflectance.

    Vapour in the air leaves little light near 1390 and 1880 nm, and the sun gives little at either
    end. One band in forty is a bad one.
    """
    level = np.full(len(wavelengths), 0.003)
    for center, width, more in (
        (400, 40, 0.004), (1390, 25, 0.030), (1880, 35, 0.040), (2500, 60, 0.010),
    ):  # fmt: skip
        level += more * peak(wavelengths, center, width)
    for _ in range(len(wavelengths) // 40):
        level[int(random.uniform(0, len(wavelengths)))] *= 5
    return level
