"""NEON AOP: surface reflectance (DP1 and DP3, .30006.001 and .30006.002) of a site's tile or line.

The layout is described in the tutorials of NEON's "Data Skills".
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError
from hsi.scenes.contents import Contents
from hsi.scenes.grid import Grid
from hsi.scenes.readers.hdf5_access import (
    attribute,
    find,
    find_dataset,
    members,
    number,
    numbers,
    setting,
    text,
)
from hsi.scenes.readers.hdf5_cube import Hdf5Cube

IMAGE = "Reflectance/Reflectance_Data"
_WINDOWS = "Band_Window_1_Nanometers", "Band_Window_2_Nanometers"


def find_site(file: Any) -> str | None:
    """Return the name of the site whose reflectance a file holds, if it is a product of NEON."""
    return next((name for name in members(file) if find(file, f"{name}/{IMAGE}") is not None), None)


def read_neon(file: Any, path: Path) -> Contents:
    """Return the cube of a NEON AOP product; bands in the windows of water vapour are bad.

    Parameters
    ----------
    file : h5py.File
        The product.
    path : Path
        Its path, for messages.

    Raises
    ------
    SceneError
        If something is missing or contradicts the rest.
    """
    site = find_site(file)
    dataset = find_dataset(file, f"{site}/{IMAGE}", axes=3)
    group = find(file, f"{site}/Reflectance")
    cube = Hdf5Cube(dataset, path=path)
    metadata = find(group, "Metadata")
    if metadata is None:
        raise SceneError(f"{path} holds no '{site}/Reflectance/Metadata'")

    def listed(what: str) -> NDArray[np.float64]:
        values = setting(metadata, f"Spectral_Data/{what}")
        return numbers(values, what=what, path=path, count=cube.shape[2])

    wavelengths = listed("Wavelength")
    factor = number(attribute(dataset, "Scale_Factor"), what="Scale_Factor", path=path)
    if factor <= 0:
        raise SceneError(f"{path}: 'Scale_Factor' is {factor:g}; expected a positive number")
    ignored = attribute(dataset, "Data_Ignore_Value")
    return Contents(
        array=cube,
        wavelengths=wavelengths,
        fwhm=listed("FWHM"),
        bad_bands=_bad_bands(group, path, wavelengths),
        nodata=None if ignored is None else number(ignored, what="Data_Ignore_Value", path=path),
        scale=1 / factor,
        grid=neon_grid(file, path),
        metadata={
            "sensor": "NEON AOP",
            "site": site,
            "product": path.stem,
            "acquisition_time": _acquisition_time(metadata, path),
        },
    )


def neon_grid(file: Any, path: Path) -> Grid:
    """Return where the pixels of a product lie.

    Raises
    ------
    SceneError
        If the product does not say it.
    """
    place = f"{find_site(file)}/Reflectance/Metadata/Coordinate_System"
    fields = [each.strip() for each in text(setting(file, f"{place}/Map_Info")).split(",")]
    # Projection; column and row, from 1, of a corner of a pixel; its easting and northing; sizes.
    col, row, east, north, width, height = numbers(fields[1:7], what="Map_Info", path=path, count=6)
    turned = re.search(r"rotation *= *([-+.\d]+)", ",".join(fields))
    if turned and float(turned[1]) != 0:
        raise SceneError(f"{path}: the image is turned by {turned[1]} degrees; expected north up")
    code = text(setting(file, f"{place}/EPSG Code"))
    crs = (
        f"EPSG:{code}"
        if code.isdigit()
        else text(setting(file, f"{place}/Coordinate_System_String"))
    )
    west, top = east - (col - 1) * width, north + (row - 1) * height
    return Grid(crs=crs or None, transform=(width, 0, west, 0, -height, top))


def _bad_bands(
    group: Any, path: Path, wavelengths: NDArray[np.float64]
) -> NDArray[np.bool_] | None:
    bad = np.zeros(len(wavelengths), dtype=np.bool_)
    for what in _WINDOWS:
        window = attribute(group, what)
        if window is not None:
            low, high = numbers(window, what=what, path=path, count=2)
            bad |= (wavelengths >= low) & (wavelengths <= high)
    return bad if bad.any() else None


def _acquisition_time(metadata: Any, path: Path) -> str:
    """Return the day of the flight, or the first and last of several, from where it is written."""
    logs = find(metadata, "Logs")
    names = [path.stem, *(members(logs) if logs is not None else ())]
    days = sorted(
        {
            "-".join(match.groups())
            for name in names
            for match in re.finditer(r"(?<!\d)(20\d\d)(\d\d)(\d\d)(?!\d)", name)
        }
    )
    return "/".join(days[:1] + days[1:][-1:])
