"""The split of a training: of pixels, or by the scenes of a mosaic; and what must be said of it."""

from __future__ import annotations

import dataclasses
from itertools import combinations
from typing import Any

import numpy as np

from hsi.errors import UsageError
from hsi.sampling import Sets, Split, split_pixels, split_scenes
from hsi.scenes import Scene
from hsi.scenes.notes import scene_notes
from hsi.scenes.part import ROLES
from hsi.training import Settings

# Of each class, where the user does not say: of pixels that are split, and of training scenes.
USUAL_SHARE, ALL = 0.1, 1.0


def is_by_scenes(scene: Scene) -> bool:
    """Return whether scenes of a mosaic are kept for validation or test."""
    return any(part.role for part in scene.parts)


def with_split(settings: Settings, scene: Scene, *, asked: str | None = None) -> Settings:
    """Return the settings with the split that suits the scene, and the training pixels it takes.

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
        If another split is asked for than the scenes are there for.
    """
    if not is_by_scenes(scene):
        if settings.split == "scenes":
            raise UsageError(
                "split='scenes' needs scenes that are kept for the test: name them with "
                "--test-dataset (hsi.load_scenes(..., test=...)), or choose another split"
            )
        return settings.changed(train=settings.train or USUAL_SHARE)
    other = asked if asked is not None else settings.split if settings.split == "blocks" else None
    if other not in (None, "scenes"):
        raise UsageError(
            f"split='{other}' divides pixels, but scenes are named for validation or test\n"
            "Leave one of them out: --split, or --validation-dataset and --test-dataset."
        )
    return settings.changed(split="scenes", train=settings.train or ALL)


def split_for(scene: Scene, settings: Settings) -> Split:
    """Split the labelled pixels of `scene`.

    Raises
    ------
    UsageError
        If there are no labels of two classes, or patches are too large for the scene, or for the
        gap between the scenes of a mosaic.
    """
    if scene.labels is None:
        raise UsageError(f"{scene.name} has no labels to learn from; {_where_labels_may_be(scene)}")
    rows, cols = max([part.shape for part in scene.parts] or [scene.shape[:2]], key=min)
    side = settings.side
    if side > min(rows, cols):
        raise UsageError(
            f"a patch of {side}x{side} pixels is larger than the "
            f"scene ({rows}x{cols}); choose a smaller patch_size (--patch-size)"
        )
    if len(scene.class_ids) < 2:
        raise UsageError(
            f"{scene.name} has labels of one class only (id {scene.class_ids[0]}); "
            "to tell classes apart takes at least two"
        )
    assert settings.train is not None
    _check_gap(scene, side)
    how: dict[str, Any] = {
        "train": settings.train,
        "validation": settings.validation,
        "seed": settings.seed,
        "patch_size": side,
        "valid": scene.valid,
    }
    if settings.split == "scenes":
        split = split_scenes(scene.labels, _regions(scene), **how)
    else:
        split = split_pixels(scene.labels, method=settings.split, **how)  # type: ignore[arg-type]
    notes = (*split.notes, *_ground_notes(scene), *scene_notes(scene))
    return dataclasses.replace(split, notes=notes)


def _regions(scene: Scene) -> Sets:
    regions = Sets(*(np.zeros(scene.shape[:2], dtype=bool) for _ in ROLES))
    for part in scene.parts:
        if part.role is not None:
            regions[ROLES.index(part.role)][part.rows, part.cols] = True
    return regions


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
