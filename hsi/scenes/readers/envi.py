"""ENVI images and classifications: a text header beside a file of plain numbers.

The header's fields are described in "ENVI Header Files", NV5 Geospatial's documentation of ENVI.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError, UsageError
from hsi.scenes.contents import Contents, Purpose
from hsi.scenes.palette import Color
from hsi.scenes.readers.band_names import centres_in_names
from hsi.scenes.readers.envi_grid import grid_of_header
from hsi.scenes.readers.envi_header import find_header, is_library, numbers, read_header
from hsi.scenes.readers.spectral_library import classes_of_spectra
from hsi.scenes.readers.wavelengths import in_nanometres

# ENVI's codes for data types; 6 and 9 are complex.
_TYPES = {"1": "u1", "2": "i2", "3": "i4", "4": "f4", "5": "f8", "6": "c8", "9": "c16",
          "12": "u2", "13": "u4", "14": "i8", "15": "u8"}  # fmt: skip
DATA_SUFFIXES = ("", ".img", ".dat", ".raw", ".bsq", ".bil", ".bip", ".bin", ".sli")
_KEPT = ("description", "sensor type", "acquisition time", "map info", "coordinate system string",
         "data units", "reflectance scale factor")  # fmt: skip


def read_envi(path: Path, *, key: str | None, purpose: Purpose) -> Contents:
    """Map an ENVI image, classification or library of spectra into memory.

    Parameters
    ----------
    path : Path
        The header, or the data file beside it.
    key : str or None
        Must be None: an ENVI file holds one array without a name.
    purpose : {"cube", "labels"}
        What the array is for.

    Returns
    -------
    Contents
        The array is a memmap ``(rows, cols, bands)``, whatever the interleave on disk; of a
        library ``(spectra, 1, bands)``, with labels by the spectra's names. Fields that are
        optional and not understood are left out.

    Raises
    ------
    SceneError
        If header or data are missing, damaged, or contradict each other.
    UsageError
        If a `key` is given.
    """
    if key is not None:
        raise UsageError(f"{path} holds one image without a name; leave out the key '{key}'")
    header_path = find_header(path)
    if header_path is None:
        raise SceneError(f"{path} has no ENVI header: expected {path.name}.hdr beside it")
    header = read_header(header_path)
    library = is_library(header)
    if library and purpose == "labels":
        raise SceneError(f"{header_path} is a spectral library; labels are a map or shapes")
    data_path = path if path != header_path else find_data(header_path)
    shape, dtype = check_size(header, header_path, data_path)
    if purpose == "cube" and header.get("file type", "").lower() == "envi classification":
        raise SceneError(
            f"{header_path} is a classification, not an image\nUse it as labels: --labels {path}"
        )
    metadata = {name.replace(" ", "_"): header[name] for name in _KEPT if name in header}
    grid, reason = grid_of_header(header)
    if reason is not None:
        metadata["georeference"] = f"none: {reason}"
    array, names, labels = _map(header, data_path, shape, dtype), _class_names(header), None
    if library:
        # What ENVI calls lines and samples of a library are its spectra and their bands.
        array = array.transpose(0, 2, 1)
        labels, names = classes_of_spectra(header, array.shape[0])
        metadata["spectral_library"] = "spectra names"
    bands = array.shape[2]
    wavelengths, fwhm = _wavelengths(header, bands)
    scale, offset = _scale(header, bands)
    return Contents(
        array=array,
        wavelengths=wavelengths,
        fwhm=fwhm,
        bad_bands=_bad_bands(header, bands),
        rgb_bands=_rgb_bands(header, bands),
        nodata=_nodata(header, header_path),
        scale=scale,
        offset=offset,
        grid=grid,
        labels=labels,
        class_names=names,
        class_colors=_class_colors(header, header_path),
        metadata=metadata,
    )


def find_data(header: Path) -> Path:
    """Return the data file that belongs to a header.

    Raises
    ------
    SceneError
        If there is none.
    """
    for suffix in DATA_SUFFIXES:
        for spelling in (suffix, suffix.upper()):
            candidate = header.with_name(header.stem + spelling)
            if candidate.is_file():
                return candidate
    raise SceneError(
        f"no data file beside {header}: expected {header.stem} with no suffix or one of "
        f"{' '.join(DATA_SUFFIXES[1:])}\nOr name the data file itself."
    )


def check_size(
    header: dict[str, Any], path: Path, data: Path
) -> tuple[tuple[int, int, int], np.dtype[Any]]:
    """Return shape and type after checking that the data file is as long as the header says.

    Parameters
    ----------
    header : dict
        As `read_header` returns it.
    path, data : Path
        The header and the data file.

    Returns
    -------
    shape : tuple of int
        ``(rows, cols, bands)``, or what the header calls lines, samples and bands.
    dtype : dtype
        In the file's byte order.

    Raises
    ------
    SceneError
        If header and data do not fit each other, or the data are none that can be read.
    """
    try:
        rows, cols, bands, offset = (
            int(header.get(field, 0)) for field in ("lines", "samples", "bands", "header offset")
        )
    except ValueError as error:
        raise SceneError(f"{path}: the size is not a whole number ({error})") from error
    if min(rows, cols, bands) < 1 or offset < 0:
        raise SceneError(
            f"{path}: {rows} lines, {cols} samples, {bands} bands after {offset} bytes: "
            "sizes are positive"
        )
    code = header["data type"]
    if code not in _TYPES:
        raise SceneError(f"{path}: 'data type = {code}' is unknown; known: {', '.join(_TYPES)}")
    for field, known in (("interleave", ("bsq", "bil", "bip")), ("byte order", ("0", "1"))):
        if header[field].lower() not in known:
            raise SceneError(
                f"{path}: '{field} = {header[field]}' is unknown; known: {', '.join(known)}"
            )
    if header.get("file compression", "0") not in ("", "0"):
        raise SceneError(f"{path}: the data are compressed; save the image uncompressed")
    dtype = np.dtype(_TYPES[code]).newbyteorder(">" if header["byte order"] == "1" else "<")
    promised = offset + rows * cols * bands * dtype.itemsize
    found = data.stat().st_size
    if promised > found:
        raise SceneError(
            f"{data} is cut off, or not described by {path.name}:\n"
            f"{rows} lines x {cols} samples x {bands} bands of {dtype.name} after {offset} bytes "
            f"are {promised:,} bytes; the file has {found:,}"
        )
    if dtype.kind == "c":
        raise SceneError(f"{path}: the image holds complex numbers; expected real ones")
    return (rows, cols, bands), dtype


def _map(
    header: dict[str, Any], data: Path, shape: tuple[int, int, int], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Return ``(rows, cols, bands)`` of the data, whatever their order in the file."""
    rows, cols, bands = shape
    stored, axes = {
        "bsq": ((bands, rows, cols), (1, 2, 0)),
        "bil": ((rows, bands, cols), (0, 2, 1)),
        "bip": ((rows, cols, bands), (0, 1, 2)),
    }[header["interleave"].lower()]
    offset = int(header.get("header offset", 0))
    return np.memmap(data, dtype, mode="r", offset=offset, shape=stored).transpose(axes)


def _for_bands(header: dict[str, Any], field: str, bands: int) -> NDArray[np.float64] | None:
    """Return a number for each band, or None where the field does not give them."""
    values = numbers(header.get(field, []))
    if values is None or len(values) != bands or not np.isfinite(values).all():
        return None
    return np.array(values)


def _wavelengths(
    header: dict[str, Any], bands: int
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Return band centres, from ``wavelength`` or the bands' names, and ``fwhm`` in nanometres."""
    centres, widths = _for_bands(header, "wavelength", bands), _for_bands(header, "fwhm", bands)
    if centres is None:
        names = header.get("band names", [])
        return (centres_in_names(names) if len(names) == bands else None), None
    unit = header.get("wavelength units", "")
    try:
        in_units = in_nanometres(centres, unit)
    except ValueError:  # an index or a wave number, perhaps: no wavelengths
        return None, None
    # Widths are in the unit of the centres, also where the header leaves it to be guessed.
    factor = in_units.max() / centres.max() if centres.max() > 0 else 1.0
    return in_units, None if widths is None else widths * factor


def _bad_bands(header: dict[str, Any], bands: int) -> NDArray[np.bool_] | None:
    good = _for_bands(header, "bbl", bands)
    return None if good is None else good == 0


def _scale(header: dict[str, Any], bands: int) -> tuple[Any, Any]:
    """Return what stored values are multiplied by, and what is added to them then."""
    gain: Any = _for_bands(header, "data gain values", bands)
    offset: Any = _for_bands(header, "data offset values", bands)
    gain = 1.0 if gain is None else gain
    offset = 0.0 if offset is None else offset
    if np.any(gain != 1) or np.any(offset != 0):
        return gain, offset
    factor = numbers(header.get("reflectance scale factor", []))
    if factor and np.isfinite(factor[0]) and factor[0] > 0:
        return 1 / factor[0], 0.0
    return 1.0, 0.0


def _rgb_bands(header: dict[str, Any], bands: int) -> tuple[int, int, int] | None:
    """Return ``default bands``, which count from 1, as zero-based bands."""
    values = numbers(header.get("default bands", []))
    if not values or len(values) not in (1, 3) or not all(1 <= v <= bands for v in values):
        return None
    first, second, third = (int(v) - 1 for v in (values if len(values) == 3 else values * 3))
    return first, second, third


def _nodata(header: dict[str, Any], path: Path) -> float | None:
    text = header.get("data ignore value")
    if text in (None, ""):
        return None
    values = numbers(text)
    if values is None or len(values) != 1:
        raise SceneError(f"{path}: 'data ignore value = {text}' is no number")
    # NaN is invalid in any case, and would not equal itself.
    return values[0] if np.isfinite(values[0]) else None


def _class_names(header: dict[str, Any]) -> dict[int, str]:
    names = header.get("class names", [])
    names = [names] if isinstance(names, str) else names
    return {i: name for i, name in enumerate(names) if i > 0 and name}


def _class_colors(header: dict[str, Any], path: Path) -> dict[int, Color]:
    """Return the colours of ``class lookup``: red, green, blue of class 0, of class 1, ..."""
    values = numbers(header.get("class lookup", []))
    if values is None or len(values) % 3 or not all(0 <= value <= 255 for value in values):
        raise SceneError(f"{path}: 'class lookup' is not a list of red, green, blue in 0..255")
    channels = [int(value) for value in values]
    return {
        i: (channels[3 * i], channels[3 * i + 1], channels[3 * i + 2])
        for i in range(1, len(channels) // 3)
    }
