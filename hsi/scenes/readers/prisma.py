"""PRISMA L2D: surface reflectance of two spectrometers on one grid.

The layout is the one that public readers of these products use; ASI describes it in the "PRISMA
Products Specification Document".
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
from hsi.scenes.lazy import Bands, BandSelection, LazyCube
from hsi.scenes.readers.hdf5_access import attribute, find_dataset, number, numbers, text
from hsi.scenes.readers.hdf5_cube import Hdf5Cube

SWATH = "HDFEOS/SWATHS/PRS_L2D_HCO"
PIXEL_M = 30
# The largest stored value stands for the spectrometer's L2Scale...Max.
_LARGEST = 65535


def read_prisma(file: Any, path: Path) -> Contents:
    """Return the cube of a PRISMA L2D product, wavelengths ascending in each spectrometer.

    VNIR comes first; where both spectrometers measure (about 940 to 980 nm), the bands of both are
    there. Bands that were not acquired are left out.

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
    halves = [_spectrometer(file, path, name) for name in ("Vnir", "Swir")]
    shapes = [half["cube"].shape for half in halves]
    if shapes[0][:2] != shapes[1][:2]:
        raise SceneError(f"{path}: VNIR {shapes[0]} and SWIR {shapes[1]} are of different sizes")

    def joined(name: str) -> NDArray[np.float64]:
        return np.concatenate([half[name] for half in halves])

    cube = PrismaCube(
        [half["cube"] for half in halves], scale=joined("scale"), offset=joined("offset")
    )
    return Contents(
        array=cube,
        wavelengths=joined("wavelengths"),
        fwhm=joined("fwhm"),
        grid=_grid(file, path, *cube.shape[:2]),
        metadata={
            "sensor": "PRISMA",
            "product": path.stem,
            "acquisition_time": text(attribute(file, "Product_StartTime")),
        },
    )


class PrismaCube(LazyCube):
    """Reflectance of both spectrometers; NaN outside of what was acquired.

    A product is a rectangle around a tilted image. It stores 0 outside, but also in single bands
    whose reflectance could not be told from none, so that a pixel is outside only if all of its
    bands are 0. To know this, every row is read as a whole once.

    Parameters
    ----------
    halves : list of array_like
        Stored values ``(rows, cols, bands)`` of the spectrometers.
    scale, offset : ndarray
        ``(bands of all halves,)``.
    """

    def __init__(
        self, halves: list[Any], *, scale: NDArray[np.float64], offset: NDArray[np.float64]
    ) -> None:
        rows, cols, _ = halves[0].shape
        super().__init__((rows, cols, sum(half.shape[2] for half in halves)), np.float32)
        self.halves = halves
        self.scale, self.offset = scale.astype(np.float32), offset.astype(np.float32)
        self._outside = np.zeros((rows, cols), dtype=np.bool_)
        self._known = np.zeros(rows, dtype=np.bool_)

    def read(self, rows: slice, cols: slice, bands: Bands) -> NDArray[Any]:
        """Return ``(rows, cols, bands)`` reflectances of a rectangle."""
        values = self._stored(rows, cols, bands).astype(np.float32)
        values *= self.scale[bands]
        values += self.offset[bands]
        self._look_outside(rows)
        values[self._outside[rows, cols]] = np.nan
        return values

    def _stored(self, rows: slice, cols: slice, bands: Bands) -> NDArray[Any]:
        parts, first = [], 0
        for half in self.halves:
            own = bands[(bands >= first) & (bands < first + half.shape[2])] - first
            parts.append(np.asarray(half[rows, cols, own]))
            first += half.shape[2]
        return np.concatenate(parts, axis=2)

    def _look_outside(self, rows: slice) -> None:
        """Learn which pixels of these rows are outside, where it is not known yet."""
        cols, bands = slice(0, self.shape[1]), np.arange(self.shape[2])
        unknown = np.flatnonzero(~self._known[rows]) + rows.start
        step = max(1, BLOCK_BYTES // (self.shape[1] * self.shape[2] * 2))
        for run in np.split(unknown, np.flatnonzero(np.diff(unknown) > 1) + 1):
            for low in range(0, len(run), step):
                part = run[low : low + step]
                block = slice(int(part[0]), int(part[-1]) + 1)
                self._outside[block] = ~self._stored(block, cols, bands).any(axis=2)
                self._known[block] = True


def _spectrometer(file: Any, path: Path, name: str) -> dict[str, Any]:
    """Return cube, band centres, widths, scale and offset of one spectrometer, in ascending order.

    The file's order is descending, and 0 is the wavelength of what was not acquired.
    """
    dataset = find_dataset(file, f"{SWATH}/Data Fields/{name.upper()}_Cube", axes=3)
    stored = Hdf5Cube(dataset, path=path, axes=(0, 2, 1))

    def listed(what: str) -> NDArray[np.float64]:
        return numbers(attribute(file, what), what=what, path=path, count=stored.shape[2])

    centres, widths = listed(f"List_Cw_{name}"), listed(f"List_Fwhm_{name}")
    flags = f"List_Cw_{name}_Flags"
    acquired = centres > 0
    if attribute(file, flags) is not None:
        acquired &= listed(flags) != 0
    used = np.flatnonzero(acquired)
    used = used[np.argsort(centres[used], kind="stable")]
    if not len(used):
        raise SceneError(f"{path}: no band of {name.upper()} was acquired")
    low, high = (
        number(attribute(file, f"L2Scale{name}{end}"), what=f"L2Scale{name}{end}", path=path)
        for end in ("Min", "Max")
    )
    return {
        "cube": BandSelection(stored, used),
        "wavelengths": centres[used],
        "fwhm": widths[used],
        "scale": np.full(len(used), (high - low) / _LARGEST),
        "offset": np.full(len(used), low),
    }


def _grid(file: Any, path: Path, rows: int, cols: int) -> Grid:
    """Return where the pixels lie.

    The corners of a product are the centres of its corner pixels; this shows in the distance
    between them, which is one pixel less than the image is wide.
    """
    west, north, east, south = (
        number(attribute(file, what), what=what, path=path)
        for what in (
            "Product_ULcorner_easting", "Product_ULcorner_northing",
            "Product_LRcorner_easting", "Product_LRcorner_northing",
        )
    )  # fmt: skip
    steps = round((north - south) / PIXEL_M), round((east - west) / PIXEL_M)
    if steps == (rows - 1, cols - 1):
        west, north = west - PIXEL_M / 2, north + PIXEL_M / 2
    elif steps != (rows, cols):
        raise SceneError(
            f"{path}: {rows} x {cols} pixels of {PIXEL_M} m do not reach from {west:.10g}, "
            f"{north:.10g} to {east:.10g}, {south:.10g} (Product_ULcorner, Product_LRcorner)"
        )
    code = number(attribute(file, "Epsg_Code"), what="Epsg_Code", path=path)
    return Grid(crs=f"EPSG:{code:.0f}", transform=(PIXEL_M, 0, west, 0, -PIXEL_M, north))
