"""MATLAB files: level 5 (``save -v6``, ``-v7``) through SciPy, level 7.3 (HDF5) through h5py."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from hsi.errors import SceneError
from hsi.scenes.contents import Contents, Entry, Purpose, choose_array, label_arrays
from hsi.scenes.readers.hdf5_access import find, find_dataset, open_hdf5, reading
from hsi.scenes.readers.matlab_elements import check_numbers

_NUMERIC = {
    "double", "single", "logical",
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
}  # fmt: skip


def read_matlab(path: Path, *, key: str | None, purpose: Purpose) -> Contents:
    """Read one array of a MATLAB file, level 5 or 7.3.

    Raises
    ------
    SceneError
        If the file is damaged, of another level, or holds no suitable array.
    UsageError
        If `key` names no array, or is missing where several arrays could be meant.
    """
    import h5py

    if h5py.is_hdf5(path):
        return _read_level_73(path, key=key, purpose=purpose)
    return _read_level_5(path, key=key, purpose=purpose)


def _read_level_5(path: Path, *, key: str | None, purpose: Purpose) -> Contents:
    from scipy.io import loadmat, whosmat
    from scipy.io.matlab import MatReadError, matfile_version

    # What SciPy raises on files that are cut off or altered, found by cutting and altering some.
    damage = (MatReadError, IndexError, KeyError, TypeError, ValueError, OSError, zlib.error,
              MemoryError, OverflowError, struct.error)  # fmt: skip
    try:
        major, _ = matfile_version(path, appendmat=False)
    except (MatReadError, IndexError, ValueError) as error:
        raise SceneError(f"{path} is no MATLAB file, or a damaged one ({error})") from error
    if major != 1:
        raise SceneError(
            f"{path} is no MATLAB file of level 5 or 7.3 (level 4 cannot hold a cube)\n"
            "Save it anew with: save -v7"
        )
    try:
        # The class of an array of numbers is left out: MATLAB saves doubles without fractions as
        # small integers, and as these SciPy reads them.
        entries = {
            name: Entry(tuple(shape), "" if kind in _NUMERIC else kind, kind in _NUMERIC)
            for name, shape, kind in whosmat(path, appendmat=False)
        }
    except damage as error:
        raise _damaged(path, error) from error
    chosen = choose_array(path, entries, key=key, purpose=purpose)
    try:
        check_numbers(path, chosen)
        array = loadmat(path, variable_names=[chosen], appendmat=False)[chosen]
    except damage as error:
        raise _damaged(path, error) from error
    return Contents(array=array, label_arrays=label_arrays(entries, array))


def _read_level_73(path: Path, *, key: str | None, purpose: Purpose) -> Contents:
    with reading(path), open_hdf5(path) as file:
        entries = {name: _entry(find(file, name)) for name in file if name[0] != "#"}
        chosen = choose_array(path, entries, key=key, purpose=purpose)
        # MATLAB stores columns first: HDF5, which does not, sees the axes in reverse order.
        array = find_dataset(file, chosen)[()].T
    return Contents(array=array, label_arrays=label_arrays(entries, array))


def _entry(item: Any) -> Entry:
    """Describe an HDF5 object in MATLAB's words: axes in MATLAB's order."""
    if not hasattr(item, "dtype"):
        return Entry((), "struct", False)
    kind = item.attrs.get("MATLAB_class", b"")
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    kind = "complex" if item.dtype.names else kind or str(item.dtype)
    numeric = np.dtype(item.dtype).kind in "biuf" and kind not in ("char", "cell")
    return Entry(tuple(reversed(item.shape or ())), kind, numeric)


def _damaged(path: Path, error: Exception) -> SceneError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return SceneError(f"{path} is damaged or cut off ({reason})\nGet or save the file anew.")
