"""Label rasters that lie on other pixels than the scene's are brought to its pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError
from hsi.scenes.grid import Bounds, Grid


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
    from rasterio.enums import Resampling
    from rasterio.errors import CRSError
    from rasterio.warp import reproject

    placed = np.zeros(shape, dtype=np.int32)
    covered = np.zeros(shape, dtype=np.uint8)
    try:
        for source, result in ((labels, placed), (np.ones(labels.shape, np.uint8), covered)):
            reproject(
                source,
                result,
                src_transform=own.affine,
                src_crs=own.rasterio_crs,
                dst_transform=grid.affine,
                dst_crs=grid.rasterio_crs,
                resampling=Resampling.nearest,
                init_dest_nodata=True,
            )
    except CRSError as error:
        raise SceneError(
            f"{path} lies in {own.crs_name}, which cannot be brought to {grid.crs_name}: {error}"
        ) from error
    if not covered.any():
        raise SceneError(
            f"{path} and the scene do not overlap; left bottom right top:\n"
            f"labels {_extent(own, labels.shape, grid)}\n"
            f"scene  {grid.bounds(*shape)} ({grid.crs_name})\n"
            "Are these the labels of another place, or is a coordinate system wrong?"
        )
    return placed


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
