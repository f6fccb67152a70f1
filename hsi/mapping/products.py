"""The files of a map: picture, raster, and how sure it is."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hsi.atomic import temporary_folder
from hsi.errors import RunError
from hsi.evaluation.counts import count_ids
from hsi.files import make_folder_with_sums, move_into_place
from hsi.mapping.source import MapClassifier
from hsi.report import (
    class_map_figure,
    save_figure,
    write_class_map_tif,
    write_confidence_tif,
    write_envi_classification,
    write_scores_tif,
)
from hsi.scenes import Scene
from hsi.scenes.labels import as_labels
from hsi.scenes.readers import read_file
from hsi.sums import remove_sums

Format = Literal["tif", "envi"]

PICTURE = "class_map.png"
RASTERS: dict[Format, str] = {"tif": "class_map.tif", "envi": "class_map.img"}
# What a map may consist of. The first ones are of use alone; the others describe them.
ALONE = (*RASTERS.values(), "confidence.tif", "scores.tif", PICTURE)
BESIDE = ("class_map.tif.aux.xml", "class_map.qml", "class_map.json", "class_map.hdr")
# A picture of a page's width shows no more rows and columns.
PREVIEW = 1500


@dataclass(frozen=True, kw_only=True, eq=False)
class SavedMap:
    """A class map and where it was written.

    Attributes
    ----------
    picture, raster : Path
        `class_map.png`, and `class_map.tif` or `class_map.img`.
    confidence, scores : Path or None
        `confidence.tif` and `scores.tif`, where they were asked for.
    counts : dict
        The number of pixels by label id; 0 is no data.
    seconds : float
        That the computation took; of a map that was continued, its last part.
    notes : tuple of str
        What else should be known.
    """

    picture: Path
    raster: Path
    confidence: Path | None = None
    scores: Path | None = None
    counts: dict[int, int]
    seconds: float
    notes: tuple[str, ...] = ()

    @cached_property
    def class_map(self) -> NDArray[np.int32]:
        """``(rows, cols)`` label ids, 0 = no data; read from the raster when first asked for."""
        found = read_file(self.raster, key=None, purpose="labels")
        return as_labels(found.array, path=self.raster)


def save_map(
    classifier: MapClassifier,
    scene: Scene,
    class_map: NDArray[np.int32],
    folder: Path,
    *,
    seconds: float,
) -> SavedMap:
    """Write `class_map` into `folder`, with the ground truth beside it where there is one."""
    with writing_into(folder):
        make_folder_with_sums(folder)
        with temporary_folder(folder) as made:
            write_products(Path(made), classifier, scene, class_map=class_map)
            put_in_place(Path(made), folder, removing=())
    return SavedMap(
        picture=folder / PICTURE,
        raster=folder / RASTERS["tif"],
        counts=count_ids(class_map),
        seconds=seconds,
    )


def save_raster(
    classifier: MapClassifier, scene: Scene, class_map: NDArray[np.int32], folder: Path
) -> None:
    """Write `class_map` into `folder` as a raster, and nothing else."""
    with writing_into(folder), temporary_folder(folder) as made:
        write_class_map_tif(
            Path(made) / RASTERS["tif"],
            class_map,
            names=scene.class_names | classifier.class_names,
            colors=scene.class_colors | classifier.class_colors,
            grid=scene.grid,
        )
        put_in_place(Path(made), folder, removing=())


def write_products(
    folder: Path,
    classifier: MapClassifier,
    scene: Scene,
    *,
    class_map: Any,
    confidence: Any = None,
    scores: Any = None,
    format: Format = "tif",
) -> None:
    """Write the files of a map into `folder`.

    Parameters
    ----------
    folder : Path
        Exists.
    classifier : MapClassifier
        Whose map it is.
    scene : Scene
        That was mapped.
    class_map : array_like of int
        ``(rows, cols)`` label ids.
    confidence : array_like of uint8, optional
        ``(rows, cols)`` percent.
    scores : array_like of float, optional
        ``(classes, rows, cols)`` logits, NaN where no data is.
    format : {"tif", "envi"}
        Of the class map.
    """
    # The labels of another scene may hold classes that the classifier does not know.
    names = scene.class_names | classifier.class_names
    colors = scene.class_colors | classifier.class_colors
    write = {"tif": write_class_map_tif, "envi": write_envi_classification}[format]
    write(folder / RASTERS[format], class_map, names=names, colors=colors, grid=scene.grid)
    if confidence is not None:
        write_confidence_tif(folder / "confidence.tif", confidence, grid=scene.grid)
    if scores is not None:
        write_scores_tif(
            folder / "scores.tif",
            scores,
            names=[classifier.class_names[i] for i in classifier.class_ids.tolist()],
            quantity="logit",
            grid=scene.grid,
        )
    step = math.ceil(max(class_map.shape) / PREVIEW)
    figure = class_map_figure(
        # Row by row, since one of a file may be larger than memory.
        np.stack(
            [np.asarray(class_map[row])[::step] for row in range(0, class_map.shape[0], step)]
        ),
        labels=None if scene.labels is None else scene.labels[::step, ::step],
        names=names,
        colors=colors,
        title=f"{scene.name}: {classifier.name}",
        step=step,
    )
    save_figure(figure, folder / PICTURE)


def put_in_place(made: Path, folder: Path, *, removing: tuple[str, ...]) -> None:
    """Move the files in `made` to `folder`, on the same disk.

    Files that describe others, and those to be removed, go first: whoever looks in between finds
    nothing that describes another map.
    """
    new = {path.name for path in made.iterdir()}
    replaced = [name for name in BESIDE if new & set(RASTERS.values())]
    for name in {*replaced, *removing} - (new & set(ALONE)):
        (folder / name).unlink(missing_ok=True)
    for name in sorted(new, key=lambda name: name in BESIDE):
        move_into_place(made / name, folder / name)


@contextmanager
def writing_into(folder: Path) -> Iterator[None]:
    """Turn what goes wrong within the block into a RunError, and leave no empty folder behind."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        yield
    except OSError as error:
        raise RunError(f"cannot write the map into {folder}: {error.strerror or error}") from error
    finally:
        for each in missing:
            remove_sums(each)
            if not each.is_dir() or any(each.iterdir()):
                break
            each.rmdir()


def as_record(
    saved: SavedMap, facts: Mapping[str, Any], plan: Mapping[str, Any], names: Mapping[int, str]
) -> dict[str, Any]:
    """Return what `map.json` says of a map: what it was made of, and what came out."""
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        **facts,
        "plan": dict(plan),
        "seconds": round(saved.seconds, 3),
        "classes": [
            {"id": each, "name": names.get(each, "no data"), "pixels": count}
            for each, count in saved.counts.items()
        ],
    }
