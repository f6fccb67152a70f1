"""A scene as its file stores it: all bands, values before scale and offset, and what is said of it.

Whoever writes a changed copy of a file needs what a `Scene` leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.scenes.bands import FileBands
from hsi.scenes.catalogue import find_card
from hsi.scenes.fetch import find_file
from hsi.scenes.lazy import ScaledCube
from hsi.scenes.readers.contained import read_contained
from hsi.scenes.readers.envi import DATA_SUFFIXES
from hsi.scenes.readers.envi_header import find_header, read_header, starts_as_envi
from hsi.scenes.readers.raster_cube import DRIVERS
from hsi.scenes.readers.raster_kept import KeptOfRaster, kept_of_raster
from hsi.scenes.scene import Scene


@dataclass(frozen=True, kw_only=True, eq=False)
class Stored:
    """What the file of a scene holds.

    Attributes
    ----------
    cube : array_like
        ``(rows, cols, bands of the file)``, stored values.
    good : ndarray of bool
        ``(bands of the file,)``: those that the scene has.
    usable : ndarray of bool
        ``(bands of the file,)``: these, and those that it lacks only because they do not vary.
    nodata : float or None
        The stored value of pixels without data.
    scale, offset : ndarray of float64
        ``(bands of the file,)``: stored values times `scale` plus `offset` are in physical units.
    wavelengths, fwhm : ndarray of float64 or None
        ``(bands of the file,)`` in nanometres.
    path : Path or None
        The file; None of a scene that is in no file.
    header : dict
        The fields of its ENVI header; empty of other formats.
    raster : KeptOfRaster or None
        What a GeoTIFF or another raster says besides.
    """

    cube: Any
    good: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    nodata: float | None
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]
    wavelengths: NDArray[np.float64] | None
    fwhm: NDArray[np.float64] | None
    path: Path | None = None
    header: dict[str, Any] = field(default_factory=dict)
    raster: KeptOfRaster | None = None


def stored_of(scene: Scene) -> Stored:
    """Return what the file of a scene holds. Pixels are not read."""
    cube, at = scene.cube, scene
    good = usable = np.ones(scene.bands, dtype=np.bool_)
    wavelengths, fwhm = at.wavelengths, at.fwhm
    if isinstance(cube, FileBands):
        good, usable = cube.mask, cube.available
        wavelengths, fwhm, cube = cube.wavelengths, cube.fwhm, cube.cube
    nodata = scene.nodata
    scale, offset = np.ones(len(good)), np.zeros(len(good))
    if isinstance(cube, ScaledCube):
        cube, nodata, scale, offset = cube.cube, cube.nodata, cube.scale, cube.offset
    path = _file_of(scene)
    header = None if path is None else _envi_header(path)
    is_raster = header is None and path is not None and path.suffix.lower() in DRIVERS
    return Stored(
        cube=cube,
        good=good,
        usable=usable,
        nodata=nodata,
        scale=scale,
        offset=offset,
        wavelengths=wavelengths,
        fwhm=fwhm,
        path=path,
        header={} if header is None else read_header(header),
        raster=read_contained(kept_of_raster, path) if is_raster and path is not None else None,
    )


def _envi_header(path: Path) -> Path | None:
    """Return the header of an ENVI file; None of a file of another format."""
    if path.suffix.lower() not in (*DATA_SUFFIXES, ".hdr"):
        return None
    header = find_header(path)
    return header if header is not None and starts_as_envi(header) else None


def _file_of(scene: Scene) -> Path | None:
    """Return the file that a scene was opened from; a card names it, or its own name."""
    dataset = scene.source.get("dataset")
    if dataset is None:
        return None
    card = find_card(dataset)
    path = Path(dataset) if card is None else find_file(card, card.cube)
    return path if path is not None and path.is_file() else None
