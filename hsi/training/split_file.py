"""``split.npz``: the pixels of a training, and what must be said of them."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hsi.errors import RunError, UsageError
from hsi.files import atomic_path
from hsi.sampling import Split
from hsi.scenes import Scene
from hsi.sums import check_sum

MASKS = ("train", "validation", "test")


class SplitFile(NamedTuple):
    """What a ``split.npz`` holds."""

    split: Split
    fingerprint: str | None
    """Of the labels that were split; None where nobody wrote it down."""
    cube: str | None
    """`Scene.fingerprint` of the scene; None where nobody wrote it down."""

    def labelled(self, scene: Scene) -> Scene:
        """Return `scene` with the labels that came with the split, if any did and they fit."""
        try:
            return self.split.labelled(scene)
        except UsageError:  # the labels differ, as `is_of` says
            return scene

    def is_of(self, labels: NDArray[np.int32] | None) -> bool:
        """Return whether these are the labels that were split."""
        return labels is not None and fingerprint(labels) == self.fingerprint


def write_split(
    path: Path, split: Split, *, labels: NDArray[np.int32] | None, cube: str | None = None
) -> None:
    """Write a split, all of it or nothing.

    Parameters
    ----------
    path : Path
        A ``.npz`` file.
    split : Split
        What is written; labels that came with it, too.
    labels : ndarray or None
        ``(rows, cols)`` label ids that were split, to be known again later.
    cube : str, optional
        `Scene.fingerprint` of the scene, likewise.
    """
    about = {
        "method": split.method,
        "seed": split.seed,
        "patch_size": split.patch_size,
        "notes": split.notes,
    }
    if labels is not None:
        about["labels"] = fingerprint(labels)
    if cube is not None:
        about["cube"] = cube
    arrays = {name: getattr(split, name) for name in MASKS}
    if split.labels is not None:
        arrays["labels"] = split.labels
    about["sha256"] = _sum(arrays, about)
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **arrays, about=json.dumps(about))


def read_split(path: Path) -> SplitFile:
    """Return what `write_split` wrote.

    Raises
    ------
    RunError
        If the file is missing, damaged, or holds something else.
    """
    check_sum(path)
    if not path.is_file():
        raise RunError(f"{path} is missing\nRestore it from a copy, or train again.")
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            arrays = {name: file[name] for name in (*MASKS, "labels") if name in file}
        if about.pop("sha256", None) != _sum(arrays, about):
            raise ValueError("its sha256 is not the one that it was written with, or it has none")
        known, cube = about.pop("labels", None), about.pop("cube", None)
        split = Split(**arrays, **(about | {"notes": tuple(about["notes"])}))
        return SplitFile(split, known, cube)
    # What NumPy, zipfile and Split raise on files that are cut off or altered.
    except (
        OSError, EOFError, BadZipFile, zlib.error,
        AttributeError, KeyError, RuntimeError, TypeError, ValueError, MemoryError,
    ) as error:  # fmt: skip
        raise RunError(f"{path} is damaged: {error}") from error


def _sum(arrays: Mapping[str, NDArray[np.generic]], about: Mapping[str, Any]) -> str:
    """Return the sha256 of all that a split holds."""
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {values.dtype.str} {values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def fingerprint(labels: NDArray[np.int32]) -> str:
    """Return a text that is another one for other labels."""
    values = np.ascontiguousarray(labels, dtype="<i4")
    return f"{values.shape} {hashlib.sha256(values.tobytes()).hexdigest()}"
