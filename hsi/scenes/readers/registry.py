"""Which reader opens which file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from hsi.errors import SceneError, UsageError
from hsi.files import is_web_page
from hsi.scenes.address import Address, Place
from hsi.scenes.contents import Contents, Purpose
from hsi.scenes.readers.contained import read_contained
from hsi.scenes.readers.dlr import read_product, read_tiff
from hsi.scenes.readers.envi import read_envi
from hsi.scenes.readers.envi_header import find_header, starts_as_envi
from hsi.scenes.readers.hdf5 import HDF5_SUFFIXES, read_hdf5
from hsi.scenes.readers.matlab import read_matlab
from hsi.scenes.readers.numpy_files import read_npy, read_npz
from hsi.scenes.readers.raster import read_raster
from hsi.scenes.readers.raster_cube import DRIVERS
from hsi.scenes.readers.vector_table import VECTOR_SUFFIXES

READERS: dict[str, Callable[..., Contents]] = {
    ".mat": read_matlab,
    ".npy": read_npy,
    ".npz": read_npz,
    ".hdr": read_envi,
    ".xml": read_product,
    **dict.fromkeys(DRIVERS, read_raster),
    **dict.fromkeys((".tif", ".tiff", ".geotiff"), read_tiff),
    **dict.fromkeys(HDF5_SUFFIXES, read_hdf5),
}
# These do without libraries that a damaged file could bring to crash.
_LISTS = (".csv", ".txt", ".lst")
_HARMLESS = (read_npy, read_npz, read_envi)
SUPPORTED = (
    ".mat, .npy, .npz, ENVI (.hdr, or the data file beside it), GeoTIFF (.tif), JPEG 2000 "
    "(.jp2), ERDAS (.img), ESRI (.bil), PNG, EnMAP and DESIS (-METADATA.XML), HDF5 and "
    "NetCDF-4 (.h5, .he5, .hdf5, .hdf, .nc), libraries of spectra (.sli, .gpkg), .toml (a card)"
)


def register_reader(suffix: str, reader: Callable[..., Contents]) -> None:
    """Make files of one more kind known to `hsi.load_scene` and to all commands.

    Parameters
    ----------
    suffix : str
        Of the files, such as ``".spe"``; not yet taken.
    reader : callable
        ``reader(path, *, key, purpose)`` returns `hsi.scenes.Contents`: an array
        ``(rows, cols, bands)``, which may be a `hsi.scenes.LazyCube`, and what the file says of it.
        `key` is the name of an array in the file or None, `purpose` is ``"cube"`` or ``"labels"``.
        It raises `SceneError` if the file is damaged. A function of a module runs in a process of
        its own, so that a library's crash is an error.

    Raises
    ------
    UsageError
        If the suffix is none, or taken.

    See Also
    --------
    hsi.testing.check_reader : tests such a reader on a file.
    """
    known = suffix.lower() if isinstance(suffix, str) else ""
    if not re.fullmatch(r"\.[a-z0-9_]+", known):
        raise UsageError(f"a suffix is a point and letters, such as '.spe'; not {suffix!r}")
    if known in READERS or known in VECTOR_SUFFIXES or known in (".toml", *_LISTS):
        raise UsageError(f"files with the suffix {known} are read already; choose another suffix")
    READERS[known] = reader


def read_file(path: Place, *, key: str | None, purpose: Purpose) -> Contents:
    """Read an array with the reader for the file's format.

    Raises
    ------
    SceneError
        If the file is missing, empty, a folder, a web page, damaged or of an unknown format.
    """
    contents: Contents
    if isinstance(path, Address):
        contents = read_contained(read_tiff, path, key=key, purpose=purpose)
        return contents
    check_file(path)
    reader = READERS.get(path.suffix.lower())
    header = find_header(path)
    # The suffixes .img and .bil are of several formats; what the header begins with decides.
    if header is not None and (
        reader is None or (path.suffix.lower() in (".img", ".bil") and starts_as_envi(header))
    ):
        reader = read_envi
    if path.suffix.lower() in _LISTS:
        raise SceneError(
            f"{path} is a list of scenes, or no image\nLists are for `hsi train --dataset` and "
            "hsi.load_scenes; name one of its images here."
        )
    if reader is None:
        raise SceneError(
            f"{path}: files of this kind ({path.suffix or 'no suffix, no .hdr beside it'}) cannot "
            f"be read\nSupported: {SUPPORTED}"
        )
    if reader in _HARMLESS:
        return reader(path, key=key, purpose=purpose)
    contents = read_contained(reader, path, key=key, purpose=purpose)
    return contents


def check_file(path: Path) -> None:
    """Refuse what no reader needs to look at."""
    if path.is_dir():
        raise SceneError(
            f"{path} is a folder; expected a file, or for --dataset a list of them (.csv, .txt)\n"
            f"Supported: {SUPPORTED}"
        )
    if not path.exists():
        raise SceneError(f"{path} does not exist")
    if not path.is_file():
        raise SceneError(f"{path} is no regular file but a pipe, socket or device")
    if path.stat().st_size == 0:
        raise SceneError(f"{path} is empty (0 bytes); get it anew")
    if is_web_page(path):
        raise SceneError(
            f"{path} is a web page saved under that name, not data\n"
            "Open it in a browser to see what the server said, and download the file anew."
        )
