"""Where an ENVI image lies on the Earth: ``map info`` and ``coordinate system string``."""

from __future__ import annotations

import math
from typing import Any

from hsi.errors import SceneError
from hsi.scenes.grid import Grid
from hsi.scenes.readers.envi_header import numbers

_METRES = ("", "meters", "metres", "meter", "metre", "m")
_DEGREES = ("", "degrees", "degree")
# EPSG codes of UTM zone 0 north and south, of the zones that exist, and of latitude and longitude.
_DATUMS = {
    "wgs-84": (32600, 32700, range(1, 61), 4326),
    "north america 1983": (26900, None, range(1, 24), 4269),
    "north america 1927": (26700, None, range(1, 23), 4267),
}


def grid_of_header(header: dict[str, Any]) -> tuple[Grid | None, str | None]:
    """Return the grid of an ENVI image and why it is not known, one of them None.

    Parameters
    ----------
    header : dict
        As `read_header` returns it. ``map info`` gives projection, reference pixel (1, 1 is the
        upper left corner of the first pixel), its coordinates, pixel sizes, zone, datum, units and
        rotation, counterclockwise in degrees.

    Returns
    -------
    grid : Grid or None
        Its coordinate system is the ``coordinate system string``, else the one that ``map info``
        names, else None.
    reason : str or None
        None also where the header says nothing of a place.
    """
    fields = header.get("map info")
    if not isinstance(fields, list) or len(fields) < 7:
        return None, None if fields is None else "its map info has fewer than seven fields"
    values = numbers(fields[1:7])
    named = dict(_named(field) for field in fields[7:] if "=" in field)
    angle = numbers(named.get("rotation", "0"))
    if values is None or angle is None:
        return None, f"its map info is not understood: {', '.join(fields)[:80]}"
    if fields[0].lower() == "arbitrary" and values[2:] == [0, 0, 1, 1]:
        return None, None
    try:
        grid = Grid(transform=_transform(values, angle[0]), crs=_coordinate_system(header, named))
    except SceneError as error:
        return None, str(error).splitlines()[0]
    return grid, None


def _named(field: str) -> tuple[str, str]:
    name, _, value = field.partition("=")
    return name.strip().lower(), value.strip()


def _transform(
    values: list[float], degrees: float
) -> tuple[float, float, float, float, float, float]:
    col, row, east, north, width, height = values
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    a, b, d, e = cosine * width, sine * height, sine * width, -cosine * height
    if abs(degrees) == 180:
        # GDAL writes images whose first row is the southernmost so, and reads them back so.
        a, b, d, e = width, 0.0, 0.0, height
    elif degrees == 0:
        b = d = 0.0
    return (
        a, b, east - a * (col - 1) - b * (row - 1),
        d, e, north - d * (col - 1) - e * (row - 1),
    )  # fmt: skip


def _coordinate_system(header: dict[str, Any], named: dict[str, str]) -> str | None:
    """Return the coordinate system as WKT or ``EPSG:...``, or None where it is not understood."""
    text = header.get("coordinate system string")
    if isinstance(text, str) and text:
        from rasterio.crs import CRS
        from rasterio.errors import CRSError

        try:
            # Names of ESRI's software, which ENVI writes, are known to PROJ.
            crs = CRS.from_wkt(text)
            code = crs.to_epsg()
            if code and CRS.from_epsg(code) == crs:
                return f"EPSG:{code}"
            return str(crs.to_wkt())
        except CRSError:
            pass  # map info may still name it
    fields = [field for field in header["map info"] if "=" not in field]
    units, kind = named.get("units", "").lower(), fields[0].lower()
    if kind == "utm" and len(fields) >= 10 and units in _METRES:
        return _zone(*fields[7:10])
    if kind == "geographic lat/lon" and len(fields) >= 8 and units in _DEGREES:
        datum = _DATUMS.get(fields[7].lower())
        return f"EPSG:{datum[3]}" if datum else None
    return None


def _zone(zone: str, hemisphere: str, datum: str) -> str | None:
    known = _DATUMS.get(datum.lower())
    if known is None or not zone.isdecimal() or int(zone) not in known[2]:
        return None
    base = {"north": known[0], "south": known[1]}.get(hemisphere.lower())
    return f"EPSG:{base + int(zone)}" if base else None
