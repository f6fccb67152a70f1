"""NumPy files: ``.npy``, memory-mapped, and ``.npz``. Pickled objects are never opened."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from hsi.errors import SceneError, UsageError
from hsi.scenes.contents import (
    HARMLESS_BYTES,
    LARGEST_RATIO,
    Contents,
    Entry,
    Purpose,
    choose_array,
    label_arrays,
)

# What NumPy and zipfile raise on files that are cut off or altered, found by cutting and altering
# some. The header of an array is a Python literal; hence the odd ones.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, RuntimeError,
    TypeError, tokenize.TokenError, MemoryError, OverflowError,
)  # fmt: skip


def read_npy(path: Path, *, key: str | None, purpose: Purpose) -> Contents:
    """Map a ``.npy`` file into memory, in whatever order and byte order it was saved.

    Raises
    ------
    SceneError
        If the file is damaged, or holds pickled objects.
    UsageError
        If a `key` is given: the file holds one array without a name.
    """
    if key is not None:
        raise UsageError(f"{path} holds one array without a name; leave out the key '{key}'")
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except _DAMAGE as error:
        raise SceneError(f"{path} cannot be used as a .npy file: {error}") from error
    entry = Entry(array.shape, str(array.dtype), array.dtype.kind in "biuf")
    choose_array(path, {path.stem: entry}, key=None, purpose=purpose)
    return Contents(array=array)


def read_npz(path: Path, *, key: str | None, purpose: Purpose) -> Contents:
    """Read one array of a ``.npz`` file.

    Raises
    ------
    SceneError
        If the file is damaged, or holds no suitable array.
    UsageError
        If `key` names no array, or is missing where several arrays could be meant.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {
                name.removesuffix(".npy"): _entry(archive, name)
                for name in archive.namelist()
                if name.endswith(".npy")
            }
            chosen = choose_array(path, entries, key=key, purpose=purpose)
            _check_claim(archive.getinfo(f"{chosen}.npy"), entries[chosen])
            with archive.open(f"{chosen}.npy") as member:
                array = np.lib.format.read_array(member, allow_pickle=False)
    except UsageError:  # also a ValueError
        raise
    except _DAMAGE as error:
        raise SceneError(f"{path} is damaged or no .npz file: {error}") from error
    return Contents(array=array, label_arrays=label_arrays(entries, array))


def _check_claim(member: zipfile.ZipInfo, entry: Entry) -> None:
    """Refuse an array that is not all there, or packed more densely than images can be."""
    claimed = math.prod(entry.shape) * np.dtype(entry.kind).itemsize if entry.numeric else 0
    if claimed > member.file_size:
        raise ValueError(f"an array of {claimed:,} bytes in a member of {member.file_size:,}")
    if claimed > HARMLESS_BYTES and claimed > LARGEST_RATIO * member.compress_size:
        raise ValueError(
            f"{member.compress_size:,} bytes of an array unpack to {claimed:,}, which is no image"
        )


def _entry(archive: zipfile.ZipFile, name: str) -> Entry:
    """Describe a member by its header, without reading it."""
    headers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    with archive.open(name) as member:
        version = np.lib.format.read_magic(member)
        if version not in headers:  # 3.0: field names beyond ASCII, hence no plain array
            return Entry((), "records", False)
        shape, _, dtype = headers[version](member)
    return Entry(shape, "objects" if dtype.hasobject else str(dtype), dtype.kind in "biuf")
