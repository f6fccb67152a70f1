"""Bands named by their numbers or by wavelengths: ``"1-5,220"``, ``"1340-1460nm,1.8-1.96um"``."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError

UNITS = {"nm": 1.0, "um": 1000.0, "µm": 1000.0, "μm": 1000.0}
_RANGE = re.compile(r"(\d+\.?\d*)\s*([a-zµμ]*)(?:\s*-\s*(\d+\.?\d*)\s*([a-zµμ]*))?", re.IGNORECASE)


def bands_in(
    text: str, *, bands: int, wavelengths: NDArray[np.float64] | None, name: str
) -> NDArray[np.bool_]:
    """Return which bands of a file are meant.

    Parameters
    ----------
    text : str
        Ranges, both ends included, with commas in between: band numbers from 1 (``1-5`` or
        ``220``), or wavelengths with their unit, ``nm`` or ``um`` (``1340-1460nm``).
    bands : int
        How many the file has.
    wavelengths : ndarray or None
        ``(bands,)`` band centres in nanometres, in any order.
    name : str
        The file, for messages.

    Returns
    -------
    ndarray of bool
        ``(bands,)``.

    Raises
    ------
    UsageError
        If a range cannot be meant, contains no band, or is in nanometres while the band centres
        are not known.

    Examples
    --------
    >>> import numpy as np
    >>> centres = np.array([400.0, 500.0, 600.0, 450.0])
    >>> bands_in("1, 440-500nm", bands=4, wavelengths=centres, name="cube.npy")
    array([ True,  True, False,  True])
    """
    meant = np.zeros(bands, dtype=np.bool_)
    for part, low, high, unit in _ranges(text):
        if unit is None:
            if low != int(low) or high != int(high) or low < 1 or high > bands:
                raise UsageError(
                    f"{part!r} is not among the bands of {name}: they are numbered 1 to {bands}"
                    "\nAdd the unit if wavelengths are meant, such as 1340-1460nm."
                )
            hit = np.zeros(bands, dtype=np.bool_)
            hit[int(low) - 1 : int(high)] = True
        elif wavelengths is None:
            raise UsageError(
                f"{part!r} is a range of wavelengths, but the band centres of {name} are not known"
                f"\nName bands by their numbers (1 to {bands}), such as 1-5,{bands}."
            )
        else:
            hit = (wavelengths >= low * unit) & (wavelengths <= high * unit)
            if not hit.any():
                raise UsageError(
                    f"{part!r} contains no band of {name}: the band centres nearest to it are "
                    f"{_around(wavelengths, low * unit, high * unit)} nm"
                )
        meant |= hit
    return meant


def _ranges(text: str) -> Iterator[tuple[str, float, float, float | None]]:
    """Yield each range as it was written, its ends, and the nanometres of its unit."""
    for part in (each.strip() for each in text.split(",")):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise UsageError(
                f"bands to drop (--drop-bands): {part!r} is no range\n"
                "Expected wavelengths (1340-1460nm, 1.34-1.46um) or band numbers from 1 (1-5, 220)."
            )
        low, first, high, last = match.groups()
        unit = (last or first).lower()
        if (unit and unit not in UNITS) or (last and first and first.lower() != unit):
            raise UsageError(
                f"bands to drop (--drop-bands): the unit of {part!r} is not known; known: nm, um"
            )
        ends = float(low), float(high or low)
        if ends[0] > ends[1]:
            raise UsageError(f"bands to drop (--drop-bands): {part!r} ends before it begins")
        yield part, *ends, UNITS[unit] if unit else None


def _around(wavelengths: NDArray[np.float64], low: float, high: float) -> str:
    """Return the nearest band centres on both sides of a range without any, in words."""
    below, above = wavelengths[wavelengths < low], wavelengths[wavelengths > high]
    near = [below.max(initial=-np.inf), above.min(initial=np.inf)]
    return " and ".join(f"{each:.1f}" for each in near if np.isfinite(each))
