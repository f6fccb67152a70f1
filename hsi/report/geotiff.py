"""Arrays as cloud-optimised GeoTIFF, block by block.

A cloud-optimised GeoTIFF (OGC 21-026) is a tiled TIFF with overviews and a fixed order of parts, so
that a map of any size opens at once, also over a network. GDAL writes one as a copy of another
raster only; so the pixels go into a plain, tiled file first.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hsi.atomic import temporary_folder
from hsi.errors import UsageError
from hsi.scenes.cube import BLOCK_BYTES
from hsi.scenes.grid import Grid
from hsi.scenes.palette import Color

TILE = 512
# By itself, GDAL takes a twentieth of the machine's memory.
_CACHE_MB = 256
_FAILED = "the raster could not be written whole (is the disk full?)"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How pixels lie in the file.

    Parameters
    ----------
    dtype : str
        Type of the stored values; those of the array fit into it.
    nodata : float or None
        The value of pixels without data.
    overviews : str
        How GDAL makes the smaller copies: ``"MODE"``, ``"NEAREST"`` or ``"AVERAGE"``.
    predictor : bool
        Whether differences of neighbours are compressed: good for quantities, bad for ids.
    palette : mapping
        Red, green and blue (0..255) by value.
    bands : sequence of str
        Descriptions of the bands.
    tags : mapping
        Metadata; names that begin with ``TIFFTAG_`` become tags of the TIFF.
    band_tags : sequence of mapping
        Metadata of each band.
    scales, offsets : sequence of float
        What stored values of each band are multiplied by, and what is added to them then.
    tile : int
        Side of a tile in pixels, a multiple of 16.
    """

    dtype: str
    nodata: float | None
    overviews: str
    predictor: bool
    palette: Mapping[int, Color] = field(default_factory=dict)
    bands: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    band_tags: Sequence[Mapping[str, str]] = ()
    scales: Sequence[float] = ()
    offsets: Sequence[float] = ()
    tile: int = TILE


def write_cog(path: Path, pixels: Any, *, layout: Layout, grid: Grid | None) -> None:
    """Write `pixels` to `path` as cloud-optimised GeoTIFF and compare the file with them.

    It takes the disk space of the file about twice, and memory for some blocks.

    Parameters
    ----------
    path : Path
        Where to; not atomic, see `hsi.files.atomic_path`.
    pixels : array_like
        ``(rows, cols)`` or ``(bands, rows, cols)``; sliced, never read as a whole.
    layout : Layout
        How they are stored.
    grid : Grid, optional
        Where they lie on the Earth.

    Raises
    ------
    OSError
        If the file cannot be written, or is not what was to be written.
    """
    from rasterio.shutil import copy

    path = path.absolute()
    with gdal_writing(), temporary_folder(path.parent) as folder:
        plain, finished = Path(folder) / "plain.tif", Path(folder) / "cog.tif"
        _write_plain(plain, pixels, layout=layout, grid=grid)
        copy(
            str(plain),
            str(finished),
            driver="COG",
            compress="DEFLATE",
            predictor="YES" if layout.predictor else "NO",
            blocksize=layout.tile,
            overview_resampling=layout.overviews,
            bigtiff="IF_SAFER",
        )
        plain.unlink()
        # GDAL reports no error of what it writes last, when it closes a file.
        _check_written(finished, pixels, layout=layout)
        finished.replace(path)


def blocks(pixels: Any, *, tile: int = TILE) -> Iterator[tuple[slice, slice]]:
    """Yield rows and columns of blocks of whole tiles that have at most 64 MiB if they can."""
    *bands, rows, cols = pixels.shape
    per_tile = tile * tile * (bands[0] if bands else 1) * np.dtype(pixels.dtype).itemsize
    width = tile * max(1, BLOCK_BYTES // per_tile)
    for row in range(0, rows, tile):
        for col in range(0, cols, width):
            yield slice(row, min(row + tile, rows)), slice(col, min(col + width, cols))


@contextmanager
def gdal_writing() -> Iterator[None]:
    """Let GDAL write: what goes wrong is an OSError, and nothing appears beside the file."""
    import rasterio
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    try:
        with (
            rasterio.Env(GDAL_PAM_ENABLED=False, GDAL_CACHEMAX=_CACHE_MB),
            warnings.catch_warnings(),
        ):
            # That a scene has no georeference is no news to whoever wrote it without.
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            yield
    except (CPLE_BaseError, RasterioError) as error:
        raise OSError(f"{_FAILED}: {error}") from error


def _check_written(written: Path, pixels: Any, *, layout: Layout) -> None:
    """Raise OSError unless the file `written` holds `pixels`."""
    import rasterio
    from rasterio.windows import Window

    with rasterio.open(written) as raster:
        for rows, cols in blocks(pixels, tile=layout.tile):
            stored = raster.read(
                None if len(pixels.shape) == 3 else 1, window=Window.from_slices(rows, cols)
            )
            expected = np.asarray(pixels[..., rows, cols]).astype(layout.dtype)
            if not np.array_equal(stored, expected, equal_nan=expected.dtype.kind == "f"):
                raise OSError(f"{_FAILED}: it is not what was written")


def check_shape(pixels: Any, *, what: str, axes: int, kinds: str, expected: str) -> None:
    """Raise UsageError unless an array has so many axes, is not empty and of one of the kinds."""
    shape, dtype = tuple(pixels.shape), np.dtype(pixels.dtype)
    if len(shape) != axes or 0 in shape or dtype.kind not in kinds:
        raise UsageError(f"{what} of shape {shape} and type {dtype}; expected {expected}")


def _write_plain(path: Path, pixels: Any, *, layout: Layout, grid: Grid | None) -> None:
    import rasterio
    from rasterio.windows import Window

    *bands, rows, cols = pixels.shape
    place = {} if grid is None else {"transform": grid.affine, "crs": grid.rasterio_crs}
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=cols,
        height=rows,
        count=bands[0] if bands else 1,
        dtype=layout.dtype,
        nodata=layout.nodata,
        tiled=True,
        blockxsize=layout.tile,
        blockysize=layout.tile,
        # With all bands of a pixel together, GDAL's cache has to hold all of them, or each tile is
        # unpacked and packed again for each band.
        interleave="band",
        compress="DEFLATE",
        zlevel=1,
        bigtiff="IF_SAFER",
        **place,
    ) as raster:
        if layout.palette:
            raster.write_colormap(1, dict(layout.palette))
        for band, text in enumerate(layout.bands, start=1):
            raster.set_band_description(band, text)
        raster.update_tags(**layout.tags)
        for band, tags in enumerate(layout.band_tags, start=1):
            raster.update_tags(band, **tags)
        if layout.scales:
            raster.scales, raster.offsets = layout.scales, layout.offsets
        for part in blocks(pixels, tile=layout.tile):
            block = np.asarray(pixels[(..., *part)]).astype(layout.dtype)
            if not bands:
                block = block[np.newaxis]
            raster.write(block, window=Window.from_slices(*part))
