"""The split of a training: drawn, given, or by the scenes of a mosaic; what must be said of it."""

from __future__ import annotations

import dataclasses
from itertools import combinations
from typing import Any

import numpy as np

from hsi.errors import UsageError
from hsi.sampling import Sets, Split, split_folds, split_given, split_pixels, split_scenes
from hsi.scenes import Scene
from hsi.scenes.notes import scene_notes
from hsi.scenes.part import ROLES
from hsi.training import Settings
from hsi.training.split_settings import GUARDED, usual_train
from hsi.workflows.split_source import Source, file_source, lasting_path, official_source


def is_by_scenes(scene: Scene) -> bool:
    """Return whether scenes of a mosaic are kept for validation or test."""
    return any(part.role for part in scene.parts)


def with_split(settings: Settings, scene: Scene, *, asked: str | None = None) -> Settings:
    """Return the settings with the split that suits the scene, and all that it needs to be known.

    That is the training pixels it takes, and a path of its file that leads there from any folder.

    Parameters
    ----------
    settings : Settings
        Of the training.
    scene : Scene
        What is split.
    asked : str, optional
        The split that the user named for this training.

    Raises
    ------
    UsageError
        If another split is asked for than the scenes are there for, or settings of one split are
        there for another.
    """
    _check_belonging(settings)
    if not is_by_scenes(scene):
        if settings.split == "scenes":
            raise UsageError(
                "split='scenes' needs scenes that are kept for the test: name them with "
                "--test-dataset (hsi.load_scenes(..., test=...)), or choose another split"
            )
        path = settings.split_file
        return settings.changed(
            train=settings.train or usual_train(settings.split),
            split_file=None if path is None else lasting_path(path),
        )
    other = asked if asked is not None else settings.split
    if other != "scenes" and (asked is not None or other != "random"):
        raise UsageError(
            f"split='{other}' divides pixels, but scenes are named for validation or test\n"
            "Leave one of them out: --split, or --validation-dataset and --test-dataset."
        )
    return settings.changed(split="scenes", train=settings.train or usual_train("scenes"))


def prepared(scene: Scene, settings: Settings) -> tuple[Scene, Split]:
    """Return the scene with the labels that are trained on and tested, and how they are split.

    They are the scene's own, unless the split brings some along; raises as `split_for`.
    """
    split = split_for(scene, settings)
    return split.labelled(scene), split


def split_for(scene: Scene, settings: Settings) -> Split:
    """Split the labelled pixels of `scene`; see `prepared` for labels that come with the split.

    Raises
    ------
    UsageError
        If there are no labels of two classes; patches are too large for the scene, or for the gap
        between the scenes of a mosaic; or there is no such split of the scene.
    SceneError, RunError
        If the file of a split is missing or damaged.
    """
    if scene.labels is None:
        raise UsageError(f"{scene.name} has no labels to learn from; {_where_labels_may_be(scene)}")
    check_patches(scene, settings.side)
    check_classes(scene)
    split = _split(scene, settings)
    notes = (*split.notes, *_ground_notes(scene), *scene_notes(scene))
    return dataclasses.replace(split, notes=notes)


def _split(scene: Scene, settings: Settings) -> Split:
    assert scene.labels is not None
    how: dict[str, Any] = {
        "train": settings.train,
        "validation": settings.validation,
        "seed": settings.seed,
        "patch_size": settings.side,
        "valid": scene.valid,
    }
    match settings.split:
        case "scenes":
            return split_scenes(scene.labels, _regions(scene), **how)
        case "official":
            return _given(scene, official_source(scene), "official", how)
        case "file":
            assert settings.split_file is not None
            return _given(scene, file_source(scene, settings.split_file), "file", how)
        case "folds":
            # Seeds 0..folds-1 are the folds of one arrangement, the next ones those of another.
            arrangement, fold = divmod(settings.seed, settings.folds)
            how |= {"seed": arrangement, "fold": fold}
            split = split_folds(scene.labels, folds=settings.folds, guard=settings.guard, **how)
            return dataclasses.replace(split, seed=settings.seed)
        case "random" | "blocks":
            return split_pixels(scene.labels, method=settings.split, guard=settings.guard, **how)


def _given(scene: Scene, source: Source, method: str, how: dict[str, Any]) -> Split:
    labels = scene.labels if source.labels is None else source.labels
    assert labels is not None
    try:
        split = split_given(
            labels,
            source.given,
            method=method,
            name=source.name,
            adds_labels=source.adds_labels,
            **how,
        )
    except UsageError as error:
        if source.name in str(error):
            raise
        raise UsageError(f"{source.name}: {error}") from error
    own = split.labels if source.labels is None else source.labels
    return dataclasses.replace(split, notes=(*source.notes, *split.notes), labels=own)


def _check_belonging(settings: Settings) -> None:
    """Refuse settings of one split beside another, which would not read them."""
    if settings.split == "file" and settings.split_file is None:
        raise UsageError(
            "split='file' needs the file: name a run, its split.npz, or masks as split_file "
            "(--split-file)"
        )
    if settings.split != "file" and settings.split_file is not None:
        raise UsageError(
            f"split_file='{settings.split_file}' is a split of its own, but "
            f"split='{settings.split}' is asked for\nLeave out one of them: --split, --split-file."
        )
    if settings.split not in GUARDED and settings.guard is not None:
        raise UsageError(
            f"guard={settings.guard} is the distance between training and test of "
            f"{' and '.join(GUARDED)}; split='{settings.split}' keeps none\nLeave it out (--guard)."
        )


def _regions(scene: Scene) -> Sets:
    regions = Sets(*(np.zeros(scene.shape[:2], dtype=bool) for _ in ROLES))
    for part in scene.parts:
        if part.role is not None:
            regions[ROLES.index(part.role)][part.rows, part.cols] = True
    return regions


def check_classes(scene: Scene) -> None:
    """Refuse labels of one class only.

    Raises
    ------
    UsageError
        If they are.
    """
    if len(scene.class_ids) < 2:
        raise UsageError(
            f"{scene.name} has labels of one class only (id {scene.class_ids[0]}); "
            "to tell classes apart takes at least two"
        )


def check_patches(scene: Scene, side: int) -> None:
    """Refuse patches that are larger than the scene, or than the gap in a mosaic allows.

    Raises
    ------
    UsageError
        If they are.
    """
    rows, cols = max([part.shape for part in scene.parts] or [scene.shape[:2]], key=min)
    if side > min(rows, cols):
        raise UsageError(
            f"a patch of {side}x{side} pixels is larger than the "
            f"scene ({rows}x{cols}); choose a smaller patch_size (--patch-size)"
        )
    _check_gap(scene, side)


def _check_gap(scene: Scene, patch_size: int) -> None:
    for one, two in combinations(scene.parts, 2):
        if one.distance(two) < patch_size - 1:
            raise UsageError(
                f"{one.name} and {two.name} lie {one.distance(two)} pixels apart in the mosaic; "
                f"patches of {patch_size}x{patch_size} pixels need {patch_size - 1}\n"
                f"Join the scenes with gap={patch_size - 1}."
            )


def _ground_notes(scene: Scene) -> list[str]:
    """Say which scenes of different sets show the same place, which no gap keeps apart."""
    both = [
        (one, two)
        for one, two in combinations(scene.parts, 2)
        if (one.role is None or one.role != two.role) and one.shares_ground(two)
    ]
    if not both:
        return []
    one, two = both[0]
    more = f", and {len(both) - 1} more pairs do" if len(both) > 1 else ""
    return [
        f"{one.name} and {two.name} show partly the same ground{more}: what is learned in one may "
        "be tested in the other, which the overlap does not count."
    ]


def _where_labels_may_be(scene: Scene) -> str:
    arrays = scene.metadata.get("label_arrays", [])
    if arrays:
        listed = ", ".join(f"'{name}'" for name in arrays)
        return (
            f"its file also holds {listed}, which could be them: name it as labels_key "
            f"(--labels-key {arrays[0]})"
        )
    return (
        "name the file that holds them as labels (--labels), or the array in the image's own file "
        "as labels_key (--labels-key)"
    )
