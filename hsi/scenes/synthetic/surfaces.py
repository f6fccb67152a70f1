"""Spectra of surfaces: reflectance ``(bands,)`` at wavelengths in nanometres, without a unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hsi.scenes.synthetic.materials import Material
from hsi.scenes.synthetic.random_bits import Floats, Random


def peak(wavelengths: Floats, center: float, width: float) -> Floats:
    """Return a Lorentzian curve: 1 at `center`, one half at `width` on either side."""
    distance = (wavelengths - center) / width
    return 1 / (1 + distance * distance)


def _absorb(spectrum: Floats, wavelengths: Floats, *features: tuple[float, float, float]) -> Floats:
    """Return the spectrum with absorptions: (centre, half width, depth) each."""
    for center, width, depth in features:
        spectrum = spectrum / (1 + depth * peak(wavelengths, center, width))
    return spectrum


def leaf_reflectance(wavelengths: Floats, *, chlorophyll: float, water: float) -> Floats:
    """Return green leaves: a green peak, the red edge, and water at 970 to 1940 nm."""
    visible = 0.035 + 0.075 / chlorophyll * peak(wavelengths, 552, 38)
    past_edge = (wavelengths - (702 + 14 * chlorophyll)) / 17
    edge = (1 + past_edge / np.sqrt(1 + past_edge * past_edge)) / 2
    return _absorb(
        visible + 0.47 * edge, wavelengths,
        (670, 25, 0.8 * chlorophyll), (970, 25, 0.08 * water), (1200, 38, 0.18 * water),
        (1450, 75, 1.5 * water), (1940, 90, 3.0 * water), (2650, 330, 3.0 * water),
    )  # fmt: skip


def straw_reflectance(wavelengths: Floats) -> Floats:
    """Return dry plants: bright beyond the visible, cellulose and lignin at 2100 and 2310 nm."""
    beyond = wavelengths - 350
    return _absorb(
        0.04 + 0.50 * beyond / (beyond + 420), wavelengths,
        (480, 120, 0.3), (1450, 60, 0.12), (1940, 70, 0.25),
        (2100, 55, 0.22), (2310, 45, 0.20), (2600, 200, 0.50),
    )  # fmt: skip


def soil_reflectance(wavelengths: Floats, *, brightness: float, clay: float) -> Floats:
    """Return bare ground: iron at 500 and 880 nm, water at 1940 nm, clay at 2205 nm."""
    beyond = wavelengths - 300
    return _absorb(
        0.42 * brightness * beyond / (beyond + 700), wavelengths,
        (500, 90, 0.35), (880, 110, 0.08), (1420, 35, 0.15 * clay),
        (1935, 60, 0.35), (2205, 32, 0.6 * clay),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Surface:
    """One field from above: leaves and straw over bare ground (fractions as in `Material`)."""

    leaf: Floats
    bare: Floats
    cover: float
    straw: float

    @classmethod
    def draw(cls, random: Random, material: Material, wavelengths: Floats) -> Surface:
        """Return a field of `material` that is not quite like any other."""

        def about(value: float, spread: float) -> float:
            return value * random.uniform(1 - spread, 1 + spread)

        chlorophyll, water = about(material.chlorophyll, 0.08), about(material.water, 0.10)
        brightness, clay = about(1, 0.12), about(material.clay, 0.15)
        return cls(
            leaf=leaf_reflectance(wavelengths, chlorophyll=chlorophyll, water=water),
            bare=soil_reflectance(wavelengths, brightness=brightness, clay=clay),
            cover=about(material.cover, 0.06),
            straw=about(material.straw, 0.10),
        )
