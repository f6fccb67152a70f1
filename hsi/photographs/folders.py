"""Folders of photographs: one folder for each class, in one or several sets."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsi.errors import PhotographError, UsageError
from hsi.files import usable_path
from hsi.photographs.counted import counted
from hsi.photographs.decode import SUFFIXES
from hsi.photographs.store import Unreadable

# What the folder of a set may be called.
SETS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
}


@dataclass(frozen=True, eq=False)
class ClassFolder:
    """The photographs of one set.

    Attributes
    ----------
    path : Path
        The folder that holds the folders of the classes.
    class_names : tuple of str
        Their names, sorted.
    paths : tuple of Path
        ``N`` files, sorted by class and name.
    targets : ndarray
        ``(N,)`` class of each, a place in `class_names`.
    empty : tuple of str
        Folders without photographs, which make no class.
    aside : tuple of Path
        Photographs in `path` itself, which have no class.
    not_entered : tuple of Unreadable
        Folders within those of the classes that were not looked into.
    """

    path: Path
    class_names: tuple[str, ...]
    paths: tuple[Path, ...]
    targets: NDArray[np.int64]
    empty: tuple[str, ...] = ()
    aside: tuple[Path, ...] = ()
    not_entered: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, eq=False)
class PhotographSets:
    """The sets that a folder holds; what it lacks is None."""

    train: ClassFolder
    validation: ClassFolder | None
    test: ClassFolder | None
    notes: tuple[str, ...]
    """What was found in the folder and is not used."""


def open_sets(root: Path) -> PhotographSets:
    """Find the photographs of a folder.

    Either the folder holds ``train/`` and, if there are any, ``validation/`` and ``test/``, each
    with one folder for each class; or it holds the folders of the classes itself, which are then
    all for training. Photographs may lie in folders within those.

    Raises
    ------
    PhotographError
        If the folder is not there or cannot be read, or holds no photographs or no classes, or
        sets without one for training.
    UsageError
        If only one class has photographs, or two folders have names that differ in case only,
        or the name of a class is not in UTF-8.
    """
    if not root.is_dir():
        what = "a file" if root.exists() else "not there"
        raise PhotographError(
            f"the folder of photographs {root} is {what}\n"
            "Expected a folder that holds one folder for each class."
        )
    found = _subfolders(root)
    _check_distinct(root, (folder.name for folder in found))
    folders = {folder.name.lower(): folder for folder in found}
    known = {
        name: next((folders[each] for each in spellings if each in folders), None)
        for name, spellings in SETS.items()
    }
    train = known["train"]
    others = [each for each in folders.values() if each not in known.values()]
    if train is None and folders and not others:
        raise PhotographError(
            f"{root} holds {' and '.join(folders)}, but no folder train to learn from\n"
            "Add it, or give the classes other names if that is what they are."
        )
    # A folder "train" may be the class of railway trains, beside those of cars and buses.
    if train is None or (others and not _subfolders(train)):
        return PhotographSets(_open(root), None, None, ())
    notes = [f"{each} is neither train, validation nor test, and not used." for each in others]
    if aside := _photographs_in(root):
        notes.append(
            f"Not used: {counted(len(aside), 'photograph')} beside the folder train in {root} "
            f"({_listed(each.name for each in aside)})."
        )
    held_out: dict[str, ClassFolder | None] = {"validation": None, "test": None}
    for name in held_out:
        folder = known[name]
        if folder is None:
            continue
        if not _subfolders(folder):
            notes.append(
                f"{folder} has no folders of classes, so that nothing can be tested on it."
            )
            continue
        held_out[name] = _open(folder, alone=False)
    return PhotographSets(_open(train), **held_out, notes=tuple(notes))


def find_photographs(path: Path) -> tuple[list[Path], list[Unreadable]]:
    """Find the photographs in a folder and the folders within it; or take the file itself.

    A file in a folder is a photograph by its suffix (`SUFFIXES`), unless its name begins with a
    dot. A file that is named itself need not have a known suffix. The paths begin with `path` as
    it was given.

    Returns
    -------
    list of Path, list of Unreadable
        The photographs, sorted; and the folders that were not looked into: links, which might lead
        round in circles, and what may not be read.

    Raises
    ------
    PhotographError
        If there is nothing at `path`.
    """
    if path.is_file():
        return [path], []
    if not path.is_dir():
        raise PhotographError(f"{path} is not there; expected photographs, or a folder of them")
    found: list[Path] = []
    refused: list[OSError] = []
    not_entered: list[Unreadable] = []
    for folder, subfolders, files in os.walk(path, onerror=refused.append):
        subfolders[:] = sorted(each for each in subfolders if not each.startswith("."))
        links = [Path(folder, each) for each in subfolders if Path(folder, each).is_symlink()]
        not_entered += [Unreadable(each, "a link, which is not followed") for each in links]
        photographs = [Path(folder, each) for each in files if _is_photograph(each)]
        found += [each for each in photographs if each.is_file() or not each.exists()]
        others = [each for each in photographs if each.exists() and not each.is_file()]
        not_entered += [Unreadable(each, "a pipe, socket or device") for each in others]
    not_entered += [
        Unreadable(Path(error.filename), error.strerror or str(error)) for error in refused
    ]
    return sorted(found), not_entered


def class_key(name: str) -> str:
    """Return what is equal for names that mean the same class.

    File systems write accented letters in one way or the other, and people write capitals or not.
    """
    return unicodedata.normalize("NFC", name).casefold()


def _open(root: Path, *, alone: bool = True) -> ClassFolder:
    """Open a set; one that stands alone must have two classes at least."""
    folders = _subfolders(root)
    aside = _photographs_in(root)
    if not folders:
        what = f"{counted(len(aside), 'photograph')}, but no folders" if aside else "no folders"
        raise PhotographError(
            f"{root} holds {what}; expected one folder for each class\n"
            f"For example {root / 'cats'} and {root / 'dogs'}: their names are the classes' names."
        )
    walks = {each.name: find_photographs(each) for each in folders}
    not_entered = tuple(each for _, others in walks.values() for each in others)
    found_in = {name: paths for name, (paths, _) in walks.items() if paths}
    empty = tuple(name for name in walks if name not in found_in)
    if not found_in:
        raise PhotographError(
            f"no photographs in the folders of {root}: {_listed(each.name for each in folders)}\n"
            f"Known suffixes: {_listed(sorted(SUFFIXES))}"
        )
    _check_distinct(root, found_in)
    for name in found_in:
        usable_path(root / name, "the folder of a class")
    if alone and len(found_in) < 2:
        raise _one_class(root, next(iter(found_in)), empty=empty, aside=aside)
    names = sorted(found_in)
    paths = [path for name in names for path in found_in[name]]
    targets = np.repeat(np.arange(len(names)), [len(found_in[name]) for name in names])
    return ClassFolder(
        path=root,
        class_names=tuple(names),
        paths=tuple(paths),
        targets=targets.astype(np.int64),
        empty=empty,
        aside=tuple(aside),
        not_entered=not_entered,
    )


def _one_class(root: Path, name: str, *, empty: Sequence[str], aside: Sequence[Path]) -> UsageError:
    """Return the error for a single class, with the likeliest reason."""
    deeper = [each.name for each in _subfolders(root / name)]
    if len(deeper) > 1:
        hint = f"If {_listed(deeper)} in it are what you mean, give {root / name}."
    elif empty:
        hint = f"{_listed(empty)}: no file there has a known suffix ({_listed(sorted(SUFFIXES))})."
    elif aside:
        hint = (
            f"{counted(len(aside), 'photograph')} beside that folder "
            f"{'has' if len(aside) == 1 else 'have'} no class: put a folder around each class."
        )
    else:
        hint = f"Add a folder for each other class, beside {root / name}."
    return UsageError(
        f"{root} has photographs of one class only ({name}); "
        f"to tell classes apart takes at least two\n{hint}"
    )


def _subfolders(root: Path) -> list[Path]:
    try:
        return sorted(
            each for each in root.iterdir() if each.is_dir() and not each.name.startswith(".")
        )
    except OSError as error:
        raise PhotographError(f"cannot read the folder {root}: {error.strerror}") from error


def _photographs_in(root: Path) -> list[Path]:
    """Return the photographs in a folder itself, sorted."""
    return sorted(each for each in root.iterdir() if _is_photograph(each.name) and each.is_file())


def _is_photograph(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")


def _check_distinct(root: Path, names: Iterable[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(class_key(name), name)
        if other != name:
            raise UsageError(
                f"{root} has folders '{other}' and '{name}', which differ in case only\n"
                "Put their photographs into one folder, or give one of them another name."
            )


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
