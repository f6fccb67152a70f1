"""Another raster of the same place, on the pixels of a scene."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError
from hsi.scenes.cube import is_missing
from hsi.scenes.regrid import nearest_pixels, no_overlap
from hsi.scenes.scene import Scene


def colour_composite(scene: Scene) -> Scene:
    """Return the colour picture of a scene as a raster of three bands.

    Returns
    -------
    Scene
        ``(rows, cols, 3)`` float32 in 0..255, red, green and blue as `Scene.composite` stretches
        them; NaN where the scene has no data.
    """
    picture = scene.composite().astype(np.float32)
    picture[~scene.valid] = np.nan
    centres = scene.wavelengths
    return Scene(
        name=f"{scene.name} colour composite",
        cube=picture,
        wavelengths=None if centres is None else centres[list(scene.rgb_bands)],
        rgb_bands=(0, 1, 2),
        grid=scene.grid,
    )


def on_pixels_of(scene: Scene, other: Scene) -> Scene:
    """Return `other`, without its labels, on the pixels of `scene`.

    A raster of as many rows and columns is taken to lie on the same pixels, unless both are
    georeferenced and it does not. Else each pixel of the scene gets the values of the pixel that
    its centre lies in: a much finer raster is sampled, not averaged.

    Parameters
    ----------
    scene, other : Scene
        Only their grids and sizes, and the values of `other`, are looked at.

    Returns
    -------
    Scene
        As it is; or in memory, in float32, with NaN where `other` does not reach or has no data.

    Raises
    ------
    SceneError
        If sizes differ and one of them has no georeference, or they do not overlap.
    """
    shape, own, grid = scene.shape[:2], other.grid, scene.grid
    as_it_is = dataclasses.replace(other, labels=None)
    same_size = other.shape[:2] == shape
    if own is None or grid is None or own.crs is None or grid.crs is None:
        if same_size:
            return as_it_is
        raise SceneError(
            f"{other.name} has {other.rows} rows and {other.cols} columns, {scene.name} has "
            f"{scene.rows} and {scene.cols}\n"
            "A second raster has the same pixels as the scene, or both are georeferenced."
        )
    if same_size and own.is_like(grid, *shape):
        return as_it_is
    placed = np.full((*shape, other.bands), np.nan, dtype=np.float32)
    for rows, inside, there in nearest_pixels(
        other.shape[:2], own=own, grid=grid, shape=shape, path=other.name
    ):
        if inside.any():
            placed[rows][inside] = _values(other, *there)
    if np.isnan(placed).all():
        raise no_overlap(
            other.shape[:2], own=own, grid=grid, shape=shape, path=other.name, what="raster"
        )
    return dataclasses.replace(other, cube=placed, labels=None, nodata=None, grid=grid)


def _values(other: Scene, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return ``(n, bands)`` of some pixels, NaN where no data is."""
    top, left = int(rows.min()), int(cols.min())
    block = np.asarray(other.cube[top : int(rows.max()) + 1, left : int(cols.max()) + 1])
    found = block[rows - top, cols - left]
    values: NDArray[np.float32] = found.astype(np.float32)
    values[is_missing(found, other.nodata)] = np.nan
    return values
