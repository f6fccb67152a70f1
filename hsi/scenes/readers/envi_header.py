"""The text header of an ENVI file.

The fields are described in "ENVI Header Files", NV5 Geospatial's documentation of ENVI.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hsi.errors import SceneError

# A header with the names and wavelengths of ten thousand bands has less than one megabyte.
LARGEST_BYTES = 16 * 2**20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TEXTS = {"description", "coordinate system string", "projection info"}
_SCALARS = {"file type", "samples", "lines", "bands", "header offset", "data type", "interleave",
            "byte order", "file compression", "wavelength units", "data ignore value",
            "reflectance scale factor"}  # fmt: skip
_REQUIRED = ("samples", "lines", "bands", "data type", "interleave", "byte order")


def find_header(path: Path) -> Path | None:
    """Return the header of an ENVI file: `path` itself, or the ``.hdr`` file beside it."""
    if path.suffix.lower() == ".hdr":
        return path
    for suffix in (".hdr", ".HDR"):
        for header in (path.with_name(path.name + suffix), path.with_suffix(suffix)):
            if header.is_file():
                return header
    return None


def starts_as_envi(path: Path) -> bool:
    """Return whether a file begins as ENVI's headers do; other programs write .hdr files, too."""
    with path.open("rb") as file:
        return file.read(16).removeprefix(_BYTE_ORDER_MARK).lstrip().startswith(b"ENVI")


def is_library(header: dict[str, Any]) -> bool:
    """Return whether the file holds spectra of a library, and no image."""
    return str(header.get("file type", "")).lower() == "envi spectral library"


def read_header(path: Path) -> dict[str, Any]:
    """Return the fields of a header.

    Parameters
    ----------
    path : Path
        The ``.hdr`` file: UTF-8, with or without a byte-order mark, or Latin-1.

    Returns
    -------
    dict
        By name in lower case: text, or a list of texts for what stands in braces, but for texts
        such as the description.

    Raises
    ------
    SceneError
        If it is missing, no ENVI header, or lacks a field that every ENVI file has.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "scene.hdr"
    >>> fields = ["samples=9", "lines=7", "bands=2", "data type=2", "interleave=bsq"]
    >>> lines = ["ENVI", *fields, "byte order=0", "bbl = {1,", " 0}"]
    >>> _ = path.write_text(chr(10).join(lines))
    >>> header = read_header(path)
    >>> header["lines"], header["bbl"]
    ('7', ['1', '0'])
    """
    if not path.is_file():
        raise SceneError(f"{path} does not exist")
    if path.stat().st_size > LARGEST_BYTES:
        raise _unusable(path, f"it has {path.stat().st_size:,} bytes; headers are short texts")
    lines = _text(path.read_bytes()).splitlines()
    if not lines or not lines[0].strip().startswith("ENVI"):
        raise _unusable(path, "its first line is not ENVI")
    header = _fields(path, lines[1:])
    for field in _SCALARS & header.keys():
        header[field] = _scalar(path, field, header[field])
    missing = [field for field in _REQUIRED if field not in header]
    if missing:
        raise _unusable(path, f"it does not say '{missing[0]}'")
    for field in ("major frame offsets", "minor frame offsets"):
        if any(str(value).strip() not in ("", "0") for value in header.get(field, [])):
            raise _unusable(path, f"'{field}' other than 0 cannot be read; save without them")
    return header


def numbers(values: Any) -> list[float] | None:
    """Return the numbers of a header field, or None if it holds anything else."""
    try:
        return [float(value) for value in ([values] if isinstance(values, str) else values)]
    except ValueError:
        return None


def _text(content: bytes) -> str:
    """Return the text of a header; what is not UTF-8 was written on an older Windows."""
    content = content.removeprefix(_BYTE_ORDER_MARK)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _fields(path: Path, lines: list[str]) -> dict[str, Any]:
    header: dict[str, Any] = {}
    remaining = iter(line for line in lines if not line.startswith(";"))
    for line in remaining:
        name, equals, value = line.partition("=")
        if not equals:
            continue
        name, value = " ".join(name.lower().split()), value.strip()
        if not value.startswith("{"):
            _add(path, header, name, value)
            continue
        parts = [value]
        while not parts[-1].rstrip().endswith("}"):
            following = next(remaining, None)
            if following is None:
                raise _unusable(path, f"the brace after '{name}' is never closed")
            parts.append(following.strip())
        inside = "\n".join(parts).strip()[1:-1]
        if name in _TEXTS:
            _add(path, header, name, inside.strip())
        else:
            _add(path, header, name, [each.strip() for each in inside.split(",")])
    return header


def _add(path: Path, header: dict[str, Any], name: str, value: Any) -> None:
    """Take a field; one that says two things of the data could mean either."""
    if name not in _TEXTS and header.get(name, value) != value:
        raise _unusable(path, f"'{name}' stands in it twice, with different values")
    header[name] = value


def _scalar(path: Path, field: str, value: Any) -> str:
    """Return the only element of a list in braces."""
    if isinstance(value, str):
        return value
    if len(value) != 1:
        raise SceneError(f"{path}: '{field}' is a list of {len(value)}; expected one value")
    return str(value[0])


def _unusable(path: Path, reason: str) -> SceneError:
    return SceneError(f"{path} is no usable ENVI header: {reason}")
