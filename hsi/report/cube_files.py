"""A cube as a file of the format that its name says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hsi.errors import UsageError, unknown_name
from hsi.files import atomic_path
from hsi.report.cube_envi import write_cube_envi
from hsi.report.cube_facts import CubeFacts
from hsi.report.cube_tif import write_cube_tif
from hsi.report.geotiff import blocks

# What an array in a MATLAB file of level 5 may have.
_MATLAB_BYTES = 2**31 - 1


def write_cube_npy(path: Path | str, pixels: Any, *, facts: CubeFacts) -> None:
    """Write a cube as ``.npy``, ``(rows, cols, bands)``; nothing of `facts` has a place there."""
    bands, rows, cols = pixels.shape
    with atomic_path(Path(path)) as temporary:
        stored = np.lib.format.open_memmap(
            temporary, mode="w+", dtype=pixels.dtype, shape=(rows, cols, bands)
        )
        for part in blocks(pixels):
            stored[part] = np.asarray(pixels[(slice(None), *part)]).transpose(1, 2, 0)
        stored.flush()


def write_cube_mat(path: Path | str, pixels: Any, *, facts: CubeFacts) -> None:
    """Write a cube as MATLAB file of level 5, ``(rows, cols, bands)``; read as a whole.

    Raises
    ------
    UsageError
        If it is larger than such a file can hold.
    """
    from scipy.io import savemat

    size = int(np.prod(pixels.shape)) * pixels.dtype.itemsize
    if size > _MATLAB_BYTES:
        raise UsageError(
            f"{path} would hold {size:,} bytes, and a MATLAB file of level 5 holds 2 GB\n"
            "Write a GeoTIFF (.tif) or an ENVI image (.img)."
        )
    with atomic_path(Path(path)) as temporary, temporary.open("wb") as file:
        savemat(file, {facts.name: pixels[:].transpose(1, 2, 0)}, do_compression=True)


_Writer = Callable[..., None]
WRITERS: Mapping[str, _Writer] = {
    ".tif": write_cube_tif,
    ".tiff": write_cube_tif,
    ".img": write_cube_envi,
    ".dat": write_cube_envi,
    ".hdr": write_cube_envi,
    ".bsq": write_cube_envi,
    ".bil": write_cube_envi,
    ".bip": write_cube_envi,
    ".npy": write_cube_npy,
    ".mat": write_cube_mat,
}


def writer_for(path: Path) -> _Writer:
    """Return what writes a cube to `path`, a function of path, pixels and ``facts``.

    Raises
    ------
    UsageError
        If the suffix is none of a format that is written.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise unknown_name("suffix of a scene to write", path.suffix, WRITERS)
    return WRITERS[suffix]
