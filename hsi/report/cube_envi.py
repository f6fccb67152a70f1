"""A cube as ENVI image: plain numbers, and a text header beside them.

The header's fields are described in "ENVI Header Files", NV5 Geospatial's documentation of ENVI.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hsi.errors import UsageError
from hsi.files import atomic_paths
from hsi.report.cube_facts import CubeFacts
from hsi.report.envi_classification import place_lines
from hsi.report.geotiff import check_shape
from hsi.scenes.cube import BLOCK_BYTES

# ENVI's codes for types of numbers.
_TYPES = {"uint8": 1, "int16": 2, "int32": 3, "float32": 4, "float64": 5, "uint16": 12,
          "uint32": 13, "int64": 14, "uint64": 15}  # fmt: skip
_LAYOUT = ("samples", "lines", "bands", "header offset", "file type", "data type", "interleave",
           "byte order", "file compression", "data ignore value", "bbl", "hsi history",
           "major frame offsets", "minor frame offsets")  # fmt: skip
_ORDERS = ("bsq", "bil", "bip")
# Lists may go on in further lines; these are texts in braces.
_TEXTS = ("description", "coordinate system string", "projection info")


def write_cube_envi(path: Path | str, pixels: Any, *, facts: CubeFacts) -> None:
    """Write a cube as ENVI image ``NAME.SUFFIX`` and its header ``NAME.hdr``, all or nothing.

    The order of the pixels is the one that the suffix names (``.bsq``, ``.bil``, ``.bip``), else
    that of the header that is kept, else by band.

    Parameters
    ----------
    path : path
        The data file; ``NAME.hdr`` means ``NAME.img``. Its folder exists.
    pixels : array_like
        ``(bands, rows, cols)`` stored values; sliced, never read as a whole.
    facts : CubeFacts
        What is known of it. Fields of a header go before what is known otherwise.

    Raises
    ------
    UsageError
        If `pixels` is no array of numbers of a type that ENVI has, or its pixels are sheared.
    OSError
        If the files cannot be written; those that were there are still there.
    """
    path = Path(path)
    path = path.with_suffix(".img") if path.suffix.lower() == ".hdr" else path
    kinds, expected = "iuf", "values, (bands, rows, columns) of real numbers"
    check_shape(pixels, what="a cube", axes=3, kinds=kinds, expected=expected)
    if pixels.dtype.name not in _TYPES:
        raise UsageError(
            f"ENVI has no numbers of type {pixels.dtype.name}; write float32 (--dtype float32)"
        )
    interleave = path.suffix.lower().removeprefix(".")
    if interleave not in _ORDERS:
        interleave = str(facts.header.get("interleave", "bsq")).lower()
    lines = _header(facts, pixels, interleave=interleave)
    with atomic_paths(path, path.with_suffix(".hdr")) as (image, header):
        with image.open("wb") as file:
            for block in _in_order(pixels, interleave):
                file.write(block.astype(pixels.dtype.newbyteorder("<")).tobytes())
        header.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _in_order(pixels: Any, interleave: str) -> Iterator[np.ndarray]:
    """Yield blocks of ``(bands, rows, cols)`` whose values follow each other in the file."""
    bands, rows, cols = pixels.shape
    if interleave == "bsq":
        for band in range(bands):
            yield np.asarray(pixels[band])
        return
    step = max(1, BLOCK_BYTES // (bands * cols * pixels.dtype.itemsize))
    for row in range(0, rows, step):
        block = np.asarray(pixels[:, row : row + step])
        yield block.transpose(1, 0, 2) if interleave == "bil" else block.transpose(1, 2, 0)


def _header(facts: CubeFacts, pixels: Any, *, interleave: str) -> list[str]:
    bands, rows, cols = pixels.shape
    lines = [
        "ENVI",
        f"samples = {cols}",
        f"lines = {rows}",
        f"bands = {bands}",
        "header offset = 0",
        "file type = ENVI Standard",
        f"data type = {_TYPES[pixels.dtype.name]}",
        f"interleave = {interleave}",
        "byte order = 0",
    ]
    if facts.nodata is not None:
        lines.append(f"data ignore value = {facts.nodata:.17g}")
    if facts.good is not None:
        lines.append(_list("bbl", facts.good.astype(int).tolist()))
    kept = {name: value for name, value in facts.header.items() if name not in _LAYOUT}
    if kept:
        lines += [_field(name, value) for name, value in kept.items()]
    else:
        lines += _known(facts) + place_lines(facts.grid, (rows, cols))
    history = facts.history.translate(str.maketrans("{}\n", "() "))
    return [*lines, f"hsi history = {{{history}}}"]


def _known(facts: CubeFacts) -> list[str]:
    """Return the fields of what is known of a cube that had no ENVI header."""
    lines = []
    if facts.wavelengths is not None:
        lines += ["wavelength units = Nanometers", _list("wavelength", facts.wavelengths.tolist())]
        if facts.fwhm is not None:
            lines.append(_list("fwhm", facts.fwhm.tolist()))
    if facts.scaled:
        lines.append(_list("data gain values", facts.scale.tolist()))
        lines.append(_list("data offset values", facts.offset.tolist()))
    if any(facts.descriptions):
        named = (text.translate(str.maketrans(",{}\n", ";() ")) for text in facts.descriptions)
        lines.append(f"band names = {{{', '.join(named)}}}")
    return lines


def _field(name: str, value: Any) -> str:
    if isinstance(value, list):
        return f"{name} = {{{', '.join(value)}}}"
    return f"{name} = {{{value}}}" if name in _TEXTS else f"{name} = {value}"


def _list(name: str, values: list[Any]) -> str:
    return f"{name} = {{{', '.join(f'{value:.10g}' for value in values)}}}"
