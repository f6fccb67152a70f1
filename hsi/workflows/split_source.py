"""Where a split comes from that is not drawn: published maps, another run, or masks in a file."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError, UsageError
from hsi.files import expand_home, usable_path
from hsi.sampling.given import GivenSets
from hsi.scenes import Scene
from hsi.scenes.labels import as_labels
from hsi.scenes.official import official_maps
from hsi.scenes.readers import read_file
from hsi.scenes.regrid import on_grid
from hsi.training.split_file import MASKS, fingerprint, read_split

# What a single array says of a pixel; the place is the number.
SETS = ("unused", "training", "validation", "test")
# Files that may hold an array for each set.
WITH_NAMES = (".npz", ".mat")


class Source(NamedTuple):
    """The pixels of each set as they are given, and what is known of them."""

    given: GivenSets
    name: str
    """In messages, after "the training map of"."""
    adds_labels: bool = False
    """Whether maps label pixels that the scene has no label for."""
    labels: NDArray[np.int32] | None = None
    """``(rows, cols)``: ids that take the place of the scene's."""
    notes: tuple[str, ...] = ()


def official_source(scene: Scene) -> Source:
    """Return the published split of a scene; raises as `official_maps`."""
    maps = official_maps(scene)
    return Source(
        GivenSets(maps.train, None, maps.test),
        f"the official split of {maps.card}",
        adds_labels=maps.adds_labels,
        notes=(f"The official split: {maps.title}.",),
    )


def file_source(scene: Scene, path: str) -> Source:
    """Return the split in a file.

    Parameters
    ----------
    scene : Scene
        With labels.
    path : str
        The folder of a run, or another that holds a ``split.npz``; a ``split.npz``; or masks:
        arrays ``train`` and perhaps ``test`` and ``validation`` in a ``.npz`` or ``.mat`` file, as
        masks or maps of class ids; or one array in any file that labels may be in, with 0 for
        unused pixels, 1 for training, 2 for validation, 3 for the test.

    Raises
    ------
    UsageError
        If there is no such file, or nothing in it can be meant.
    RunError, SceneError
        If the file is damaged.
    """
    place = Path(path)
    if place.is_dir():
        if not (place / "split.npz").is_file():
            raise UsageError(
                f"the folder {place} holds no split.npz\nName a run of `hsi train`, or a file with "
                "masks."
            )
        return _of_run(scene, place / "split.npz")
    if not place.is_file():
        raise UsageError(
            f"there is no file {place}\nsplit_file (--split-file) is a run, its split.npz, or a "
            "file with masks."
        )
    if place.suffix.lower() == ".npz" and _is_of_run(place):
        return _of_run(scene, place)
    named = _named(place) if place.suffix.lower() in WITH_NAMES else {}
    if "train" in named:
        sets = {name: _mask_or_ids(ids) for name, ids in named.items()}
        return Source(GivenSets(**sets), str(place))
    if named:
        raise UsageError(
            f"{place} holds {' and '.join(named)}, but no array train\nExpected masks train, test "
            "and perhaps validation."
        )
    return Source(_numbered(scene, place), str(place))


def lasting_path(path: str) -> str:
    """Return the path of a split in a form that leads to it from any folder."""
    return str(expand_home(usable_path(path, "split_file"), "split_file"))


def _is_of_run(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "about.npy" in archive.namelist()
    except (OSError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
        raise SceneError(f"{path} is damaged or no .npz file: {error}") from error


def _of_run(scene: Scene, path: Path) -> Source:
    split, known, _ = read_split(path)
    split.labelled(scene)  # refuses another scene
    notes = [f"The split is that of {path} ({split.method})."]
    own = split.labels if split.labels is not None else scene.labels
    if known is not None and own is not None and fingerprint(own) != known:
        notes.append(
            f"It was made for other labels than those of {scene.name}: sets may not be what they "
            "were."
        )
    masks = GivenSets(*(getattr(split, name) for name in MASKS))
    return Source(masks, str(path), labels=split.labels, notes=tuple(notes))


def _named(path: Path) -> dict[str, NDArray[np.int32]]:
    """Return the arrays of a file that are called as sets are."""
    found = {}
    for name in MASKS:
        try:
            contents = read_file(path, key=name, purpose="labels")
        except UsageError:  # there is no array of that name
            continue
        found[name] = as_labels(contents.array, path=path)
    return found


def _mask_or_ids(ids: NDArray[np.int32]) -> NDArray[np.bool_] | NDArray[np.int32]:
    return ids > 0 if ids.max() <= 1 else ids


def _numbered(scene: Scene, path: Path) -> GivenSets:
    try:
        contents = read_file(path, key=None, purpose="labels")
    except UsageError as error:
        raise UsageError(
            f"{path} holds several arrays, none of them called 'train'\nExpected masks train, test "
            "and perhaps validation, or one array with 0 for unused pixels, 1 for training, 2 for "
            "validation, 3 for the test."
        ) from error
    sets = as_labels(contents.array, path=path, nodata=contents.nodata)
    if sets.max() >= len(SETS):
        row, col = np.argwhere(sets >= len(SETS))[0]
        raise UsageError(
            f"{path} holds {sets[row, col]} at row {row}, column {col}\nExpected 0 for unused "
            "pixels, 1 for training, 2 for validation, 3 for the test; or arrays train and test."
        )
    if contents.grid is not None:
        sets = on_grid(sets, own=contents.grid, grid=scene.grid, shape=scene.shape[:2], path=path)
    return GivenSets(sets == 1, sets == 2, sets == 3)
