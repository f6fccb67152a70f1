"""What must be said of areas before anyone reads them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from hsi.scenes.grid import EARTH_RADIUS_M, Grid

# In place of a split where nothing was left to a training.
ALL_LABELLED = "all labelled pixels"
# By more than this, areas on the plane of a map are called distorted.
_TOLERANCE = 0.02
# Shares of test pixels among the classes that differ by more than this factor are called unequal.
_EQUAL = 1.25


def sampling_notes(
    *, method: str, labelled: int, mapped: int, labelled_by_class: ArrayLike, tests: ArrayLike
) -> list[str]:
    """Return in what the test pixels are no random sample of the map.

    Parameters
    ----------
    method : str
        How the labelled pixels were split, as `hsi.sampling.Split.method`, or `ALL_LABELLED`.
    labelled, mapped : int
        Number of pixels of the map with ground truth, and of all that are mapped.
    labelled_by_class, tests : array_like of int
        ``(K,)`` labelled pixels and test pixels of each class.
    """
    notes = []
    if labelled < mapped:
        notes.append(
            "The estimates of area suppose test pixels drawn at random from the map. They come "
            f"from ground truth on {100 * labelled / mapped:.2g} % of it; where this was chosen by "
            "hand, as whole fields or what is easily told apart, true areas may lie outside the "
            "intervals."
        )
    if method == "file":
        notes.append(
            "The test pixels are those of a file: unless they were chosen one by one at random, "
            "the intervals of the areas are too narrow, since neighbours are alike."
        )
    elif method == ALL_LABELLED:
        notes.append(
            "All labelled pixels are tested, and neighbours are alike: the intervals of the areas "
            "are too narrow."
        )
    elif method != "random":
        drawn = "in blocks" if method in ("blocks", "folds") else f"by the split '{method}'"
        notes.append(
            f"The test pixels were chosen {drawn}, not one by one at random: neighbours are alike, "
            "so that the intervals of the areas are too narrow."
        )
    known = np.asarray(labelled_by_class, dtype=np.float64)
    shares = np.asarray(tests, dtype=np.float64)[known > 0] / known[known > 0]
    if shares.size and shares.max() > _EQUAL * shares.min():
        notes.append(
            f"Of the classes' ground truth, {100 * shares.min():.2g} to {100 * shares.max():.2g} % "
            "are test pixels: the estimates of area are drawn towards classes with many."
        )
    return notes


def grid_notes(grid: Grid | None, rows: int, cols: int) -> list[str]:
    """Return in what the area of a pixel on the plane of its map is not that on the ground."""
    if grid is None or grid.crs is None or grid.pixel_area_m2(rows, cols) is None:
        return ["The size of a pixel is not known: areas are in pixels."]
    if grid.rasterio_crs.is_geographic:
        return [
            "The grid is in degrees: areas are reckoned with the size of a pixel in the middle "
            "of the scene."
        ]
    factor = plane_factor(grid, rows, cols)
    if abs(factor - 1) <= _TOLERANCE:
        return []
    return [
        f"In {grid.crs_name}, areas in the middle of the scene are {factor:.2f} times those on the "
        "ground; use a projection of equal area."
    ]


def plane_factor(grid: Grid, rows: int, cols: int) -> float:
    """Return the area of the middle pixel on the plane of the map by that on a sphere.

    Examples
    --------
    Web Mercator at 60 degrees north stretches lengths twice:

    >>> grid = Grid(crs="EPSG:3857", transform=(10, 0, 0, 0, -10, 8399738))
    >>> round(plane_factor(grid, 2, 2), 1)
    4.0
    """
    from rasterio.warp import transform

    col, row = cols / 2, rows / 2
    # The middle, and one pixel further to the right and down.
    places = [grid.place(row + down, col + right) for right, down in ((0, 0), (1, 0), (0, 1))]
    easts, norths = zip(*places, strict=True)
    longitudes, latitudes = (
        np.radians(each) for each in transform(grid.rasterio_crs, "EPSG:4326", easts, norths)
    )
    right, down = ((longitudes[k] - longitudes[0], latitudes[k] - latitudes[0]) for k in (1, 2))
    ground = abs(right[0] * down[1] - right[1] * down[0]) * math.cos(latitudes[0])
    plane = grid.pixel_area_m2(rows, cols)
    return float((plane or math.nan) / (ground * EARTH_RADIUS_M**2))
