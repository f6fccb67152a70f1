"""HDF5 files as they come from elsewhere: opened so that nothing outside them is ever read.

HDF5 can point to other files of the machine (external links, external storage, virtual datasets)
and can claim any size for arrays that were never written. Both are refused here, before a value is
read, and what the library raises on damaged files becomes a `SceneError`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import HsiError, SceneError
from hsi.scenes.contents import Entry
from hsi.scenes.readers.hdf5_heaps import check_heaps

# Deflate, the densest filter that HDF5 always has, makes nothing more than 1032 times smaller;
# images become a few times smaller. Smaller arrays do no harm whatever they claim.
_LARGEST_RATIO, _HARMLESS_BYTES = 1000, 2**30
# Products hold some hundred objects; settings and texts of them are at most some kilobytes long.
_MOST_OBJECTS, _LONGEST_SETTING = 20_000, 2**20
_OTHER_KINDS = {
    b"\x0e\x03\x13\x01": "HDF4; convert it to HDF5 (h4toh5)",
    b"CDF": "NetCDF of an older kind; convert it to NetCDF-4 (nccopy -k nc4)",
}


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what h5py raises on damaged files into a `SceneError` that names the file."""
    # Found by altering files: h5py and NumPy raise all of these on metadata that make no sense.
    damage = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError)
    try:
        yield
    except SceneError as error:
        # What checks values alone does not know the file.
        if str(path) in str(error):
            raise
        raise SceneError(f"{path}: {error}") from error
    except HsiError:
        raise
    except damage as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SceneError(
            f"{path} is damaged or cut off ({reason[:300]})\nGet or save the file anew."
        ) from error


def open_hdf5(path: Path) -> Any:
    """Open a file for reading and return it as an `h5py.File`.

    Raises
    ------
    SceneError
        If it is no HDF5 file, or damaged.
    """
    import h5py

    with reading(path):
        if not h5py.is_hdf5(path):
            with path.open("rb") as file:
                start = file.read(4)
            found = [kind for magic, kind in _OTHER_KINDS.items() if start.startswith(magic)]
            raise SceneError(
                f"{path} is {found[0] if found else 'no HDF5 or NetCDF-4 file, or a damaged one'}"
            )
        check_heaps(path)
        return h5py.File(path, "r")


def members(group: Any) -> list[str]:
    """Return the names of what lies in a group itself, not behind a link."""
    import h5py

    names = [name for name in group if isinstance(name, str)]  # h5py opens no others
    return [name for name in names if isinstance(group.get(name, getlink=True), h5py.HardLink)]


def find(group: Any, name: str) -> Any:
    """Return what lies in a group under a name with slashes; None where nothing does.

    Raises
    ------
    SceneError
        If a link leads there: links are not followed, since they may lead out of the file.
    """
    import h5py

    node = group
    for part in filter(None, name.split("/")):
        if not isinstance(node, h5py.Group):
            return None
        link = node.get(part, getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise SceneError(
                f"'{name}' in {_path(group)} is {_describe(link)}; links are not followed\n"
                "Save the data themselves in the file, under that name."
            )
        node = node[part]
    return node


def find_dataset(group: Any, name: str, *, axes: int | None = None) -> Any:
    """Return a dataset that is safe to read.

    Parameters
    ----------
    group : h5py.Group
        From where `name` counts.
    name : str
        With slashes.
    axes : int, optional
        How many axes it must have; then it must hold real numbers as well.

    Raises
    ------
    SceneError
        If it is missing, has other axes or values, lies outside the file, or claims a size that
        the file cannot hold.
    """
    import h5py

    dataset = find(group, name)
    path = _path(group)
    if not isinstance(dataset, h5py.Dataset):
        raise SceneError(f"{path} holds no array '{name}', which a product of its kind has")
    if dataset.is_virtual or dataset.external:
        raise SceneError(
            f"'{name}' in {path} is stored in other files, which are not read\n"
            "Save the data themselves in the file."
        )
    shape = dataset.shape or ()
    if axes is not None and (len(shape) != axes or dataset.dtype.kind not in "iuf"):
        raise SceneError(
            f"'{name}' in {path} holds {dataset.dtype} of shape {shape}; expected numbers along "
            f"{axes} axes"
        )
    claimed, held = math.prod(shape) * dataset.dtype.itemsize, path.stat().st_size
    if claimed > _HARMLESS_BYTES and claimed > _LARGEST_RATIO * held:
        raise SceneError(
            f"'{name}' in {path} claims {claimed:,} bytes in a file of {held:,}\n"
            "Nothing was ever written to most of it, or the file is damaged; save what it holds."
        )
    return dataset


def list_entries(file: Any) -> dict[str, Entry]:
    """Describe everything in a file by its name with slashes, without reading values.

    Raises
    ------
    SceneError
        If there is more than any image file has.
    """
    import h5py

    entries: dict[str, Entry] = {}
    groups, seen, objects = [("", file)], set(), 0
    while groups:
        prefix, group = groups.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:
            continue
        seen.add(address)
        for name in group:
            objects += 1
            if objects > _MOST_OBJECTS:
                raise SceneError(
                    f"{_path(file)} holds more than {_MOST_OBJECTS:,} objects; no image does"
                )
            if not isinstance(name, str):
                continue  # h5py opens nothing whose name is not in UTF-8
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                entries[prefix + name] = Entry((), _describe(link), False)
                continue
            item = group[name]
            if isinstance(item, h5py.Dataset):
                entries[prefix + name] = describe_dataset(item)
            elif isinstance(item, h5py.Group):
                groups.append((f"{prefix}{name}/", item))
    return dict(sorted(entries.items()))


def describe_dataset(dataset: Any) -> Entry:
    """Describe a dataset before it is read, in NumPy's words."""
    shape = tuple(int(size) for size in dataset.shape or ())
    return Entry(shape, str(dataset.dtype), dataset.dtype.kind in "biuf")


def attribute(node: Any, name: str) -> Any:
    """Return a setting that is stored beside an object, None where there is none.

    Raises
    ------
    SceneError
        If it is longer than any setting is.
    """
    if name not in node.attrs:
        return None
    stored = node.attrs.get_id(name)
    if math.prod(stored.shape) * stored.dtype.itemsize > _LONGEST_SETTING:
        raise SceneError(f"the attribute '{name}' in {_path(node)} is too long to be one")
    return node.attrs[name]


def fill_value(dataset: Any) -> float | None:
    """Return the value of pixels without data by the conventions of NetCDF; None without one.

    NaN is none: it stands for no data in any case.
    """
    for name in ("_FillValue", "missing_value"):
        value = attribute(dataset, name)
        if value is not None and not np.all(np.isnan(value)):
            return number(value, what=name, path=_path(dataset))
    return None


def numbers(value: Any, *, what: str, path: Path, count: int | None = None) -> NDArray[np.float64]:
    """Return the numbers of a setting as ``(count,)`` float64.

    Raises
    ------
    SceneError
        If it is missing, no list of finite numbers, or of another length.
    """
    try:
        array = np.atleast_1d(np.asarray(value, dtype=np.float64)).ravel()
    except (TypeError, ValueError):
        array = np.zeros(0)
    if value is None or array.size == 0 or not np.isfinite(array).all():
        raise SceneError(f"{path}: '{what}' is missing, or no list of finite numbers")
    if count is not None and array.size != count:
        raise SceneError(f"{path}: '{what}' has {array.size} numbers; expected {count}")
    return array


def number(value: Any, *, what: str, path: Path) -> float:
    """Return the only number of a setting."""
    return float(numbers(value, what=what, path=path, count=1)[0])


def text(value: Any) -> str:
    """Return a setting as text; empty where there is none, or something else."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.ravel()[0]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return str(value).strip("\x00 \n") if isinstance(value, str | np.number | int | float) else ""


def setting(group: Any, name: str) -> Any:
    """Return what a small dataset holds, None where it is missing.

    Raises
    ------
    SceneError
        If it is longer than any setting is.
    """
    if find(group, name) is None:
        return None
    dataset = find_dataset(group, name)
    if math.prod(dataset.shape or ()) * dataset.dtype.itemsize > _LONGEST_SETTING:
        raise SceneError(f"'{name}' in {_path(group)} is too long: {dataset.shape}")
    return None if dataset.shape is None else dataset[()]


def _path(node: Any) -> Path:
    return Path(node.file.filename)


def _describe(link: Any) -> str:
    import h5py

    if isinstance(link, h5py.ExternalLink):
        return f"a link to another file, {link.filename}"
    return f"a link to {link.path}" if isinstance(link, h5py.SoftLink) else "a link"
