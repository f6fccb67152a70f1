"""EnMAP and DESIS scenes as DLR delivers them: a GeoTIFF and its metadata in XML beside it.

``<product>-SPECTRAL_IMAGE.TIF`` holds whole numbers; ``<product>-METADATA.XML`` says what they
mean: band centres, widths, gains and offsets, as described in the "EnMAP HSI Level 1B/1C/2A product
specification" (EN-PCV-ICD-2009) and the "DESIS products and data format specification".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError
from hsi.scenes.address import Place
from hsi.scenes.contents import Contents, Purpose
from hsi.scenes.readers.raster import read_raster
from hsi.scenes.readers.xml_files import read_xml

_IMAGE = re.compile(r"(.+-)SPECTRAL_IMAGE(?:_COG)?\.(?:TIFF?|GEOTIFF)", re.IGNORECASE)
_METADATA = re.compile(r"(.+-)METADATA\.XML", re.IGNORECASE)
_BANDS = "specific/bandCharacterisation/"
# Both products' value of pixels without data; EnMAP's metadata repeat it, DESIS' do not.
_NODATA = -32768.0


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Names of the elements in which a product tells the same of each band."""

    sensor: str
    band: str
    number: str
    fwhm: str
    gain: str
    offset: str

    def number_of(self, band: Element) -> str | None:
        """Return the band's number, an attribute or an element."""
        return band.get(self.number) or band.findtext(self.number)


_LAYOUTS = (
    _Layout(sensor="EnMAP", band="bandID", number="number", fwhm="FWHMOfBand", gain="GainOfBand",
            offset="OffsetOfBand"),
    _Layout(sensor="DESIS", band="band", number="bandNumber", fwhm="wavelengthWidthOfBand",
            gain="gainOfBand", offset="offsetOfBand"),
)  # fmt: skip


def read_tiff(path: Place, *, key: str | None, purpose: Purpose) -> Contents:
    """Open a GeoTIFF, with what the metadata beside it say where it is an EnMAP or DESIS image.

    Parameters and errors are those of `read_raster`. An image of these products without its
    metadata, and any at an address, opens like any GeoTIFF; ``metadata["note"]`` says so.
    """
    image = _IMAGE.fullmatch(path.name)
    if image is None or purpose == "labels":
        return read_raster(path, key=key, purpose=purpose)
    contents = read_raster(path, key=key, purpose="cube")
    if isinstance(path, Path):
        metadata = _beside(path, _METADATA, image[1])
        if metadata is not None:
            return _described(path, contents, metadata)
        note = f"no {image[1]}METADATA.XML beside the image"
    else:
        note = f"{image[1]}METADATA.XML is not read at an address"
    note += ": stored values, in no known unit"
    return replace(contents, metadata=contents.metadata | {"note": note})


def read_product(path: Path, *, key: str | None, purpose: Purpose) -> Contents:
    """Open an EnMAP or DESIS image by its metadata, ``<product>-METADATA.XML``.

    Raises
    ------
    SceneError
        If the file is no such metadata, or the image is not beside it.
    """
    name = _METADATA.fullmatch(path.name)
    if name is None:
        raise SceneError(
            f"{path} is XML; of XML, only the metadata of EnMAP and DESIS products are known "
            "(<product>-METADATA.XML)\nOpen the image itself."
        )
    if purpose == "labels":
        raise SceneError(f"{path} are the metadata of an image; expected labels")
    image = _beside(path, _IMAGE, name[1])
    if image is None:
        raise SceneError(
            f"no image beside {path}: expected {name[1]}SPECTRAL_IMAGE.TIF in the same folder"
        )
    return _described(image, read_raster(image, key=key, purpose="cube"), path)


def _beside(path: Path, pattern: re.Pattern[str], product: str) -> Path | None:
    """Return the file of the same product that fits a pattern; suffixes are in either case."""
    for each in sorted(path.parent.iterdir()):
        match = pattern.fullmatch(each.name)
        if match is not None and match[1] == product and each.is_file():
            return each
    return None


def _described(image: Path, contents: Contents, path: Path) -> Contents:
    """Return the contents of the image with what its metadata say."""
    root = read_xml(path)
    layout = next((each for each in _LAYOUTS if root.find(_BANDS + each.band) is not None), None)
    if layout is None:
        raise SceneError(
            f"{path} describes no bands; expected specific/bandCharacterisation, as in the "
            "metadata of EnMAP and DESIS products"
        )
    bands = _in_order(path, layout, root.findall(_BANDS + layout.band))
    if len(bands) != contents.array.shape[2]:
        raise SceneError(
            f"{path} describes {len(bands)} bands; {image.name} has {contents.array.shape[2]}"
        )
    centres = _column(path, bands, "wavelengthCenterOfBand")
    if (centres <= 0).any():
        raise SceneError(f"{path} has a band centre of {centres.min()} nm")
    told = {
        "sensor": layout.sensor,
        "product": (root.findtext("metadata/name") or path.name).strip(),
        "processing_level": root.findtext("base/level"),
        "acquisition_time": root.findtext("base/temporalCoverage/startTime"),
    }
    product = _METADATA.fullmatch(told["product"] or "")
    if product is not None:
        told["product"] = product[1].rstrip("-")
    return replace(
        contents,
        wavelengths=centres,
        fwhm=_column(path, bands, layout.fwhm),
        scale=_column(path, bands, layout.gain),
        offset=_column(path, bands, layout.offset),
        bad_bands=_unexpected(root, len(bands)),
        nodata=_background(path, root) if contents.nodata is None else contents.nodata,
        metadata=contents.metadata | {name: text.strip() for name, text in told.items() if text},
    )


def _in_order(path: Path, layout: _Layout, bands: list[Element]) -> list[Element]:
    """Return the bands by their numbers, which are those of the image's bands."""
    try:
        ordered = {int(layout.number_of(band) or ""): band for band in bands}
    except ValueError as error:
        raise SceneError(f"{path}: a band has no number ({error})") from error
    # Numbers may begin at 0; they only have to be a sequence.
    if sorted(ordered) != list(range(min(ordered), min(ordered) + len(bands))):
        raise SceneError(f"{path}: the bands' numbers are no sequence; the file is damaged")
    return [ordered[number] for number in sorted(ordered)]


def _column(path: Path, bands: list[Element], name: str) -> NDArray[np.float64]:
    try:
        values = np.array([float(band.findtext(name) or "") for band in bands])
    except ValueError as error:
        raise SceneError(f"{path}: '{name}' of a band is no number ({error})") from error
    if not np.isfinite(values).all():
        raise SceneError(f"{path}: '{name}' of a band is {values[~np.isfinite(values)][0]}")
    return values


def _unexpected(root: Element, bands: int) -> NDArray[np.bool_] | None:
    """Return the bands that neither of EnMAP's detectors was to measure; None for DESIS."""
    expected: set[int] = set()
    for detector in ("vnir", "swir"):
        text = root.findtext(f"specific/{detector}ProductQuality/expectedChannelsList") or ""
        numbers = [each.strip() for each in text.split(",")]
        if not all(each.isdecimal() for each in numbers):
            return None
        expected |= {int(each) for each in numbers}
    if not expected <= set(range(1, bands + 1)):
        return None
    return np.array([number not in expected for number in range(1, bands + 1)])


def _background(path: Path, root: Element) -> Any:
    text = root.findtext("specific/backgroundValue")
    if text is None:
        return _NODATA
    try:
        return float(text)
    except ValueError as error:
        raise SceneError(f"{path}: 'backgroundValue' is no number ({error})") from error
