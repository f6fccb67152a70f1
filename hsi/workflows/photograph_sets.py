"""The photographs of a folder, decoded, with set and class of each, and what is amiss with them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import PhotographError, UsageError
from hsi.photographs import (
    ClassFolder,
    Decoded,
    PhotographSets,
    class_difference,
    copies_between,
    decode_all,
    draw_validation,
    equal_groups,
)
from hsi.photographs.audit import match_targets
from hsi.report import photograph_words as words

SETS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True, eq=False)
class ReadSets:
    """Every photograph that could be read; the arrays are in the order of `decoded`.

    Attributes
    ----------
    root : Path
        The folder of all.
    decoded : Decoded
        Pixels and hashes.
    paths : tuple of Path
        ``N`` files.
    within : tuple of str
        Their paths within the folder of the set: the folder of the class comes first.
    class_names : tuple of str
        The classes of the training.
    targets : ndarray
        ``(N,)`` of these classes; -1 where the class of a held-out photograph is none of them.
    folder_names : tuple of str
        The class of each by the name of its folder.
    sets : ndarray
        ``(N,)`` place in `SETS`.
    drawn : bool
        Whether the validation photographs were drawn from those in the training folder.
    notes : tuple of str
        What is amiss, in words.
    findings : dict
        The same for programs: ``unreadable``, ``not_entered``, ``class_differences``,
        ``conflicting_copies``, ``repeated_in_training``, ``enlarged``.
    """

    root: Path
    decoded: Decoded
    paths: tuple[Path, ...]
    within: tuple[str, ...]
    class_names: tuple[str, ...]
    targets: NDArray[np.int64]
    folder_names: tuple[str, ...]
    sets: NDArray[np.int64]
    drawn: bool
    notes: tuple[str, ...]
    findings: dict[str, Any]

    def of(self, name: str) -> NDArray[np.int64]:
        """Return the places of the photographs of a set whose class is known."""
        return np.flatnonzero((self.sets == SETS.index(name)) & (self.targets >= 0))

    def copies(self, name: str) -> NDArray[np.bool_]:
        """Return which photographs of a held-out set had a part in the training.

        For the test, the validation is a part of the training: it chooses the weights.
        """
        hashes = self.decoded.hashes
        known = [hashes[place] for place in np.flatnonzero(self.sets < SETS.index(name))]
        return copies_between(known, [hashes[place] for place in self.of(name)])

    @cached_property
    def fingerprint(self) -> str:
        """A sum over what is learned from and tested on: which files, in which set, what pixels."""
        total = hashlib.sha256()
        for each in zip(self.within, self.sets.tolist(), self.decoded.hashes, strict=True):
            total.update(repr(each).encode("utf-8", "surrogateescape"))
        return total.hexdigest()

    def short(self, place: int) -> str:
        """Return the path of a photograph within the folder."""
        return shown_path(self.paths[place], self.root)

    def original_of(self, place: int) -> int:
        """Return the place of the first photograph that a copy equals."""
        return self.decoded.hashes.index(self.decoded.hashes[place])


def read_sets(
    root: Path,
    sets: PhotographSets,
    *,
    side: int,
    size: int,
    validation: float,
    seed: int,
    folder: Path,
    progress: Callable[[int, int], None] | None,
) -> ReadSets:
    """Decode all photographs of `sets` and draw those for validation.

    Parameters
    ----------
    root : Path
        The folder of all.
    sets : PhotographSets
        What was found in it.
    side, size : int
        Of the squares that are kept, and of those that the network sees.
    validation : float
        Share of the training photographs that is drawn; 0 for none.
    seed : int
        Of the draw.
    folder : Path
        Where the pixels are kept, without a name.
    progress : callable, optional
        Told how many of how many are read.

    Raises
    ------
    PhotographError
        If no photograph of a class could be read, or none of a held-out set that has a class of
        the training.
    UsageError
        If a class has too few.
    """
    folders = [each for each in (sets.train, sets.validation, sets.test) if each is not None]
    numbers = [i for i, each in enumerate((sets.train, sets.validation, sets.test)) if each]
    paths = [path for each in folders for path in each.paths]
    decoded = decode_all(paths, side=side, folder=folder, progress=progress)
    names = sets.train.class_names
    targets = np.concatenate([match_targets(f.targets, f.class_names, to=names) for f in folders])
    of_set = np.repeat(numbers, [len(each.paths) for each in folders])[decoded.places]
    targets = targets[decoded.places]
    _check_readable(sets.train, targets[of_set == 0], decoded)
    for number, held_out in ((1, sets.validation), (2, sets.test)):
        if held_out and not (targets[of_set == number] >= 0).any():
            raise PhotographError(
                f"nothing can be tested on {held_out.path}: of the classes of the training, no "
                "photograph there could be read\nMend the photographs, or take the folder away."
            )
    within = [shown_path(path, each.path) for each in folders for path in each.paths]
    own = [name for f in folders for name in np.array(f.class_names, dtype=object)[f.targets]]
    if validation:
        train = np.flatnonzero(of_set == 0)
        drawn = draw_validation(
            targets[train],
            [decoded.hashes[place] for place in train],
            class_names=names,
            share=validation,
            seed=seed,
        )
        of_set[train[drawn]] = 1
    read = ReadSets(
        root=root,
        decoded=decoded,
        paths=tuple(paths[place] for place in decoded.places),
        within=tuple(within[place] for place in decoded.places),
        class_names=names,
        targets=targets,
        folder_names=tuple(str(own[place]) for place in decoded.places),
        sets=of_set,
        drawn=bool(validation),
        notes=(),
        findings={},
    )
    notes, findings = _audit(read, sets, size=size)
    return ReadSets(**{**read.__dict__, "notes": notes, "findings": findings})


def shown_path(path: Path, root: Path) -> str:
    """Return a path within the folder, with slashes."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def check_held_out(sets: PhotographSets) -> None:
    """Refuse held-out sets that have no class in common with the training.

    Raises
    ------
    UsageError
        With both lists of names.
    """
    for held_out in (sets.validation, sets.test):
        if held_out is None:
            continue
        difference = class_difference(sets.train.class_names, held_out.class_names)
        if difference and len(difference.extra) == len(held_out.class_names):
            raise UsageError(
                f"{sets.train.path} and {held_out.path} have no class in common\n"
                f"The first has {', '.join(difference.train[:10])};\n"
                f"the second has {', '.join(difference.other[:10])}.\n"
                "The folder of a class needs the same name in both."
            )


def _check_readable(train: ClassFolder, targets: NDArray[np.int64], decoded: Decoded) -> None:
    for target, name in enumerate(train.class_names):
        if not (targets == target).any():
            first = next(
                each for each in decoded.unreadable if each.path.is_relative_to(train.path / name)
            )
            raise PhotographError(
                f"no photograph in {train.path / name} could be read; the first is {first.path}:\n"
                f"{first.reason}"
            )


def _audit(
    read: ReadSets, sets: PhotographSets, *, size: int
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Look for what people trip over, before anything is learned."""
    notes: list[str | None] = list(sets.notes)
    differences: dict[str, Any] = {}
    own = shown_path(sets.train.path, read.root)
    for number, held_out in ((1, sets.validation), (2, sets.test)):
        if held_out is None:
            continue
        found = class_difference(sets.train.class_names, held_out.class_names)
        if found:
            left_out = int(((read.sets == number) & (read.targets < 0)).sum())
            differences[SETS[number]] = asdict(found) | {"left_out": left_out}
            others = shown_path(held_out.path, read.root)
            notes.append(words.class_sentence(folders=(own, others), **differences[SETS[number]]))
    opened = [each for each in (sets.train, sets.validation, sets.test) if each]
    empty = [
        f"{shown_path(each.path, read.root)}/{name}".removeprefix("./")
        for each in opened
        for name in each.empty
    ]
    if empty:
        notes.append(f"Folders without photographs make no class: {', '.join(empty)}.")
    for each in opened:
        names = [path.name for path in each.aside]
        notes.append(words.aside_sentence(names, folder=str(each.path)))
    not_entered = {
        shown_path(skipped.path, read.root): skipped.reason
        for each in opened
        for skipped in each.not_entered
    }
    notes.append(words.not_entered_sentence(not_entered))
    # Of the training folder, that is before validation photographs were drawn from it.
    train = [
        place for place, each in enumerate(read.sets) if each == 0 or (each == 1 and read.drawn)
    ]
    groups = [
        [train[each] for each in group]
        for group in equal_groups([read.decoded.hashes[place] for place in train])
    ]
    conflicts = [group for group in groups if len(set(read.targets[group])) > 1]
    shown = [[read.short(place) for place in group] for group in conflicts]
    notes.append(words.conflicts_sentence(shown))
    repeated = sum(len(group) - len(set(read.targets[group])) for group in groups)
    notes.append(words.copies_within_sentence(repeated))
    unreadable = {shown_path(each.path, read.root): each.reason for each in read.decoded.unreadable}
    notes.append(words.unreadable_sentence(unreadable))
    small = int((read.decoded.shorter_sides < size).sum())
    notes.append(words.enlarged_sentence(small=small, total=len(read.paths), side=size))
    return tuple(note for note in notes if note), {
        "unreadable": [{"photograph": name, "reason": why} for name, why in unreadable.items()],
        "class_differences": differences,
        "conflicting_copies": shown,
        "repeated_in_training": repeated,
        "not_entered": [{"folder": name, "reason": why} for name, why in not_entered.items()],
        "enlarged": small,
    }
