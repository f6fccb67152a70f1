"""Where the pixels of a scene lie on the Earth."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from hsi.errors import SceneError

# Mean radius of the Earth, IUGG.
EARTH_RADIUS_M = 6_371_008.8


class Bounds(NamedTuple):
    """Edges of a scene in the units of its coordinate system."""

    left: float
    bottom: float
    right: float
    top: float

    def __str__(self) -> str:
        return f"{self.left:.10g} {self.bottom:.10g} {self.right:.10g} {self.top:.10g}"


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A coordinate system and the place of each pixel in it.

    Parameters
    ----------
    transform : tuple of float
        ``(a, b, c, d, e, f)``: the corner of pixel ``(row, col)`` that is the upper left one of
        the array lies at ``x = a * col + b * row + c`` and ``y = d * col + e * row + f``, as in
        `affine.Affine`.
    crs : str, optional
        The coordinate system as WKT, or whatever `rasterio.crs.CRS.from_user_input` takes
        (``"EPSG:32633"``); kept as WKT. None where the file does not say it.

    Raises
    ------
    SceneError
        If the coordinate system is not understood, or the pixels have no extent.

    Examples
    --------
    >>> grid = Grid(crs="EPSG:32633", transform=(30, 0, 366975, 0, -30, 5807085))
    >>> print(grid.bounds(32, 64))
    366975 5806125 368895 5807085
    >>> grid.pixel_area_m2(32, 64)
    900.0
    """

    transform: tuple[float, float, float, float, float, float]
    crs: str | None = None

    def __post_init__(self) -> None:
        numbers = tuple(float(value) for value in self.transform)
        if len(numbers) != 6 or not all(math.isfinite(value) for value in numbers):
            raise SceneError(f"a georeference of {self.transform}; expected six finite numbers")
        a, b, _, d, e, _ = numbers
        if a * e - b * d == 0:
            raise SceneError(f"pixels without extent: the georeference is {numbers}")
        object.__setattr__(self, "transform", numbers)
        if self.crs is not None:
            object.__setattr__(self, "crs", _as_wkt(self.crs))

    @property
    def affine(self) -> Any:
        """The transform as an `affine.Affine`."""
        from affine import Affine

        return Affine(*self.transform)

    @property
    def rasterio_crs(self) -> Any:
        """The coordinate system as a `rasterio.crs.CRS`, or None."""
        from rasterio.crs import CRS

        return None if self.crs is None else CRS.from_wkt(self.crs)

    @property
    def crs_name(self) -> str:
        """A short name of the coordinate system: ``EPSG:32633``, or the one in its WKT."""
        if self.crs is None:
            return "unknown coordinate system"
        crs = self.rasterio_crs
        code = crs.to_epsg()
        if code:
            return f"EPSG:{code}"
        return self.crs.split('"')[1] if '"' in self.crs else self.crs

    def bounds(self, rows: int, cols: int) -> Bounds:
        """Return the edges of the rectangle around so many pixels."""
        corners = [self.place(row, col) for row in (0, rows) for col in (0, cols)]
        easts, norths = zip(*corners, strict=True)
        return Bounds(min(easts), min(norths), max(easts), max(norths))

    def place(self, row: Any, col: Any) -> tuple[Any, Any]:
        """Return easting and northing of a row and column, or of arrays of them.

        Whole numbers are the upper left corners of pixels in the array.
        """
        a, b, c, d, e, f = self.transform
        return a * col + b * row + c, d * col + e * row + f

    def pixel(self, east: Any, north: Any) -> tuple[Any, Any]:
        """Return the row and column, with fractions, of a place, or of arrays of places."""
        a, b, c, d, e, f = self.transform
        right, up, size = east - c, north - f, a * e - b * d
        return (a * up - d * right) / size, (e * right - b * up) / size

    def part(self, row: int, col: int) -> Grid:
        """Return the grid of a rectangle that begins at this pixel."""
        a, b, _, d, e, _ = self.transform
        east, north = self.place(row, col)
        return Grid(crs=self.crs, transform=(a, b, east, d, e, north))

    def pixel_area_m2(self, rows: int, cols: int) -> float | None:
        """Return the area of a pixel in square metres, or None where it cannot be told.

        In degrees, that of a pixel in the middle of so many rows and columns on a sphere of the
        Earth's mean radius; pixels further north or south are of another size.
        """
        crs = self.rasterio_crs
        if crs is None:
            return None
        a, b, _, d, e, f = self.transform
        area = abs(a * e - b * d)
        if crs.is_geographic:
            latitude = math.radians(d * cols / 2 + e * rows / 2 + f)
            return area * math.radians(EARTH_RADIUS_M) ** 2 * math.cos(latitude)
        if not crs.is_projected:
            return None
        factor = float(crs.linear_units_factor[1])
        return area * factor * factor

    def is_like(self, other: Grid, rows: int, cols: int) -> bool:
        """Return whether pixels lie in the same places as those of `other`, to a hundredth."""
        one, two = self.rasterio_crs, other.rasterio_crs
        if one is not None and two is not None and one != two:
            return False
        return all(
            math.dist(self.pixel(*other.place(row, col)), (row, col)) < 0.01
            for row, col in [(0, 0), (0, cols), (rows, 0)]
        )


# EPSG:32633, WKT, PROJJSON, PROJ; all else GDAL would take for the name of a file or an address.
_KNOWN_FORMS = re.compile(r"\s*(?:[A-Za-z]+:\d+\s*$|urn:|[A-Za-z_]+\s*\[|\{|\+?proj=)")
# Coordinate systems in files, and shifts between them, but for the empty one.
_OTHER_FILES = re.compile(r"\binit=|grids=(?!@null)", re.IGNORECASE)


def _as_wkt(crs: str) -> str:
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    if not _KNOWN_FORMS.match(crs) or _OTHER_FILES.search(crs):
        raise SceneError(
            f"the coordinate system {crs[:80]!r} is not understood: expected WKT, EPSG:... or PROJ"
        )
    try:
        return str(CRS.from_user_input(crs).to_wkt())
    except CRSError as error:
        raise SceneError(
            f"the coordinate system {crs[:80]!r} is not understood: {str(error)[:120]}"
        ) from error
