"""The maps of the scenes in a mosaic, each by itself and with its own georeference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hsi.files import folder_name
from hsi.mapping.products import save_map
from hsi.mapping.source import MapClassifier
from hsi.scenes import Scene
from hsi.scenes.mosaic import scene_of


def save_part_maps(
    classifier: MapClassifier,
    scene: Scene,
    class_map: Any,
    folder: Path,
    *,
    seconds: float,
) -> list[Path]:
    """Write the part of `class_map` that belongs to each scene of a mosaic into ``maps/NAME``.

    Parameters
    ----------
    classifier : MapClassifier
        That made the map.
    scene : Scene
        The mosaic; for any other scene, nothing is written.
    class_map : array_like of int
        ``(rows, cols)`` of the mosaic; sliced, never read as a whole.
    folder : Path
        Where ``maps/`` is or will be. What an earlier map of the same mosaic left is replaced.
    seconds : float
        That the whole map took.

    Returns
    -------
    list of Path
        The folders.
    """
    names: dict[str, int] = {}
    folders = []
    for part in scene.parts:
        name = folder_name(part.name)
        names[name] = names.get(name, 0) + 1
        # Tiles in folders of their own may all have the same name.
        target = folder / "maps" / (name if names[name] == 1 else f"{name}-{names[name]}")
        own = scene_of(scene, part)
        save_map(classifier, own, class_map[part.rows, part.cols], target, seconds=seconds)
        folders.append(target)
    return folders
