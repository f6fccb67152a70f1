"""Band centres that stand in the names of bands."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsi.scenes.readers.wavelengths import in_nanometres

# "418.24 nm" as a whole or at the end. Metres and their like may measure anything in a name.
_CENTRE = re.compile(
    r"(?:|.*[\s(\[:,;_-])(\d+(?:\.\d*)?)\s*"
    r"(nm|nanomet(?:er|re)s?|um|µm|μm|microns?|micromet(?:er|re)s?)\s*[)\]]?",
    re.IGNORECASE | re.DOTALL,
)


def centres_in_names(names: Sequence[str | None]) -> NDArray[np.float64] | None:
    """Return band centres in nanometres, or None unless every name tells one in the same unit.

    Parameters
    ----------
    names : sequence of str
        One for each band.

    Examples
    --------
    >>> centres_in_names(["band 1 (418.24 Nanometers)", "band 2 (423.874 Nanometers)"])
    array([418.24 , 423.874])
    >>> centres_in_names(["0.5 um", "0.6 um"])
    array([500., 600.])
    >>> centres_in_names(["red", "near infrared"])
    """
    found = [_CENTRE.fullmatch(name.strip()) for name in names if name]
    matches = [match for match in found if match is not None]
    if not matches or len(matches) != len(names):
        return None
    units = {match[2].lower() for match in matches}
    if len(units) != 1:
        return None
    return in_nanometres(np.array([float(match[1]) for match in matches]), units.pop())
