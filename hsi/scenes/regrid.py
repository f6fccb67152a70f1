"""Rasters that lie on other pixels than the scene's are brought to its pixels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError
from hsi.scenes.grid import Bounds, Grid

# Pixels whose centres are transformed at a time.
BLOCK_PIXELS = 2**20


def on_grid(
    labels: NDArray[np.int32],
    *,
    own: Grid | None,
    grid: Grid | None,
    shape: tuple[int, int],
    path: Path,
) -> NDArray[np.int32]:
    """Return `labels` on the pixels of a scene: each pixel's from where its centre lies.

    Parameters
    ----------
    labels : ndarray of int32
        ``(rows, cols)`` ids.
    own, grid : Grid or None
        Of the labels, of the scene. Where one of them is not known, the labels are returned as
        they are: row by row and column by column those of the scene.
    shape : tuple of int
        ``(rows, cols)`` of the scene.
    path : Path
        The labels' file, for messages.

    Raises
    ------
    SceneError
        If labels and scene do not overlap; says both extents.
    """
    if own is None or grid is None or (labels.shape == shape and own.is_like(grid, *shape)):
        return labels
    if own.crs is None or grid.crs is None:
        # Without a coordinate system the numbers of both cannot be compared.
        return labels
    placed, covered = np.zeros(shape, dtype=np.int32), False
    for rows, inside, there in nearest_pixels(
        labels.shape, own=own, grid=grid, shape=shape, path=path
    ):
        placed[rows][inside] = labels[there]
        covered = covered or bool(inside.any())
    if not covered:
        raise no_overlap(labels.shape, own=own, grid=grid, shape=shape, path=path, what="labels")
    return placed


def nearest_pixels(
    size: tuple[int, ...], *, own: Grid, grid: Grid, shape: tuple[int, int], path: Path | str
) -> Iterator[tuple[slice, NDArray[np.bool_], tuple[NDArray[np.intp], NDArray[np.intp]]]]:
    """Yield, for blocks of rows of a scene, which pixel of a raster lies under each centre.

    Parameters
    ----------
    size, shape : tuple of int
        ``(rows, cols)`` of the raster, of the scene.
    own, grid : Grid
        Of the raster, of the scene; both with a coordinate system.
    path : Path or str
        The raster's file, for messages.

    Yields
    ------
    rows : slice
        Of the scene.
    inside : ndarray
        ``(rows, cols)``: where the raster lies under the scene.
    there : tuple of ndarray
        Row and column in the raster of each pixel that is inside.

    Raises
    ------
    SceneError
        If one coordinate system cannot be brought to the other.
    """
    # GDAL's warper is not used: it places pixels to an eighth of their size.
    step = max(1, BLOCK_PIXELS // shape[1])
    for start in range(0, shape[0], step):
        rows = np.arange(start, min(start + step, shape[0]))
        row, col = _places(rows, shape[1], own=own, grid=grid, path=path)
        inside = (row >= 0) & (row < size[0]) & (col >= 0) & (col < size[1])
        there = row[inside].astype(np.intp), col[inside].astype(np.intp)
        yield slice(start, start + len(rows)), inside, there


def no_overlap(
    size: tuple[int, ...],
    *,
    own: Grid,
    grid: Grid,
    shape: tuple[int, int],
    path: Path | str,
    what: str,
) -> SceneError:
    """Return the error for a raster, of `what`, that shows another place; says both extents."""
    return SceneError(
        f"{path} and the scene do not overlap; left bottom right top:\n"
        f"{what} {_extent(own, size, grid)}\n"
        f"scene  {grid.bounds(*shape)} ({grid.crs_name})\n"
        "Does the file show another place, or is a coordinate system wrong?"
    )


def _places(
    rows: NDArray[np.intp], cols: int, *, own: Grid, grid: Grid, path: Path | str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the row and column of the labels, with fractions, under each pixel's centre.

    Both are ``(rows, cols)``; infinite where a place has no coordinates there.
    """
    from rasterio.errors import CRSError
    from rasterio.warp import transform

    down, right = np.meshgrid(rows + 0.5, np.arange(cols) + 0.5, indexing="ij")
    east, north = grid.place(down, right)
    if own.rasterio_crs != grid.rasterio_crs:
        try:
            there = transform(
                grid.rasterio_crs, own.rasterio_crs, east.ravel().tolist(), north.ravel().tolist()
            )
        except CRSError as error:
            raise SceneError(
                f"{path} lies in {own.crs_name}, which cannot be brought to {grid.crs_name}: "
                f"{error}"
            ) from error
        east, north = (np.array(each).reshape(east.shape) for each in there[:2])
    with np.errstate(invalid="ignore"):
        return own.pixel(east, north)


def _extent(own: Grid, shape: tuple[int, ...], grid: Grid) -> str:
    """Return the edges of the labels in the coordinate system of `grid`, or else in their own."""
    from rasterio.errors import RasterioError
    from rasterio.warp import transform_bounds

    bounds = own.bounds(shape[0], shape[1])
    if own.rasterio_crs == grid.rasterio_crs:
        return f"{bounds} ({own.crs_name})"
    try:
        there = Bounds(*transform_bounds(own.rasterio_crs, grid.rasterio_crs, *bounds))
    except RasterioError:
        return f"{bounds} ({own.crs_name})"
    return f"{there} (from {own.crs_name})"
