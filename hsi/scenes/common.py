"""What several scenes have in common: bands and classes, or where they contradict each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from hsi.errors import UsageError
from hsi.scenes.bands import REASONS, SAME_BAND_NM, can_hold, with_file_bands
from hsi.scenes.palette import Color
from hsi.scenes.scene import Scene

# In a scene's metadata: its file tells classes by name, and their ids were only counted up.
BY_NAME = "classes_by_name"


def with_common_bands(scenes: Sequence[Scene]) -> tuple[list[Scene], dict[str, int]]:
    """Return the scenes with the bands that all of them hold.

    Returns
    -------
    list of Scene
        In the same order.
    dict
        How many bands of their files are left out, by reason (`hsi.scenes.bands.REASONS`).

    Raises
    ------
    UsageError
        If their bands are not the same.
    """
    first = scenes[0]
    counts: dict[str, int] = {}
    masks = [scene.file_bands for scene in scenes if scene.file_bands is not None]
    if len(masks) == len(scenes) and len({mask.shape for mask in masks}) == 1:
        held = np.logical_or.reduce(masks)
        wanted = held & np.logical_and.reduce([can_hold(scene) for scene in scenes])
        if not wanted.any():
            raise UsageError(
                f"no band is in all of the {len(scenes)} scenes: each lacks others of the "
                f"{wanted.size} in its file"
            )
        scenes = [with_file_bands(scene, wanted) for scene in scenes]
        counts = _left_out(scenes, int(np.count_nonzero(~wanted)))
        first = scenes[0]
    for scene in scenes[1:]:
        _check_same(first, scene)
    return list(scenes), counts


def _left_out(scenes: Sequence[Scene], total: int) -> dict[str, int]:
    """Return how many bands are left out for a reason of every scene; the rest is of some."""
    counts: dict[str, int] = {}
    for name in REASONS:
        in_all = min(int(scene.metadata.get(name, 0)) for scene in scenes)
        counts[name] = min(in_all, total - sum(counts.values()))
    counts["bands_of_some_scenes"] = total - sum(counts.values())
    return {name: count for name, count in counts.items() if count}


def _check_same(one: Scene, two: Scene) -> None:
    hint = "Scenes that train one model must have the same bands."
    if one.bands != two.bands:
        raise UsageError(f"{one.name} has {_bands(one)}, {two.name} has {_bands(two)}\n{hint}")
    if one.wavelengths is None or two.wavelengths is None:
        return
    apart = np.abs(one.wavelengths - two.wavelengths)
    if apart.max() > SAME_BAND_NM:
        worst = int(apart.argmax())
        raise UsageError(
            f"{one.name} and {two.name} have {one.bands} bands, but not the same ones: band "
            f"{worst + 1} lies at {one.wavelengths[worst]:.1f} and {two.wavelengths[worst]:.1f} nm"
            f"\n{hint}"
        )


def _bands(scene: Scene) -> str:
    if scene.wavelengths is None:
        return f"{scene.bands} band{'' if scene.bands == 1 else 's'}"
    low, high = scene.wavelengths.min(), scene.wavelengths.max()
    bands = f"{scene.bands} band{'' if scene.bands == 1 else 's'}"
    return f"{bands} ({low:.1f} to {high:.1f} nm)"


def with_ids_of(scene: Scene, names: Mapping[int, str]) -> Scene:
    """Return a scene whose classes have the ids by which others know them.

    That is so where its file tells classes by name alone, and their ids were only counted up: the
    same name may be another number in another file. Scenes whose file says ids keep them.

    Parameters
    ----------
    scene : Scene
        With or without labels.
    names : mapping
        Class names by id. Names that are not among them get the next ids that are free.
    """
    if scene.labels is None or not scene.metadata.get(BY_NAME):
        return scene
    known = {name: i for i, name in names.items()}
    free = max([0, *names]) + 1
    ids = {}
    for i, name in scene.class_names.items():
        if name not in known:
            known[name], free = free, free + 1
        ids[i] = known[name]
    if all(own == i for own, i in ids.items()):
        return scene
    table = np.zeros(max(ids) + 1, dtype=np.int32)
    table[list(ids)] = list(ids.values())
    return dataclasses.replace(
        scene,
        labels=table[scene.labels],
        class_names={ids[i]: name for i, name in scene.class_names.items()},
        class_colors={ids[i]: color for i, color in scene.class_colors.items()},
    )


def with_common_ids(scenes: Sequence[Scene]) -> list[Scene]:
    """Return the scenes with one id for each name, where their files tell classes by name alone."""
    names: dict[int, str] = {}
    for scene in scenes:
        if not scene.metadata.get(BY_NAME):
            names |= {i: name for i, name in scene.class_names.items() if name != f"class {i}"}
    joined = []
    for scene in scenes:
        joined.append(with_ids_of(scene, names))
        if scene.metadata.get(BY_NAME):
            names |= joined[-1].class_names
    return joined


def common_classes(scenes: Sequence[Scene]) -> tuple[dict[int, str], dict[int, Color]]:
    """Return names and colours by class id, each from the first scene that says it.

    Raises
    ------
    UsageError
        If scenes call a class by different names, or different classes by one.
    """
    names: dict[int, tuple[str, str]] = {}  # with the scene that says so
    colors: dict[int, Color] = {}
    for scene in scenes:
        for i, name in scene.class_names.items():
            # A colour that another class has already is left to be chosen anew.
            color = scene.class_colors.get(i)
            if i not in colors and color is not None and color not in colors.values():
                colors[i] = color
            if name == f"class {i}":  # what a class without a name is called
                continue
            own, who = names.setdefault(i, (name, scene.name))
            if own != name:
                raise UsageError(
                    f"class {i} is {own!r} in {who} and {name!r} in {scene.name}\n"
                    "Scenes that train one model must have the same ids for the same classes."
                )
    ids: dict[str, int] = {}
    for i, (name, who) in names.items():
        if ids.setdefault(name, i) != i:
            other = ids[name]
            raise UsageError(
                f"{name!r} is class {other} in {names[other][1]} and class {i} in {who}\n"
                "Scenes that train one model must have the same ids for the same classes."
            )
    return {i: name for i, (name, _) in names.items()}, colors
