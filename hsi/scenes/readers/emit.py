"""EMIT L2A reflectance and L1B radiance: images in the sensor's geometry, and a table to a map.

The layout is the one that public readers of these products use; the LP DAAC describes it in the
"EMIT L2A Surface Reflectance User Guide".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError
from hsi.scenes.contents import Contents
from hsi.scenes.cube import BLOCK_BYTES
from hsi.scenes.grid import Grid
from hsi.scenes.lazy import Bands, LazyCube
from hsi.scenes.readers.hdf5_access import (
    attribute,
    fill_value,
    find,
    find_dataset,
    numbers,
    setting,
    text,
)
from hsi.scenes.readers.hdf5_cube import Hdf5Cube

IMAGES = ("reflectance", "radiance")
TABLE = "location/glt_x", "location/glt_y"
_BANDS = "sensor_band_parameters"
# A map is some three times as large as the image that it shows. Maps of a few million pixels may
# be of any size.
_LARGEST_MAP, _HARMLESS_PIXELS = 100, 2**24
# Rows of the image that are read at once where they are stored one after the other. A row of the
# map crosses the image at a slant, so that of few rows only few columns are needed.
_STRIP = 16


def read_emit(file: Any, path: Path) -> Contents:
    """Return the orthorectified cube of an EMIT product.

    Parameters
    ----------
    file : h5py.File
        The product.
    path : Path
        Its path, for messages.

    Raises
    ------
    SceneError
        If something is missing or contradicts the rest.
    """
    name = next((each for each in IMAGES if find(file, each) is not None), IMAGES[0])
    dataset = find_dataset(file, name, axes=3)
    image = Hdf5Cube(dataset, path=path)
    fill = fill_value(dataset)
    if fill is None and image.dtype.kind != "f":
        raise SceneError(f"{path}: '{name}' holds {image.dtype} without a value for no data")
    table = _read_table(file, path, image.shape[:2])

    def listed(what: str) -> NDArray[np.float64]:
        values = setting(file, f"{_BANDS}/{what}")
        return numbers(values, what=what, path=path, count=image.shape[2])

    bad = None
    if find(file, f"{_BANDS}/good_wavelengths") is not None:
        bad = listed("good_wavelengths") == 0
    return Contents(
        array=EmitCube(image, table, nodata=np.nan if fill is None else fill),
        wavelengths=listed("wavelengths"),
        fwhm=listed("fwhm"),
        bad_bands=bad,
        nodata=fill,
        grid=_grid(file, path),
        metadata={
            "sensor": "EMIT",
            "product": text(attribute(file, "granule_id")) or path.stem,
            "acquisition_time": text(attribute(file, "time_coverage_start")),
        },
    )


class EmitCube(LazyCube):
    """An image brought to a map by a table; only those of its pixels are read that are needed.

    Parameters
    ----------
    image : Hdf5Cube
        ``(lines, samples, bands)`` in the sensor's geometry.
    table : ndarray of int
        ``(rows, cols)`` of the map: ``line * samples + sample``, or -1 where no pixel lies.
    nodata : float
        The value there.
    """

    def __init__(self, image: Hdf5Cube, table: NDArray[np.integer], *, nodata: float) -> None:
        super().__init__((*table.shape, image.shape[2]), image.dtype)
        self.image, self.table, self.nodata = image, table, nodata

    def read(self, rows: slice, cols: slice, bands: Bands) -> NDArray[Any]:
        """Return ``(rows, cols, bands)`` of a rectangle of the map."""
        wanted = self.table[rows, cols].ravel()
        values = np.full((len(wanted), len(bands)), self.nodata, dtype=self.dtype)
        places = np.flatnonzero(wanted >= 0)
        lines, samples = np.divmod(wanted[places], self.image.shape[1])
        height, width = self._tile(len(bands))
        tiles = lines // height * -(-self.image.shape[1] // width) + samples // width
        order = np.argsort(tiles, kind="stable")
        for members in np.split(order, np.flatnonzero(np.diff(tiles[order])) + 1):
            if not len(members):
                continue
            top, left = int(lines[members].min()), int(samples[members].min())
            block = self.image.read(
                slice(top, int(lines[members].max()) + 1),
                slice(left, int(samples[members].max()) + 1),
                bands,
            )
            values[places[members]] = block[lines[members] - top, samples[members] - left]
        return values.reshape(rows.stop - rows.start, cols.stop - cols.start, len(bands))

    def _tile(self, bands: int) -> tuple[int, int]:
        """Return the lines and samples to read at once: a chunk, where the image has chunks."""
        height, width = (self.image.chunks or (_STRIP, self.image.shape[1], 0))[:2]
        per_line = max(1, width * bands * self.dtype.itemsize)
        return min(height, max(1, BLOCK_BYTES // per_line)), width


def _read_table(file: Any, path: Path, image: tuple[int, int]) -> NDArray[np.integer]:
    """Return where in the image each pixel of the map lies, as `EmitCube` wants it.

    The file counts samples and lines from 1; 0 means none. A negative number stands for a pixel
    that was filled in from its neighbour, which has that number without its sign.
    """
    parts = [find_dataset(file, name, axes=2) for name in TABLE]
    shape = parts[0].shape
    if parts[1].shape != shape or 0 in shape:
        raise SceneError(f"{path}: glt_x {shape} and glt_y {parts[1].shape} do not fit")
    size, most = shape[0] * shape[1], _LARGEST_MAP * image[0] * image[1]
    if size > max(most, _HARMLESS_PIXELS):
        raise SceneError(f"{path}: a map of {shape} pixels cannot show an image of {image}")
    fills = [fill_value(part) for part in parts]
    table = np.empty(shape, dtype=np.int32 if image[0] * image[1] < 2**31 else np.int64)
    step = max(1, BLOCK_BYTES // (shape[1] * 64))
    for top in range(0, shape[0], step):
        samples, lines = (_indices(part[top : top + step], path) for part in parts)
        none = (samples == 0) | (lines == 0)
        for fill, indices in zip(fills, (samples, lines), strict=True):
            if fill is not None:
                none |= indices == fill
        lines, samples = np.abs(lines), np.abs(samples)
        wrong = ~none & ((lines > image[0]) | (samples > image[1]))
        if wrong.any():
            row, col = np.argwhere(wrong)[0]
            raise SceneError(
                f"{path}: at row {top + row}, column {col}, the table for orthorectification "
                f"points to line {lines[row, col]}, sample {samples[row, col]} of an image of "
                f"{image[0]} x {image[1]}"
            )
        table[top : top + step] = np.where(none, -1, (lines - 1) * image[1] + samples - 1)
    return table


def _indices(values: NDArray[Any], path: Path) -> NDArray[np.int64]:
    if values.dtype.kind not in "iu":
        raise SceneError(f"{path}: the table for orthorectification holds {values.dtype}")
    # Absolute values of 64 bits overflow only where nothing can be meant: such are clipped before.
    return np.clip(values, -(2**40), 2**40).astype(np.int64)


def _grid(file: Any, path: Path) -> Grid:
    """Return the map's grid; the file has it in GDAL's order."""
    values = attribute(file, "geotransform")
    x, a, b, y, d, e = numbers(values, what="geotransform", path=path, count=6)
    return Grid(crs=text(attribute(file, "spatial_ref")) or None, transform=(a, b, x, d, e, y))
