"""Labels drawn as polygons or points: GeoPackage, GeoJSON, Shapefile, FlatGeobuf."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError, UsageError
from hsi.scenes.grid import Bounds, Grid
from hsi.scenes.readers.vector_table import NAMED, read_table

_AREAS_AND_POINTS = {"Polygon", "MultiPolygon", "Point", "MultiPoint"}
# Beyond these a field holds numbers of things, and not classes.
MOST_CLASSES = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnLabels:
    """Labels that were drawn, on the pixels of a scene.

    Attributes
    ----------
    ids : ndarray of int32
        ``(rows, cols)``, 0 where nothing was drawn.
    class_names : dict
        By id.
    notes : dict
        What was left out, by reason, as counts.
    """

    ids: NDArray[np.int32]
    class_names: dict[int, str]
    notes: dict[str, int]


def read_vector(
    path: Path,
    *,
    field: str | None,
    layer: str | None,
    grid: Grid | None,
    rows: int,
    cols: int,
) -> DrawnLabels:
    """Burn polygons and points into the pixels of a scene.

    A pixel belongs to a polygon that holds its centre, and to a point that lies in it. One that
    two classes claim gets none. Text classes get the ids 1, 2, ... in alphabetical order; whole
    numbers are ids as they are.

    Parameters
    ----------
    path : Path
        The file.
    field : str or None
        The attribute that tells the class. None: the only one of text or whole numbers.
    layer : str or None
        In a file of several.
    grid : Grid or None
        Of the scene; shapes are reprojected to its coordinate system.
    rows, cols : int
        Of the scene.

    Raises
    ------
    UsageError
        If geopandas is missing, or field or layer are wrong or have to be chosen.
    SceneError
        If scene or file have no coordinate system, the file is damaged, or nothing lies in a
        pixel.
    """
    if grid is None or grid.crs is None:
        raise SceneError(
            f"{path} holds shapes with coordinates, but the scene does not say where it lies"
            f"{'' if grid is None else ' (it has no coordinate system)'}\n"
            "Use a georeferenced image, or labels as a raster of the scene's rows and columns."
        )
    table = read_table(path, layer)
    field = _choose_field(path, table, field)
    named = table[table[field].notna() & table.geometry.notna() & ~table.geometry.is_empty]
    notes = {"shapes_without_class_or_place": len(table) - len(named)}
    if named.empty:
        raise SceneError(f"{path}: no shape has both a place and a value of '{field}'")
    kinds = set(named.geom_type) - _AREAS_AND_POINTS
    if kinds:
        raise SceneError(
            f"{path} holds {', '.join(sorted(kinds))}; expected polygons or points\n"
            "Lines have no area: draw a polygon around them, or buffer them."
        )
    if table.crs is None:
        raise SceneError(
            f"{path} does not say its coordinate system\n"
            "Assign it, for example in QGIS with 'Assign projection'."
        )
    ids, names = class_ids(path, field, named[field])
    placed = _reproject(path, named.geometry, grid)
    burned, contested, missed = _burn(placed, ids, grid=grid, rows=rows, cols=cols)
    if not burned.any():
        raise SceneError(_nothing_hit(path, placed, grid, rows, cols, contested=contested))
    notes |= {"shapes_without_pixel": missed, "pixels_of_two_classes": contested}
    return DrawnLabels(
        ids=burned,
        class_names=names,
        notes={reason: count for reason, count in notes.items() if count},
    )


def _choose_field(path: Path, table: Any, field: str | None) -> str:
    """Return the attribute that tells the class."""
    attributes = [name for name in table.columns if name != table.geometry.name]
    if field is not None:
        if field in attributes:
            return field
        raise UsageError(
            f"{path} has no field '{field}'; it has {', '.join(map(str, attributes)) or 'none'}"
        )
    usable = [name for name in attributes if _could_be_class(table[name])]
    if len(usable) == 1:
        return str(usable[0])
    if not usable:
        raise SceneError(f"{path} has no field of text or whole numbers that could tell the class")
    raise UsageError(
        f"{path} has {len(usable)} fields that could tell the class: "
        f"{', '.join(map(str, usable[:NAMED]))}\nChoose one: label_field=, or --label-field."
    )


def _could_be_class(column: Any) -> bool:
    from pandas.api import types

    if types.is_integer_dtype(column) or types.is_bool_dtype(column):
        return True
    return all(isinstance(value, str) for value in column.dropna())


def class_ids(path: Path, field: str, column: Any) -> tuple[NDArray[np.int64], dict[int, str]]:
    """Return the id of each row of a column, none of them empty, and the names by id.

    Whole numbers are ids; texts get 1, 2, ... in alphabetical order.

    Raises
    ------
    SceneError
        If a value is no id, blank, or there are too many different ones.
    """
    from pandas.api import types

    if types.is_numeric_dtype(column) and not types.is_bool_dtype(column):
        values = column.to_numpy(dtype=np.float64)
        wrong = ~((values > 0) & (values <= np.iinfo(np.int32).max) & (values % 1 == 0))
        if wrong.any():
            raise SceneError(
                f"{path}: '{field}' holds {values[wrong][0]:g}; an id is a whole number from 1 to "
                f"{np.iinfo(np.int32).max}\nName a field of text, or number the classes from 1."
            )
        ids = values.astype(np.int64)
        names: dict[int, str] = {}
        classes = np.unique(ids).size
    else:
        texts = [str(value).strip() for value in column]
        if "" in texts:
            raise SceneError(f"{path}: '{field}' is blank in a shape; name its class or empty it")
        known = sorted(set(texts))
        names = dict(enumerate(known, start=1))
        ids = np.array([known.index(text) + 1 for text in texts], dtype=np.int64)
        classes = len(known)
    if classes > MOST_CLASSES:
        raise SceneError(
            f"{path}: '{field}' has {classes:,} different values; that looks like a number of "
            "things, not like classes\nName another field: label_field=, or --label-field."
        )
    return ids, names


def _reproject(path: Path, shapes: Any, grid: Grid) -> Any:
    from pyproj.exceptions import CRSError, ProjError

    try:
        placed = shapes.to_crs(grid.crs)
    except (CRSError, ProjError, ValueError) as error:
        raise SceneError(f"{path} cannot be brought to {grid.crs_name}: {error}") from error
    if not np.isfinite(placed.bounds.to_numpy()).all():
        raise SceneError(
            f"{path}: a shape has no place in {grid.crs_name}; is its coordinate system right?"
        )
    return placed


def _burn(
    shapes: Any, ids: NDArray[np.int64], *, grid: Grid, rows: int, cols: int
) -> tuple[NDArray[np.int32], int, int]:
    """Return the label map, the pixels that two classes claim, and the shapes without any."""
    from rasterio.features import rasterize

    labels = np.zeros((rows, cols), dtype=np.int32)
    contested = np.zeros((rows, cols), dtype=np.bool_)
    missed = 0
    for shape, each in zip(shapes, ids.tolist(), strict=True):
        window = _window(shape.bounds, grid, rows, cols)
        if window is None:
            missed += 1
            continue
        top, left, bottom, right = window
        inside = rasterize(
            [shape],
            out_shape=(bottom - top, right - left),
            transform=grid.part(top, left).affine,
            dtype=np.uint8,
        ).astype(np.bool_)
        missed += not inside.any()
        part = labels[top:bottom, left:right]
        contested[top:bottom, left:right] |= inside & (part != 0) & (part != each)
        part[inside] = each
    labels[contested] = 0
    return labels, int(np.count_nonzero(contested)), missed


def _window(
    bounds: tuple[float, float, float, float], grid: Grid, rows: int, cols: int
) -> tuple[int, int, int, int] | None:
    """Return ``(top, left, bottom, right)`` of the pixels around a rectangle, or None."""
    left, bottom, right, top = bounds
    corners = [grid.pixel(east, north) for east in (left, right) for north in (bottom, top)]
    lines, columns = (np.array(each) for each in zip(*corners, strict=True))
    first_row, first_col = max(0, int(np.floor(lines.min()))), max(0, int(np.floor(columns.min())))
    last_row, last_col = (
        min(rows, int(np.floor(lines.max())) + 1),
        min(cols, int(np.floor(columns.max())) + 1),
    )
    if first_row >= last_row or first_col >= last_col:
        return None
    return first_row, first_col, last_row, last_col


def _nothing_hit(
    path: Path, shapes: Any, grid: Grid, rows: int, cols: int, *, contested: int
) -> str:
    if contested:
        return (
            f"{path}: each of the {contested:,} pixels under its shapes is claimed by two classes\n"
            "Let the shapes of different classes not overlap."
        )
    own, theirs = grid.bounds(rows, cols), Bounds(*map(float, shapes.total_bounds))
    apart = (
        theirs.left >= own.right
        or theirs.right <= own.left
        or theirs.bottom >= own.top
        or theirs.top <= own.bottom
    )
    if apart:
        return (
            f"{path} and the scene do not overlap; in {grid.crs_name}, left bottom right top:\n"
            f"shapes {theirs}\nscene  {own}\n"
            "Is one of the coordinate systems wrong, or is this the file of another place?"
        )
    return (
        f"{path}: no shape holds the centre of a pixel; the shapes are smaller than pixels, or lie "
        "between the scene's edge and them\nUse points, or draw larger polygons."
    )
