"""A class map as ENVI classification, for ENVI and for Spectral Python.

The header's fields are described in "ENVI Header Files", NV5 Geospatial's documentation of ENVI.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from hsi.errors import UsageError
from hsi.files import atomic_paths
from hsi.report.geotiff import gdal_writing
from hsi.report.legend import Legend, make_legend, plain_text
from hsi.report.raster import count_classes
from hsi.scenes.cube import BLOCK_BYTES
from hsi.scenes.grid import Grid
from hsi.scenes.palette import Color

_LAST_ID = 65_535
# ENVI's codes for unsigned numbers of 8 and of 16 bits.
_DATA_TYPES = {"uint8": 1, "uint16": 12}
_GEOREFERENCE = ("map info", "projection info", "coordinate system string")
_REPLACED = str.maketrans(",{}", ";()")


def write_envi_classification(
    path: Path | str,
    class_map: Any,
    *,
    names: Mapping[int, str],
    colors: Mapping[int, Color],
    grid: Grid | None = None,
) -> None:
    """Write label ids as ENVI classification: ``NAME.img`` and its header ``NAME.hdr``.

    ENVI numbers classes without gaps: an id that no class has becomes a black class named
    ``unused 7``, so that ids stay what they are. In names, what a header cannot hold is replaced:
    a comma by a semicolon, braces by parentheses, line breaks by blanks.

    Parameters
    ----------
    path : path
        Where to, ``NAME.img`` or ``NAME.hdr``; its folder exists. Both are written before either
        is replaced.
    class_map : array_like of int
        ``(rows, cols)`` label ids up to 65,535, 0 = no data. An array, a memmap or anything that
        slices like one; it is read in blocks.
    names : mapping
        Class name by id.
    colors : mapping
        Red, green and blue (0..255) by id.
    grid : Grid, optional
        Where the pixels lie on the Earth.

    Raises
    ------
    UsageError
        If `class_map` is no array of ids, or holds one that is too high; or if the pixels of
        `grid` are no rectangles.
    OSError
        If the files cannot be written; those that were there are still there.
    """
    path = Path(path)
    counts = count_classes(class_map)
    legend = make_legend(counts, names=names, colors=colors)
    last = max((each.id for each in legend.classes), default=0)
    if last > _LAST_ID:
        raise UsageError(
            f"an ENVI classification lists all ids up to the highest, which is {last}; expected "
            f"at most {_LAST_ID}\nA GeoTIFF holds such ids."
        )
    dtype = "uint8" if last <= np.iinfo(np.uint8).max else "uint16"
    with atomic_paths(path.with_suffix(".img"), path.with_suffix(".hdr")) as (image, header):
        _write_pixels(image, class_map, dtype=dtype)
        lines = _header(legend, shape=class_map.shape, dtype=dtype, last=last)
        lines += place_lines(grid, class_map.shape)
        header.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_pixels(path: Path, class_map: Any, *, dtype: str) -> None:
    rows, cols = class_map.shape
    step = max(1, BLOCK_BYTES // (cols * np.dtype(class_map.dtype).itemsize))
    with path.open("wb") as image:
        for row in range(0, rows, step):
            block = np.asarray(class_map[row : row + step])
            image.write(block.astype(np.dtype(dtype).newbyteorder("<")).tobytes())


def _header(legend: Legend, *, shape: tuple[int, int], dtype: str, last: int) -> list[str]:
    names = {each.id: each.name for each in legend.classes} | {0: "Unclassified"}
    colors = legend.colors
    ids = range(last + 1)
    lookup = (", ".join(map(str, colors.get(each, (0, 0, 0)))) for each in ids)
    return [
        "ENVI",
        "description = {Class map}",
        f"samples = {shape[1]}",
        f"lines = {shape[0]}",
        "bands = 1",
        "header offset = 0",
        "file type = ENVI Classification",
        f"data type = {_DATA_TYPES[dtype]}",
        "interleave = bsq",
        "byte order = 0",
        "data ignore value = 0",
        f"classes = {len(ids)}",
        f"class lookup = {{{', '.join(lookup)}}}",
        f"class names = {{{', '.join(_safe(names.get(each, f'unused {each}')) for each in ids)}}}",
        "band names = {Class map}",
    ]


def _safe(name: str) -> str:
    """Return a name as an element of a list in braces."""
    return plain_text(name.translate(_REPLACED)) or "unnamed"


def place_lines(grid: Grid | None, shape: tuple[int, int]) -> list[str]:
    """Return the lines of a header that say where the image lies, in GDAL's words.

    Raises
    ------
    UsageError
        If the pixels are sheared.
    """
    if grid is None:
        return []
    import rasterio

    with gdal_writing(), TemporaryDirectory() as folder:
        # They depend on nothing but the upper left pixel.
        sample = Path(folder) / "pixel.img"
        with rasterio.open(
            sample, "w", driver="ENVI", width=1, height=1, count=1, dtype="uint8",
            transform=grid.affine, crs=grid.rasterio_crs,
        ):  # fmt: skip
            pass
        with rasterio.open(sample) as written:
            kept = Grid(transform=tuple(written.transform)[:6])
        if not kept.is_like(Grid(transform=grid.transform), *shape):
            raise UsageError(
                "ENVI headers hold no pixels that are sheared, as those of this scene are\n"
                "Write a GeoTIFF, which does."
            )
        lines = sample.with_suffix(".hdr").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith(_GEOREFERENCE)]
