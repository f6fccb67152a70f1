"""What a raster file says of itself and of its bands, word for word, for a changed copy of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hsi.scenes.readers.raster_cube import open_raster, reading

# What GDAL derives from the pixels, or writes by itself.
_DERIVED = ("STATISTICS_", "LAYOUT", "OVERVIEWS", "OVR_")


@dataclass(frozen=True, kw_only=True)
class KeptOfRaster:
    """Tags of the file and of each band, and the bands' descriptions."""

    tags: dict[str, str]
    band_tags: list[dict[str, str]]
    """Those of the domain ``IMAGERY`` among them, where newer programs keep wavelengths."""
    descriptions: list[str]
    """Empty for bands without."""


def kept_of_raster(path: Path) -> KeptOfRaster:
    """Return what a raster says besides its pixels, its place and its value without data.

    Raises
    ------
    SceneError
        If the file is damaged, or of another format than its suffix says.
    """
    with reading(path), open_raster(path) as dataset:
        return KeptOfRaster(
            tags=_own(dataset.tags() | dataset.tags(ns="ENVI")),
            band_tags=[
                _own(dataset.tags(band, ns="IMAGERY") | dataset.tags(band))
                for band in dataset.indexes
            ],
            descriptions=[text or "" for text in dataset.descriptions],
        )


def _own(tags: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in tags.items() if not name.startswith(_DERIVED)}
