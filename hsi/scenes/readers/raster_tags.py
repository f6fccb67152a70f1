"""What a raster file says of its bands: centres, widths, which are bad.

Programs keep it in different places: GDAL 3.10 and later in the domain ``IMAGERY``, the EnMAP-Box
and others as tags of each band, GDAL's ENVI driver and QGIS as lists of the whole file, and many
only in the bands' descriptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.scenes.readers.band_names import centres_in_names
from hsi.scenes.readers.wavelengths import in_nanometres

_UNITS = ("wavelength_units", "wavelength_unit", "wavelength units")


@dataclass(frozen=True, kw_only=True, eq=False)
class BandTags:
    """Facts of each band, ``(bands,)``, or None where the file does not tell them of all bands."""

    wavelengths: NDArray[np.float64] | None
    """Centres in nanometres."""
    fwhm: NDArray[np.float64] | None
    """Full widths at half maximum in nanometres."""
    bad: NDArray[np.bool_] | None


def band_tags(dataset: Any) -> BandTags:
    """Return what an open `rasterio` dataset says of its bands."""
    bands = [_lower(dataset.tags(number)) for number in dataset.indexes]
    whole = _lower(dataset.tags(ns="ENVI")) | _lower(dataset.tags())
    good = _per_band(bands, whole, "bbl")
    centres, widths = _imagery(dataset)
    if centres is None:
        centres, widths = _in_tags(bands, whole)
    if centres is None:
        centres = centres_in_names(dataset.descriptions)
    return BandTags(wavelengths=centres, fwhm=widths, bad=None if good is None else good == 0)


def _imagery(dataset: Any) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Return centres and widths of the domain that GDAL keeps for them, in micrometres there."""
    domain = [_lower(dataset.tags(number, ns="IMAGERY")) for number in dataset.indexes]
    centres = _numbers([tags.get("central_wavelength_um") for tags in domain])
    widths = _numbers([tags.get("fwhm_um") for tags in domain])
    if centres is None:
        return None, None
    return centres * 1000, None if widths is None else widths * 1000


def _in_tags(
    bands: list[dict[str, str]], whole: dict[str, str]
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    centres = _per_band(bands, whole, "wavelength")
    if centres is None:
        centres = _per_band(bands, whole, "wavelengths")
    units = {next((tags[name] for name in _UNITS if name in tags), "") for tags in bands}
    if len(units) != 1 or centres is None:
        return None, None
    unit = units.pop() or next((whole[name] for name in _UNITS if name in whole), "")
    try:
        in_units = in_nanometres(centres, unit)
    except ValueError:  # an index, perhaps: no wavelengths
        return None, None
    widths = _per_band(bands, whole, "fwhm")
    factor = in_units.max() / centres.max() if centres.max() > 0 else 1.0
    return in_units, None if widths is None else widths * factor


def _per_band(
    bands: list[dict[str, str]], whole: dict[str, str], name: str
) -> NDArray[np.float64] | None:
    """Return a number for each band: its own tag, or its part of a list of the whole file."""
    own = _numbers([tags.get(name) for tags in bands])
    if own is not None:
        return own
    listed = whole.get(name, "").strip("{}[]() \n").split(",")
    return _numbers(listed) if len(listed) == len(bands) else None


def _numbers(texts: Sequence[str | None]) -> NDArray[np.float64] | None:
    try:
        values = np.array([float(text) for text in texts if text is not None])
    except ValueError:
        return None
    return values if values.size == len(texts) and np.isfinite(values).all() else None


def _lower(tags: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in tags.items()}
