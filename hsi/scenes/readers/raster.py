"""Georeferenced rasters, GeoTIFF above all: what rasterio says of a file becomes `Contents`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from hsi.errors import SceneError, UsageError
from hsi.scenes.address import Place
from hsi.scenes.contents import Contents, Entry, Purpose, choose_array
from hsi.scenes.grid import Grid
from hsi.scenes.lazy import BandSelection
from hsi.scenes.readers.raster_address import check_claim
from hsi.scenes.readers.raster_classes import read_classes
from hsi.scenes.readers.raster_cube import RasterCube, open_raster, reading
from hsi.scenes.readers.raster_tags import band_tags

# Compressed or not, what a file claims to hold beyond this for each of its bytes is not there.
_CLAIM_PER_BYTE, _CLAIM_AT_LEAST = 100_000, 64 * 2**20


def read_raster(path: Place, *, key: str | None, purpose: Purpose) -> Contents:
    """Open a raster whose pixels are read where the scene is sliced.

    Parameters
    ----------
    path : Path or Address
        A file with one of the suffixes in `raster_cube.DRIVERS`. At an address, no labels.
    key : str or None
        Of labels, the description or the number (from 1) of the band, where there are several.
    purpose : {"cube", "labels"}
        What the array is for.

    Returns
    -------
    Contents
        The array is a `RasterCube` ``(rows, cols, bands)``. Where bands mark pixels without data
        by different values, or the file has a mask, their values are floating-point, and NaN there.

    Raises
    ------
    SceneError
        If the file is damaged, of another format than its suffix says, or claims to hold more
        than it can; at slicing, if a part of it cannot be read.
    UsageError
        If a `key` is given for an image, or does not choose one of several bands.
    """
    if purpose == "cube" and key is not None:
        raise UsageError(f"{path} holds one image without a name; leave out the key '{key}'")
    with reading(path), open_raster(path) as dataset:
        shape = (int(dataset.height), int(dataset.width), int(dataset.count))
        dtype = _common_type(path, dataset.dtypes)
        chunks = _chunks(dataset)
        if isinstance(path, Path):
            _check_size(path, dataset, shape, dtype)
        else:
            check_claim(
                path, dataset, math.prod(shape) * dtype.itemsize, chunks=chunks,
                least=_CLAIM_AT_LEAST, most=_CLAIM_PER_BYTE,
            )  # fmt: skip
        # NaN is no data in any case, and would not equal itself.
        nodata = {
            None if value is None or math.isnan(value) else float(value)
            for value in dataset.nodatavals
        }
        masked = len(nodata) > 1 or _has_mask(dataset)
        cube = RasterCube(
            path,
            shape=shape,
            dtype=dtype,
            chunks=chunks,
            masked=masked and purpose == "cube",
        )
        common = nodata.pop() if len(nodata) == 1 else None
        grid, metadata = _grid(dataset)
        metadata |= _kept(dataset)
        if purpose == "labels":
            assert isinstance(path, Path)  # `load_scene` refuses labels at addresses
            return _labels(path, dataset, cube, key=key, nodata=common, grid=grid)
        if dataset.count == 1 and "palette" in {each.name for each in dataset.colorinterp}:
            raise SceneError(
                f"{path} has a colour for each class: a map, not an image\n"
                f"Use it as labels: --labels {path}"
            )
        tags = band_tags(dataset)
        return Contents(
            array=cube,
            wavelengths=tags.wavelengths,
            fwhm=tags.fwhm,
            bad_bands=tags.bad,
            rgb_bands=_rgb_bands(dataset) if tags.wavelengths is None else None,
            nodata=None if masked else common,
            scale=_factors(path, "scale", dataset.scales),
            offset=_factors(path, "offset", dataset.offsets),
            grid=grid,
            metadata=metadata,
        )


def _common_type(path: Place, names: tuple[str, ...]) -> np.dtype[Any]:
    if any(name.startswith("complex") for name in names):
        raise SceneError(f"{path} holds complex numbers ({names[0]}); expected real ones")
    return np.result_type(*names)


def _chunks(dataset: Any) -> tuple[int, int, int]:
    rows, cols = dataset.block_shapes[0]
    together = getattr(dataset.interleaving, "name", "band") == "pixel"
    return int(rows), int(cols), int(dataset.count) if together else 1


def _check_size(
    path: Path, dataset: Any, shape: tuple[int, int, int], dtype: np.dtype[Any]
) -> None:
    """Refuse a file that cannot hold what it claims, before anything is made for it."""
    rows, cols, bands = shape
    claimed, found = math.prod(shape) * dtype.itemsize, path.stat().st_size
    large = path.with_suffix(".ige")  # where HFA keeps the pixels of large rasters
    if not large.is_file() and claimed > max(_CLAIM_AT_LEAST, found * _CLAIM_PER_BYTE):
        raise SceneError(
            f"{path} claims {rows} x {cols} pixels of {bands} bands, {claimed:,} bytes; "
            f"it has {found:,}: it is damaged"
        )
    height, width = dataset.block_shapes[-1]
    last = f"{(cols - 1) // width}_{(rows - 1) // height}"
    for place in ("0_0", last):
        offset, size = (
            dataset.get_tag_item(f"BLOCK_{what}_{place}", "TIFF", bidx=bands)
            for what in ("OFFSET", "SIZE")
        )
        if offset and size and int(offset) + int(size) > found:
            raise SceneError(
                f"{path} is cut off: a part of its {rows} x {cols} pixels of {bands} bands "
                f"should end at byte {int(offset) + int(size):,}; the file has {found:,}"
            )


def _has_mask(dataset: Any) -> bool:
    """Return whether the file has a mask of its own; a band of opacity is a band like others."""
    flags = {each.name for each in dataset.mask_flag_enums[0]}
    return "per_dataset" in flags and "alpha" not in flags


def _grid(dataset: Any) -> tuple[Grid | None, dict[str, Any]]:
    """Return the grid, or what the file says of its place instead of one."""
    # Of a file whose coordinates are those of pixel centres, GDAL gives the corners all the same.
    transform = tuple(dataset.transform)[:6]
    if transform != (1, 0, 0, 0, 1, 0):
        crs = None if dataset.crs is None else dataset.crs.to_wkt()
        try:
            return Grid(crs=crs or None, transform=transform), {}
        except SceneError as error:
            return None, {"georeference": f"none: {str(error).splitlines()[0]}"}
    points, _ = dataset.gcps
    if points:
        return None, {"georeference": f"none: {len(points)} ground control points, but no grid"}
    if dataset.rpcs is not None:
        return None, {"georeference": "none: a model of the sensor (RPC), but no grid"}
    return None, {}


def _kept(dataset: Any) -> dict[str, Any]:
    names = {
        "tifftag_imagedescription": "description", "description": "description",
        "acquisition_time": "acquisition_time", "start_time": "acquisition_time",
    }  # fmt: skip
    tags = {name.lower(): value for name, value in dataset.tags().items()}
    return {kept: tags[name] for name, kept in names.items() if name in tags}


def _rgb_bands(dataset: Any) -> tuple[int, int, int] | None:
    meaning = [each.name for each in dataset.colorinterp]
    if not {"red", "green", "blue"} <= set(meaning):
        return None
    return meaning.index("red"), meaning.index("green"), meaning.index("blue")


def _factors(path: Place, what: str, values: tuple[float, ...]) -> Any:
    """Return one number for all bands where that is enough, else ``(bands,)``."""
    factors = np.array(values, dtype=np.float64)
    if not np.isfinite(factors).all() or (what == "scale" and (factors == 0).any()):
        raise SceneError(f"{path} declares a {what} of {factors.min()}; correct it in the file")
    return float(factors[0]) if (factors == factors[0]).all() else factors


def _labels(
    path: Path,
    dataset: Any,
    cube: RasterCube,
    *,
    key: str | None,
    nodata: float | None,
    grid: Grid | None,
) -> Contents:
    """Return one band as labels, with the names and colours that the file has for them."""
    array: Any = cube
    band = 0
    if dataset.count > 1 or key is not None:
        names = [text or str(number + 1) for number, text in enumerate(dataset.descriptions)]
        entries = {
            name: Entry(cube.shape[:2], kind, True)
            for name, kind in zip(names, dataset.dtypes, strict=True)
        }
        chosen = choose_array(path, entries, key=key, purpose="labels")
        band = names.index(chosen)
        array = BandSelection(cube, [band])
    class_names, class_colors = read_classes(path, dataset, band + 1)
    return Contents(
        array=array, nodata=nodata, grid=grid, class_names=class_names, class_colors=class_colors
    )
