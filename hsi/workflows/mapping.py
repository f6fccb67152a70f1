"""Class maps as files, of the scene of a run or of another one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.errors import RunError
from hsi.files import folder_name, free_path, usable_path
from hsi.inference import Precision
from hsi.report import class_map_figure, save_figure, write_class_map_tif
from hsi.scenes import Scene, load_scene
from hsi.training import Classifier, Run


@dataclass(frozen=True, kw_only=True, eq=False)
class SavedMap:
    """A class map and where it was written."""

    class_map: NDArray[np.int32]
    picture: Path
    raster: Path
    seconds: float


def map_scene(
    run: Run,
    scene: Scene | None = None,
    *,
    out: Path | str | None = None,
    method: Literal["auto", "dense", "patches"] = "auto",
    device: str | torch.device = "auto",
    precision: Precision = "full",
) -> SavedMap:
    """Map every pixel of a scene and write the map as picture and as raster.

    Parameters
    ----------
    run : Run
        Whose classifier is used.
    scene : Scene, optional
        Without, the scene that the run was trained on.
    out : path, optional
        Folder for `class_map.png` and `class_map.tif`. Without, the run folder itself, or for
        another scene or precision ``maps/NAME`` in it, with a number where that is taken.
    method, device, precision
        As for `hsi.predict_scene`.

    Raises
    ------
    UsageError
        If the bands of the scene are not those of the run.
    RunError
        If the folder cannot be written.
    """
    if out is not None:
        folder = usable_path(out, "out")
    elif scene is None and precision == "full":
        folder = run.path
    else:
        scene = scene or load_scene(**run.source)
        kind = "" if precision == "full" else f"-{precision}"
        folder = free_path(run.path / "maps" / (folder_name(scene.name) + kind))
    scene = scene or load_scene(**run.source)
    start = time.perf_counter()
    class_map = run.classifier.class_map(scene, method=method, device=device, precision=precision)
    seconds = time.perf_counter() - start
    return save_map(run.classifier, scene, class_map, folder, seconds=seconds)


def save_map(
    classifier: Classifier,
    scene: Scene,
    class_map: NDArray[np.int32],
    folder: Path,
    *,
    seconds: float,
) -> SavedMap:
    """Write `class_map` into `folder`, with the ground truth beside it where there is one."""
    picture, raster = folder / "class_map.png", folder / "class_map.tif"
    # The labels of another scene may hold classes that the classifier does not know.
    names = scene.class_names | classifier.class_names
    colors = scene.class_colors | classifier.class_colors
    figure = class_map_figure(
        class_map, labels=scene.labels, names=names, colors=colors, title=scene.name
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_figure(figure, picture)
        write_class_map_tif(raster, class_map, names=names, colors=colors)
    except OSError as error:
        raise RunError(f"cannot write the map into {folder}: {error.strerror or error}") from error
    return SavedMap(class_map=class_map, picture=picture, raster=raster, seconds=seconds)
