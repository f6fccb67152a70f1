"""ENVI images and classifications: a text header beside a file of plain numbers.

The header's fields are described in "ENVI Header Files", NV5 Geospatial's documentation of ENVI.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError, UsageError
from hsi.scenes.contents import Contents, Purpose
from hsi.scenes.palette import Color

# ENVI's codes for data types; 6 and 9 are complex.
_TYPES = {"1": "u1", "2": "i2", "3": "i4", "4": "f4", "5": "f8", "6": "c8", "9": "c16",
          "12": "u2", "13": "u4", "14": "i8", "15": "u8"}  # fmt: skip
_DATA_SUFFIXES = ("", ".img", ".dat", ".raw", ".bsq", ".bil", ".bip", ".bin")
_NANOMETRES = {
    "nanometers": 1.0, "nanometres": 1.0, "nm": 1.0,
    "micrometers": 1000.0, "micrometres": 1000.0, "microns": 1000.0, "micron": 1000.0,
    "um": 1000.0, "µm": 1000.0, "μm": 1000.0,
    "millimeters": 1e6, "mm": 1e6, "centimeters": 1e7, "cm": 1e7, "meters": 1e9, "m": 1e9,
    "angstroms": 0.1,
}  # fmt: skip
_KEPT = ("description", "sensor type", "acquisition time", "map info", "coordinate system string",
         "data units", "reflectance scale factor", "bbl", "fwhm")  # fmt: skip


_SCALARS = {"file type", "samples", "lines", "bands", "header offset", "data type", "interleave",
            "byte order", "file compression", "wavelength units"}  # fmt: skip


def find_header(path: Path) -> Path | None:
    """Return the header of an ENVI file: `path` itself, or the ``.hdr`` file beside it."""
    if path.suffix.lower() == ".hdr":
        return path
    for suffix in (".hdr", ".HDR"):
        for header in (path.with_name(path.name + suffix), path.with_suffix(suffix)):
            if header.is_file():
                return header
    return None


def read_envi(path: Path, *, key: str | None, purpose: Purpose) -> Contents:
    """Map an ENVI image or classification into memory.

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
        The array is a memmap ``(rows, cols, bands)``, whatever the interleave on disk.

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
    header = _read_header(header_path)
    data_path = path if path != header_path else _find_data(header_path)
    shape, dtype = _check_size(header, header_path, data_path)
    if dtype.kind == "c":
        raise SceneError(f"{header_path}: the image holds complex numbers; expected real ones")
    if purpose == "cube" and header.get("file type", "").lower() == "envi classification":
        raise SceneError(
            f"{header_path} is a classification, not an image\nUse it as labels: --labels {path}"
        )
    wavelengths = _wavelengths(header, shape[2])
    offset = int(header.get("header offset", 0))
    big_endian = str(header["byte order"]) == "1"
    array = _map(
        data_path,
        shape,
        dtype.newbyteorder(">" if big_endian else "<"),
        offset=offset,
        interleave=str(header["interleave"]).lower(),
    )
    return Contents(
        array=array,
        wavelengths=wavelengths,
        rgb_bands=_rgb_bands(header, shape[2]),
        nodata=_nodata(header, header_path),
        class_names=_class_names(header),
        class_colors=_class_colors(header, header_path),
        metadata={name.replace(" ", "_"): header[name] for name in _KEPT if name in header},
    )


def _read_header(path: Path) -> dict[str, Any]:
    from spectral.io import envi
    from spectral.io.spyfile import SpyException

    if not path.is_file():
        raise SceneError(f"{path} does not exist")
    try:
        with warnings.catch_warnings():
            # Field names in capitals are read all the same.
            warnings.filterwarnings("ignore", message="Parameters with non-lowercase names")
            header: dict[str, Any] = envi.read_envi_header(path)
            for field in _SCALARS & header.keys():
                header[field] = _scalar(path, field, header[field])
            envi.check_compatibility(header)
    except (SpyException, UnicodeDecodeError, ValueError) as error:
        raise SceneError(f"{path} is no usable ENVI header: {' '.join(str(error).split())}") from (
            error
        )
    return header


def _scalar(path: Path, field: str, value: Any) -> Any:
    """Return the only element of a list in braces."""
    if not isinstance(value, list):
        return value
    if len(value) != 1:
        raise SceneError(f"{path}: '{field}' is a list of {len(value)}; expected one value")
    return value[0]


def _find_data(header: Path) -> Path:
    for suffix in _DATA_SUFFIXES:
        for spelling in (suffix, suffix.upper()):
            candidate = header.with_name(header.stem + spelling)
            if candidate.is_file():
                return candidate
    raise SceneError(
        f"no data file beside {header}: expected {header.stem} with no suffix or one of "
        f"{' '.join(_DATA_SUFFIXES[1:])}\nOr name the data file itself."
    )


def _check_size(
    header: dict[str, Any], path: Path, data: Path
) -> tuple[tuple[int, int, int], np.dtype[Any]]:
    """Return shape and type after checking that the data file is as long as the header says."""
    if header.get("file type", "").lower() == "envi spectral library":
        raise SceneError(f"{path} is a spectral library; expected an image")
    try:
        rows, cols, bands, offset = (
            int(header.get(field, 0)) for field in ("lines", "samples", "bands", "header offset")
        )
    except (TypeError, ValueError) as error:
        raise SceneError(f"{path}: the size is not a whole number ({error})") from error
    if min(rows, cols, bands) < 1 or offset < 0:
        raise SceneError(
            f"{path}: {rows} lines, {cols} samples, {bands} bands after {offset} bytes: "
            "sizes are positive"
        )
    code = str(header["data type"])
    if code not in _TYPES:
        raise SceneError(f"{path}: 'data type = {code}' is unknown; known: {', '.join(_TYPES)}")
    for field, known in (("interleave", ("bsq", "bil", "bip")), ("byte order", ("0", "1"))):
        if str(header[field]).lower() not in known:
            raise SceneError(
                f"{path}: '{field} = {header[field]}' is unknown; known: {', '.join(known)}"
            )
    if str(header.get("file compression", "0")) not in ("", "0"):
        raise SceneError(f"{path}: the data are compressed; save the image uncompressed")
    dtype = np.dtype(_TYPES[code])
    promised = offset + rows * cols * bands * dtype.itemsize
    found = data.stat().st_size
    if promised > found:
        raise SceneError(
            f"{data} is cut off, or not described by {path.name}:\n"
            f"{rows} lines x {cols} samples x {bands} bands of {dtype} after {offset} bytes are "
            f"{promised:,} bytes; the file has {found:,}"
        )
    return (rows, cols, bands), dtype


def _map(
    data: Path, shape: tuple[int, int, int], dtype: np.dtype[Any], *, offset: int, interleave: str
) -> NDArray[Any]:
    """Return ``(rows, cols, bands)`` of the data, whatever their order in the file."""
    rows, cols, bands = shape
    stored, axes = {
        "bsq": ((bands, rows, cols), (1, 2, 0)),
        "bil": ((rows, bands, cols), (0, 2, 1)),
        "bip": ((rows, cols, bands), (0, 1, 2)),
    }[interleave]
    return np.memmap(data, dtype, mode="r", offset=offset, shape=stored).transpose(axes)


def _floats(values: Any) -> list[float] | None:
    """Return the numbers of a header field, or None if it holds anything else."""
    try:
        return [float(value) for value in ([values] if isinstance(values, str) else values)]
    except ValueError:
        return None


def _wavelengths(header: dict[str, Any], bands: int) -> NDArray[np.float64] | None:
    """Return band centres in nanometres, from ``wavelength`` or from names like "376.4 nm"."""
    unit = str(header.get("wavelength units", "")).strip().lower()
    values = _floats(header.get("wavelength", []))
    if not values:
        named = [
            re.fullmatch(r"([\d.]+) *([^\d\s]+)", str(n)) for n in header.get("band names", [])
        ]
        units = {match[2].lower() for match in named if match}
        if not named or None in named or len(units) != 1 or not units <= _NANOMETRES.keys():
            return None
        unit = units.pop()
        values = _floats([match[1] for match in named if match])
    if values is None or len(values) != bands:
        return None
    centres = np.array(values)
    if unit in ("", "unknown"):
        # No imaging spectrometer measures below 100 nm, nor beyond 100 micrometres.
        unit = "micrometers" if centres.max() < 100 else "nanometers"
    return centres * _NANOMETRES[unit] if unit in _NANOMETRES else None


def _rgb_bands(header: dict[str, Any], bands: int) -> tuple[int, int, int] | None:
    """Return ``default bands``, which count from 1, as zero-based bands."""
    values = _floats(header.get("default bands", []))
    if not values or len(values) not in (1, 3) or not all(1 <= v <= bands for v in values):
        return None
    first, second, third = (int(v) - 1 for v in (values if len(values) == 3 else values * 3))
    return first, second, third


def _nodata(header: dict[str, Any], path: Path) -> float | None:
    text = header.get("data ignore value")
    if text in (None, ""):
        return None
    values = _floats(text)
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
    values = _floats(header.get("class lookup", []))
    if values is None or len(values) % 3 or not all(0 <= value <= 255 for value in values):
        raise SceneError(f"{path}: 'class lookup' is not a list of red, green, blue in 0..255")
    channels = [int(value) for value in values]
    return {
        i: (channels[3 * i], channels[3 * i + 1], channels[3 * i + 2])
        for i in range(1, len(channels) // 3)
    }
