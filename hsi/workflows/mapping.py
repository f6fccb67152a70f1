"""Maps of scenes of any size: computed in strips, kept when interrupted, written as files."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import torch

from hsi.files import folder_name, usable_path
from hsi.inference import Method, Precision, resolve_device
from hsi.mapping import Format, MapJob, Progress, SavedMap, check_format, check_map_folder
from hsi.mapping.facts import scene_facts
from hsi.mapping.tiles import LocalTiles, MapTiles
from hsi.scenes import Scene, open_scene
from hsi.scenes.common import with_ids_of
from hsi.scenes.levels import level_notes
from hsi.scenes.trained_bands import comparison_notes, match_bands
from hsi.training import Run
from hsi.workflows.cluster import Cluster
from hsi.workflows.cluster.map_strips import strips_of_scene
from hsi.workflows.map_facts import classifier_facts, versions_of_numbers

__all__ = ["SavedMap", "map_scene", "prepare_map"]


def map_scene(
    run: Run,
    scene: Scene | None = None,
    *,
    out: Path | str | None = None,
    method: Method = "auto",
    device: str | torch.device = "auto",
    precision: Precision = "full",
    max_memory: int | str | None = None,
    confidence: bool = False,
    scores: bool = False,
    format: Format = "tif",
    resample_bands: bool = False,
    resume: bool = False,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> SavedMap:
    """Map every pixel of a scene of any size and write the map as picture and as raster.

    The scene is read and mapped in strips, each row once. What is done is kept in the folder: a
    map that was interrupted can be continued, and is then the same to the last byte (on the same
    machine, with as many threads).

    Parameters
    ----------
    run : Run
        Whose classifier is used.
    scene : Scene, optional
        Without, the scene that the run was trained on.
    out : path, optional
        Folder for the files. Without, the run folder itself, or for another scene, precision or
        format ``maps/NAME`` in it, with a number where that is taken. Files of another map that
        are there are replaced when the new map is complete, and not before.
    method, device, precision
        As for `hsi.predict_scene`.
    max_memory : int or str, optional
        The most that the computation may take, beside the network and what `scene` itself holds:
        bytes, or a text such as ``"2G"``. Default: a quarter of what is free, on a CPU at most 1G,
        beyond which maps get no faster.
    confidence : bool
        Whether to write `confidence.tif`, the probability of the mapped class in percent.
    scores : bool
        Whether to write `scores.tif`, the logits of all classes.
    format : {"tif", "envi"}
        Of the class map: cloud-optimised GeoTIFF, or ENVI classification.
    resample_bands : bool
        Whether spectra of other bands are resampled to those of the run.
    resume : bool
        Whether to continue an unfinished map of the same scene; a map that is complete is left as
        it is. Without, an unfinished map is begun anew.
    cluster : Cluster, optional
        Whose workers compute the tiles (see `hsi.workflows.cluster.open_cluster`); they open the
        scene by its `Scene.source`, and `device` and `max_memory` are those of each of them. The
        files are the same.
    progress : callable, optional
        Told how many rows of how many are done.

    Returns
    -------
    SavedMap
        Where the files are, and how many pixels each class has.

    Raises
    ------
    UsageError
        If the bands of the scene are not those of the run, or an argument cannot be meant.
    SceneError
        If the scene cannot be read, or a pixel seems to hold a fill value.
    RunError
        If the folder cannot be written, is that of a run, or holds files of the names of the map's
        that this package did not write; or the unfinished map in it is of something else.
    ClusterError
        If the cluster does not answer any more, or a tile ends worker after worker.
    KeyboardInterrupt
        With a note that says what is kept, and how to go on.
    """
    job = prepare_map(
        run, scene, out=out, method=method, device=device, precision=precision,
        max_memory=max_memory, confidence=confidence, scores=scores, format=format,
        resample_bands=resample_bands, resume=resume, cluster=cluster,
    )  # fmt: skip
    return job.make(progress=progress)


def prepare_map(
    run: Run,
    scene: Scene | None = None,
    *,
    out: Path | str | None = None,
    method: Method = "auto",
    device: str | torch.device = "auto",
    precision: Precision = "full",
    max_memory: int | str | None = None,
    confidence: bool = False,
    scores: bool = False,
    format: Format = "tif",
    resample_bands: bool = False,
    resume: bool = False,
    cluster: Cluster | None = None,
) -> MapJob:
    """Return the map that `map_scene` makes of the same arguments, ready to be made."""
    check_format(format, run.classifier.class_ids)
    own = scene is None
    scene = scene or open_scene(run.source)
    given, classifier = scene, run.classifier
    scene = match_bands(scene, classifier.bands, resample=resample_bands)
    scene = with_ids_of(scene, classifier.class_names)
    names = ("class_map", *["confidence"] * confidence, *["scores"] * scores)
    of_scene = scene_facts(scene)

    @functools.cache  # workers that begin ahead are at what is asked for later
    def planned(**plan: Any) -> MapTiles:
        if cluster is not None:
            return strips_of_scene(
                cluster, run, scene, facts=of_scene, names=names, device=device,
                resample_bands=resample_bands, precision=precision, **plan,
            )  # fmt: skip
        scored = classifier.tiles(scene, device=device, precision=precision, **plan)
        return LocalTiles(tiles=scored, classifier=classifier, names=names)

    def tiles(**plan: Any) -> MapTiles:
        return planned(**{"method": method, "max_memory": max_memory} | plan)

    def place(job: MapJob) -> Path:
        if out is not None:
            folder = usable_path(out, "out")
            check_map_folder(folder, own=run.path if own or _is_of(run, given) else None)
            return folder
        if own and precision == "full" and format == "tif":
            return run.path
        kind = "" if precision == "full" else f"-{precision}"
        return job.free_folder(run.path / "maps" / (folder_name(given.name) + kind))

    where = resolve_device(device).type if cluster is None else cluster.agreed(device).device
    return MapJob(
        classifier=classifier,
        scene=scene,
        tiles=tiles,
        place=place,
        resume=resume,
        facts={
            "scene": of_scene,
            "classifier": classifier_facts(classifier),
            "options": {
                "method": method,
                "precision": precision,
                "device": where,
                "confidence": confidence,
                "scores": scores,
            } | ({} if max_memory is None else {"max_memory": str(max_memory)}),
            "versions": versions_of_numbers(),
        },
        format=format,
        notes=()
        if own
        else comparison_notes(given, classifier.bands) + level_notes(scene, classifier.reduction),
    )  # fmt: skip


def _is_of(run: Run, scene: Scene) -> bool:
    return bool(scene.source) and scene.source == run.config["scene"]
