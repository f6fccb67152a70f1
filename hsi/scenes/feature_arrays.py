"""Two arrays of features and their labels: rows of a ``.npz`` in place of the pixels of scenes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError, UsageError
from hsi.files import expand_home, usable_path
from hsi.scenes.labels import as_labels
from hsi.scenes.readers.numpy_files import read_npz
from hsi.scenes.scene import Scene


def open_features(
    path: str | os.PathLike[str],
    *,
    first: str = "first",
    second: str = "second",
    labels: str = "labels",
) -> tuple[Scene, Scene]:
    """Read two arrays whose rows belong together.

    Parameters
    ----------
    path : path
        A ``.npz`` file. Pickled objects are never opened.
    first, second : str
        Names of arrays ``(n, features)`` of numbers, of as many rows.
    labels : str
        Name of the array ``(n,)`` of class ids, 0 = unlabelled.

    Returns
    -------
    first, second : Scene
        ``(n, 1, features)``, a row for each row; the first has the labels.

    Raises
    ------
    UsageError
        If there is no such file or array.
    SceneError
        If the file is damaged, or shapes do not fit.
    """
    place = expand_home(usable_path(path, "features"), "features")
    if not place.is_file():
        raise UsageError(f"there is no file {place}\nfeatures (--features) is a .npz file.")
    if place.suffix.lower() != ".npz":
        raise UsageError(
            f"features (--features) come from a .npz file with three arrays, not from {place}"
        )
    one, other = (_features(place, name) for name in (first, second))
    ids = _array(place, labels)
    rows = {first: len(one), second: len(other), labels: ids.size}
    if len(set(rows.values())) > 1 or ids.squeeze().ndim > 1:
        counts = ", ".join(f"'{name}' {number:,}" for name, number in rows.items())
        raise SceneError(
            f"the arrays in {place} do not have a row for each other: {counts}\n"
            "Expected (n, features), (n, features) and (n,)."
        )
    truth = as_labels(ids.reshape(-1, 1), path=place)
    return (
        Scene(name=f"{place.stem} {first}", cube=one, labels=truth),
        Scene(name=f"{place.stem} {second}", cube=other),
    )


def _features(path: Any, name: str) -> NDArray[np.generic]:
    array = _array(path, name)
    if array.ndim != 2:
        raise SceneError(
            f"'{name}' in {path} has the shape {array.shape}; expected (rows, features)"
        )
    return array[:, np.newaxis, :]


def _array(path: Any, name: str) -> NDArray[np.generic]:
    return np.asarray(read_npz(path, key=name, purpose="labels").array)
