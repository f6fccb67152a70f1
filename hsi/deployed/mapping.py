"""Maps of scenes by an exported classifier: the files are those that a run makes."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from hsi.deployed.onnx_classifier import OnnxClassifier
from hsi.errors import UsageError
from hsi.files import folder_name, usable_path
from hsi.mapping import Format, MapJob, Progress, SavedMap, check_format, check_map_folder
from hsi.mapping.facts import scene_facts
from hsi.mapping.tiles import LocalTiles
from hsi.scenes import Scene
from hsi.scenes.common import with_ids_of
from hsi.scenes.levels import level_notes
from hsi.scenes.trained_bands import comparison_notes, match_bands


def map_onnx(
    model: OnnxClassifier | Path | str,
    scene: Scene,
    *,
    out: Path | str | None = None,
    max_memory: int | str | None = None,
    confidence: bool = False,
    scores: bool = False,
    format: Format = "tif",
    resample_bands: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
) -> SavedMap:
    """Map every pixel of a scene of any size with an exported classifier, without PyTorch.

    Parameters
    ----------
    model : OnnxClassifier or path
        What `hsi export` wrote.
    scene : Scene
        To be mapped.
    out : path, optional
        Folder for the files. Without, ``maps/NAME`` beside the file of the model, with a number
        where that is taken.
    max_memory : int or str, optional
        As for `OnnxClassifier.tiles`.
    confidence, scores, format, resample_bands, resume, progress
        As for `hsi.map_scene`.

    Returns
    -------
    SavedMap
        Where the files are, and how many pixels each class has.

    Raises
    ------
    UsageError
        If the bands of the scene are not those of the classifier, an argument cannot be meant, or
        onnx or onnxruntime is not installed.
    SceneError
        If the scene cannot be read, or a pixel seems to hold a fill value.
    RunError
        If the file is damaged or not one of `hsi export`; else as for `hsi.map_scene`.
    """
    job = prepare_onnx(
        model, scene, out=out, max_memory=max_memory, confidence=confidence, scores=scores,
        format=format, resample_bands=resample_bands, resume=resume,
    )  # fmt: skip
    return job.make(progress=progress)


def prepare_onnx(
    model: OnnxClassifier | Path | str,
    scene: Scene,
    *,
    out: Path | str | None = None,
    max_memory: int | str | None = None,
    confidence: bool = False,
    scores: bool = False,
    format: Format = "tif",
    resample_bands: bool = False,
    resume: bool = False,
) -> MapJob:
    """Return the map that `map_onnx` makes of the same arguments, ready to be made."""
    classifier = model if isinstance(model, OnnxClassifier) else OnnxClassifier(model)
    if not isinstance(scene, Scene):
        raise UsageError(
            f"the scene is a {type(scene).__name__}; expected a Scene, as hsi.load_scene gives it"
        )
    check_format(format, classifier.class_ids)
    scene = match_bands(scene, classifier.bands, resample=resample_bands)
    scene = with_ids_of(scene, classifier.class_names)
    names = ("class_map", *["confidence"] * confidence, *["scores"] * scores)

    def tiles(**plan: Any) -> LocalTiles:
        scored = classifier.tiles(scene, max_memory=plan.get("max_memory", max_memory))
        return LocalTiles(tiles=scored, classifier=classifier, names=names)

    def place(job: MapJob) -> Path:
        if out is None:
            return job.free_folder(classifier.path.parent / "maps" / folder_name(scene.name))
        folder = usable_path(out, "out")
        check_map_folder(folder)
        return folder

    return MapJob(
        classifier=classifier,
        scene=scene,
        tiles=tiles,
        place=place,
        resume=resume,
        facts={
            "scene": scene_facts(scene),
            "classifier": classifier.facts,
            "options": {"confidence": confidence, "scores": scores}
            | ({} if max_memory is None else {"max_memory": str(max_memory)}),
            "versions": {name: version(name) for name in ("hsi", "onnxruntime", "numpy")},
        },
        format=format,
        notes=comparison_notes(scene, classifier.bands)
        + level_notes(scene, classifier.description.reduction),
    )
