"""Band centres and widths as files write them, in nanometres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NANOMETRES = {
    "nanometers": 1.0, "nanometres": 1.0, "nanometer": 1.0, "nanometre": 1.0, "nm": 1.0,
    "micrometers": 1000.0, "micrometres": 1000.0, "micrometer": 1000.0, "micrometre": 1000.0,
    "microns": 1000.0, "micron": 1000.0, "um": 1000.0, "µm": 1000.0, "μm": 1000.0,
    "millimeters": 1e6, "mm": 1e6, "centimeters": 1e7, "cm": 1e7, "meters": 1e9, "m": 1e9,
    "angstroms": 0.1,
}  # fmt: skip


def in_nanometres(values: NDArray[np.float64], unit: str) -> NDArray[np.float64]:
    """Return wavelengths in nanometres.

    Parameters
    ----------
    values : ndarray
        In `unit`.
    unit : str
        In any of the ways files write it; empty or "unknown" where they do not. Then band centres
        below 100 are taken for micrometres: no imaging spectrometer measures below 100 nm, nor
        beyond 100 micrometres.

    Raises
    ------
    ValueError
        If the unit is none of length.

    Examples
    --------
    >>> in_nanometres(np.array([0.4, 2.5]), "Micrometers")
    array([ 400., 2500.])
    """
    plain = unit.strip().lower()
    if plain in ("", "unknown"):
        plain = "um" if values.size and values.max() < 100 else "nm"
    if plain not in _NANOMETRES:
        raise ValueError(f"'{unit}' is no unit of length that is known")
    return values * _NANOMETRES[plain]
