"""HDF5 and NetCDF-4: products of PRISMA, EMIT and NEON, and any other file with a cube in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError, UsageError
from hsi.scenes.contents import Contents, Purpose, choose_array, label_arrays
from hsi.scenes.readers import emit, neon, prisma
from hsi.scenes.readers.hdf5_access import (
    attribute,
    fill_value,
    find,
    find_dataset,
    list_entries,
    members,
    number,
    numbers,
    open_hdf5,
    reading,
    setting,
    text,
)  # fmt: skip
from hsi.scenes.readers.hdf5_cube import Hdf5Cube
from hsi.scenes.readers.wavelengths import in_nanometres

HDF5_SUFFIXES = (".h5", ".he5", ".hdf5", ".hdf", ".nc")
Product = tuple[str, Callable[[Any, Path], Contents]]


def read_hdf5(path: Path, *, key: str | None, purpose: Purpose) -> Contents:
    """Read a product, or one array of a file that is none.

    Parameters
    ----------
    path : Path
        The file; what it holds tells the product, not its name.
    key : str or None
        The name of an array with slashes, for files that are no products, and for labels.
    purpose : {"cube", "labels"}
        What the array is for.

    Returns
    -------
    Contents
        A cube is read only where it is sliced. Arrays of files that are no products are taken as
        ``(rows, cols, bands)``; the conventions of NetCDF for missing values, scale and offset
        are kept.

    Raises
    ------
    SceneError
        If the file is damaged, points to others, claims what it cannot hold, or holds nothing
        suitable.
    UsageError
        If `key` names no array, is missing where several arrays could be meant, or is given for a
        product.
    """
    file = open_hdf5(path)
    with reading(path):
        product = _product(file, path)
        if product is not None and purpose == "cube":
            name, read = product
            if key is not None:
                raise UsageError(f"{path} is a product of {name}; leave out the key '{key}'")
            return read(file, path)
        entries = list_entries(file)
        chosen = choose_array(path, entries, key=key, purpose=purpose)
        dataset = find_dataset(file, chosen)
        if purpose == "labels":
            grid = neon.neon_grid(file, path) if product and product[0] == "NEON AOP" else None
            return Contents(array=dataset[()], nodata=fill_value(dataset), grid=grid)
        find_dataset(file, chosen, axes=3)
        cube = Hdf5Cube(dataset, path=path)
        scale, offset = attribute(dataset, "scale_factor"), attribute(dataset, "add_offset")
        return Contents(
            array=cube,
            wavelengths=_wavelengths(dataset, cube.shape[2]),
            nodata=fill_value(dataset),
            scale=1.0 if scale is None else number(scale, what="scale_factor", path=path),
            offset=0.0 if offset is None else number(offset, what="add_offset", path=path),
            label_arrays=label_arrays(entries, cube),
        )


def _product(file: Any, path: Path) -> Product | None:
    """Return the name and the reader of the product that a file is."""
    if find(file, prisma.SWATH) is not None:
        return "PRISMA", prisma.read_prisma
    swaths = find(file, "HDFEOS/SWATHS")
    other = [name for name in members(swaths) if name.startswith("PRS_")] if swaths else []
    if other:
        raise SceneError(
            f"{path} is a PRISMA product of level {other[0].split('_')[1]}, whose pixels lie on no "
            "map\nGet the product of level L2D of the same image."
        )
    if find(file, emit.TABLE[0]) is not None:
        return "EMIT", emit.read_emit
    if neon.find_site(file) is not None:
        return "NEON AOP", neon.read_neon
    return None


def _wavelengths(dataset: Any, bands: int) -> NDArray[np.float64] | None:
    """Return the numbers of ``wavelength`` or ``wavelengths`` beside a cube, if there are such."""
    for name in ("wavelength", "wavelengths"):
        values = setting(dataset.parent, name)
        if np.shape(values) == (bands,) and np.asarray(values).dtype.kind in "iuf":
            centres = numbers(values, what=name, path=Path(dataset.file.filename))
            units = text(attribute(find(dataset.parent, name), "units"))
            try:
                return in_nanometres(centres, units)
            except ValueError:
                return None
    return None
