"""Class maps as xarray arrays, as the tools of the field (rioxarray, odc-geo) expect them.

Coordinates are named after the "CF Metadata Conventions" 1.11: pixel centres in ``y`` and ``x``,
the coordinate system in the attributes of ``spatial_ref`` (sections 4 and 5.6), classes as
``flag_values`` and ``flag_meanings`` (section 3.5).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.scenes.grid import Grid

if TYPE_CHECKING:
    from xarray import DataArray

INSTALL = 'python -m pip install -c constraints.txt -e ".[xarray]"'


def check_xarray() -> None:
    """Raise UsageError unless xarray is installed."""
    try:
        import xarray  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "a map as_='xarray' needs xarray, which is not installed\n"
            f"In the clone of the repository: {INSTALL}\n"
            "Or go without: as_='numpy'."
        ) from error


def to_data_array(
    class_map: NDArray[np.int32], *, names: Mapping[int, str], grid: Grid | None
) -> DataArray:
    """Return a class map with its place and its classes.

    Parameters
    ----------
    class_map : ndarray of int
        ``(rows, cols)`` label ids, 0 = no data.
    names : mapping
        Class name by id.
    grid : Grid, optional
        Where the pixels lie on the Earth.

    Returns
    -------
    DataArray
        Dimensions ``y`` (rows) and ``x`` (columns). With a `grid`, ``spatial_ref`` holds the
        coordinate system (``crs_wkt``) and GDAL's ``GeoTransform``; ``y`` and ``x`` hold pixel
        centres, unless the grid is turned, when no such coordinates exist. In its attributes:
        ``_FillValue``, 0; ``flag_values`` and ``flag_meanings``, the ids and the names as words
        without blanks; and ``class_names``, the names by id as JSON.

    Raises
    ------
    UsageError
        If xarray is not installed.
    """
    check_xarray()
    from xarray import DataArray

    ids = sorted(names)
    attributes: dict[str, Any] = {
        "long_name": "class",
        "_FillValue": np.int32(0),
        "flag_values": np.array(ids, dtype=np.int32),
        "flag_meanings": " ".join(_word(names[each]) for each in ids),
        "class_names": json.dumps({str(each): names[each] for each in ids}, ensure_ascii=False),
    }
    array = DataArray(class_map, dims=("y", "x"), name="class_map", attrs=attributes)
    if grid is None:
        return array
    array = array.assign_coords(_axes(grid, class_map.shape))
    array = array.assign_coords(spatial_ref=((), np.int64(0), _place(grid)))
    array.encoding["grid_mapping"] = "spatial_ref"
    return array


def _axes(grid: Grid, shape: tuple[int, ...]) -> dict[str, Any]:
    a, b, c, d, e, f = grid.transform
    if b or d:
        return {}
    rows, cols = shape
    crs = grid.rasterio_crs
    kind = "" if crs is None else "geographic" if crs.is_geographic else "projection"
    y, x = e * (np.arange(rows) + 0.5) + f, a * (np.arange(cols) + 0.5) + c
    return {"y": ("y", y, _axis("y", kind)), "x": ("x", x, _axis("x", kind))}


def _axis(axis: str, kind: str) -> dict[str, str]:
    """Return the attributes by which CF knows an axis."""
    if kind == "geographic":
        name, units = {"y": ("latitude", "degrees_north"), "x": ("longitude", "degrees_east")}[axis]
        return {"axis": axis.upper(), "standard_name": name, "units": units}
    return {"axis": axis.upper()} | (
        {"standard_name": f"projection_{axis}_coordinate"} if kind else {}
    )


def _place(grid: Grid) -> dict[str, str]:
    a, b, c, d, e, f = grid.transform
    place = {"GeoTransform": " ".join(repr(each) for each in (c, a, b, f, d, e))}
    if grid.crs is not None:
        # rioxarray reads the one, GDAL and CF the other.
        place |= {"crs_wkt": grid.crs, "spatial_ref": grid.crs}
    return place


def _word(name: str) -> str:
    """Return a name as a word: CF separates the meanings of flags by blanks."""
    return re.sub(r"\W+", "_", name).strip("_") or "unnamed"
