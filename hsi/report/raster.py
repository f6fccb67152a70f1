"""The class map as a raster that other programs open."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.evaluation.counts import count_ids
from hsi.files import atomic_paths
from hsi.report.geotiff import Layout, check_shape, gdal_writing, write_cog
from hsi.report.legend import (
    gdal_metadata,
    legend_json,
    make_legend,
    names_json,
    qgis_style,
)
from hsi.scenes.grid import Grid
from hsi.scenes.palette import Color

# GDAL finds the most frequent value among numbers of float32, which holds no larger id for sure.
_MODE_EXACT = 2**24
_IDS = "label ids, (rows, columns) of integers"


def write_class_map_tif(
    path: Path | str,
    class_map: Any,
    *,
    names: Mapping[int, str],
    colors: Mapping[int, Color],
    grid: Grid | None = None,
) -> None:
    """Write label ids as cloud-optimised GeoTIFF, with their legend beside it.

    ::

        NAME.tif            the ids, their colours, and the names as JSON in ImageDescription
        NAME.tif.aux.xml    names and colours for GDAL, QGIS and ArcGIS
        NAME.qml            the style of the layer for QGIS
        NAME.json           id, name, colour and number of pixels of each class

    Everything is written before anything is replaced. The raster is replaced as a whole; an
    interruption may leave it without its legend, but never beside the legend of another map.

    Parameters
    ----------
    path : path
        Where to, ``NAME.tif``; its folder exists.
    class_map : array_like of int
        ``(rows, cols)`` label ids, 0 = no data. An array, a memmap or anything that slices like
        one; it is read three times, in blocks. Up to 255 the file has 8 bits and a palette. Beyond,
        it has 16 or 32 bits and no palette, since many programs open no file of 16 bits that has
        one; the colours are in the files beside it.
    names : mapping
        Class name by id.
    colors : mapping
        Red, green and blue (0..255) by id.
    grid : Grid, optional
        Where the pixels lie on the Earth.

    Raises
    ------
    UsageError
        If `class_map` is no array of ids.
    OSError
        If the files cannot be written; those that were there are still there.
    """
    path = Path(path)
    counts = count_classes(class_map)
    legend, highest = make_legend(counts, names=names, colors=colors), max(counts)
    small = highest <= np.iinfo(np.uint8).max
    layout = Layout(
        dtype="uint8" if small else "uint16" if highest <= np.iinfo(np.uint16).max else "int32",
        nodata=0,
        overviews="MODE" if highest <= _MODE_EXACT else "NEAREST",
        predictor=False,
        palette={each: color for each, color in legend.colors.items() if each < 256 and small},
        tags={"TIFFTAG_IMAGEDESCRIPTION": names_json(legend)},
    )
    beside = (path.with_name(path.name + ".aux.xml"), path.with_suffix(".qml"),
              path.with_suffix(".json"))  # fmt: skip
    with atomic_paths(path, *beside) as (raster, metadata, style, listing):
        write_cog(raster, class_map, layout=layout, grid=grid)
        metadata.write_text(gdal_metadata(legend, crs=_crs_beside(raster, grid)), encoding="utf-8")
        style.write_text(qgis_style(legend), encoding="utf-8")
        listing.write_text(legend_json(legend), encoding="utf-8")


def check_ids(ids: NDArray[np.integer], *, what: str) -> None:
    """Raise UsageError unless `ids` are whole numbers from 0 in rows and columns."""
    check_shape(ids, what=f"a {what}", axes=2, kinds="iu", expected=_IDS)
    _check_range(int(ids.min()), int(ids.max()), what=what)


def count_classes(class_map: Any) -> dict[int, int]:
    """Return the number of pixels by id of what may be a class map, or raise UsageError."""
    check_shape(class_map, what="a class map", axes=2, kinds="iu", expected=_IDS)
    counts = count_ids(class_map)
    _check_range(min(counts), max(counts), what="class map")
    return counts


def _check_range(lowest: int, highest: int, *, what: str) -> None:
    if lowest < 0:
        raise UsageError(f"the {what} holds the id {lowest}; ids are positive, 0 is no class")
    if highest > np.iinfo(np.int32).max:
        raise UsageError(f"the {what} holds the id {highest}; a raster has ids below 2**31")


def _crs_beside(raster: Path, grid: Grid | None) -> str | None:
    """Return the coordinate system of `grid` if the raster could not hold it as it is."""
    if grid is None or grid.crs is None:
        return None
    import rasterio

    with gdal_writing(), rasterio.open(raster) as written:
        return None if written.crs == grid.rasterio_crs else grid.crs
