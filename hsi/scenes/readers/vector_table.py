"""Files of shapes as tables: opened so that what they name elsewhere is not followed."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from hsi.errors import HsiError, SceneError, UsageError
from hsi.scenes.readers.geojson import check_crs
from hsi.scenes.readers.geopackage import check_tables

# First bytes of each format, spaces aside: what is opened is what the name promises, and not a
# file that names others.
_STARTS = {
    ".gpkg": (b"SQLite format 3",),
    ".geojson": (b"{",),
    ".json": (b"{",),
    ".shp": (b"\x00\x00\x27\x0a",),
    ".fgb": (b"fgb",),
}
VECTOR_SUFFIXES = tuple(_STARTS)
_DRIVERS = ("GPKG", "GeoJSON", "ESRI Shapefile", "FlatGeobuf")
NAMED = 8


def read_table(path: Path, layer: str | None) -> Any:
    """Return the shapes and attributes of a layer, a `geopandas.GeoDataFrame`.

    Raises
    ------
    UsageError
        If geopandas is missing, or the layer is wrong or has to be chosen.
    SceneError
        If the file is damaged or of another format than its name says.
    """
    try:
        import geopandas
        import pyogrio
        from shapely.errors import ShapelyError
    except ModuleNotFoundError as error:
        raise UsageError(
            f"reading {path.name} needs geopandas and pyogrio, which are not installed: "
            "pip install geopandas pyogrio (or the extra 'vector' of hsi)"
        ) from error
    with path.open("rb") as file:
        start = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start.startswith(_STARTS[path.suffix.lower()]):
        raise SceneError(f"{path} is no {path.suffix} file: its first bytes are {start[:16]!r}")
    if path.suffix.lower() == ".gpkg":
        check_tables(path)
    elif path.suffix.lower() in (".geojson", ".json"):
        check_crs(path)
    # What pyogrio, geopandas and shapely raise on damaged files, found by damaging some.
    damage = (
        RuntimeError, ShapelyError, LookupError, TypeError, ValueError, OSError, OverflowError,
        MemoryError,
    )  # fmt: skip
    try:
        with warnings.catch_warnings():
            # What GDAL finds odd and reads all the same.
            warnings.simplefilter("ignore", RuntimeWarning)
            layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
            # QGIS keeps styles in a layer of their own.
            drawn = [name for name in layers if name != "layer_styles"]
            if layer is not None and layer not in layers:
                raise UsageError(f"{path} holds no layer '{layer}'; it holds {', '.join(drawn)}")
            if layer is None and len(drawn) > 1:
                raise UsageError(
                    f"{path} holds {len(drawn)} layers: {', '.join(drawn[:NAMED])}\n"
                    "Choose one by its name: labels_key=, or --labels-key."
                )
            chosen = layer or (drawn[0] if drawn else None)
            driver = pyogrio.read_info(path, layer=chosen)["driver"]
            if driver not in _DRIVERS:
                raise SceneError(f"{path} is opened as {driver}; expected {', '.join(_DRIVERS)}")
            table = geopandas.read_file(path, layer=chosen, engine="pyogrio")
    except HsiError:  # a UsageError is also a ValueError
        raise
    except damage as error:
        reason = " ".join(str(error).split())[:200]
        raise SceneError(f"{path} is damaged, or no file of shapes ({reason})") from error
    if not isinstance(table, geopandas.GeoDataFrame):
        raise SceneError(f"{path} is a table without shapes; expected polygons or points")
    return table
