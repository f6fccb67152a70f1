"""`hsi export`: a run's classifier as one file, checked before it has its name."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch.export import ExportedProgram

from hsi.deployed import Description, OnnxClassifier
from hsi.deployed.description import FORMAT
from hsi.deployed.optional import check_onnx
from hsi.errors import HsiError, RunError, UsageError, unknown_name
from hsi.files import atomic_path, usable_path
from hsi.scenes import Scene, open_scene
from hsi.scenes.trained_bands import match_bands
from hsi.training import Classifier, Run
from hsi.workflows.export.capture import capture, write_onnx, write_program
from hsi.workflows.export.check import Checked, check_export
from hsi.workflows.export.graph import MapGraph, bytes_of
from hsi.workflows.map_facts import classifier_facts

Format = Literal["onnx", "torch"]
# What files of each format end in.
FORMATS: dict[Format, str] = {"onnx": ".onnx", "torch": ".pt2"}


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A file that was written, and how it compares.

    Attributes
    ----------
    path : Path
        The file.
    description : Description
        What it says of itself.
    difference : float
        The largest one from the run: of confidences, and of scores, in proportion where they are
        above 1.
    random_tiles, real_tiles : int
        How many tiles of noise and of the run's scene were compared.
    notes : tuple of str
        What else should be known.
    """

    path: Path
    description: Description
    difference: float
    random_tiles: int
    real_tiles: int
    notes: tuple[str, ...] = ()


def export_run(
    run: Run,
    *,
    format: Format = "onnx",
    out: Path | str | None = None,
    scene: Scene | None = None,
) -> Exported:
    """Write band reduction and network of a run as one graph, cube in and classes out.

    The file gets its name after it was run on tiles of noise and of the run's scene, and gave what
    the run gives to 1e-4.

    Parameters
    ----------
    run : Run
        Whose classifier is exported.
    format : {"onnx", "torch"}
        A file of ONNX, or a program of `torch.export`.
    out : path, optional
        The file; one that is there is replaced. Default: ``model.onnx`` or ``model.pt2`` in the
        run.
    scene : Scene, optional
        To compare on. Default: the scene of the run, if it can be opened; a note says if not.

    Returns
    -------
    Exported
        Where the file is, and how it compares.

    Raises
    ------
    UsageError
        If the format is unknown, the path cannot be meant, the bands of `scene` are others, or a
        package is not installed.
    RunError
        If the network cannot be exported, the export differs from the run, or the file cannot be
        written.
    """
    if format not in get_args(Format):
        raise unknown_name("format", format, get_args(Format))
    if format == "onnx":
        check_onnx("onnx", "onnxscript", "onnxruntime")
    path = _path(run, format, out)
    notes: tuple[str, ...] = ()
    if scene is None:
        scene, notes = _scene_of(run)
    else:
        scene = match_bands(scene, run.classifier.bands)
    try:
        with atomic_path(path) as temporary:
            description, checked = write_checked(temporary, run.classifier, scene, format=format)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    return Exported(path=path, description=description, notes=notes, **checked._asdict())


def write_checked(
    path: Path, classifier: Classifier, scene: Scene | None, *, format: Format
) -> tuple[Description, Checked]:
    """Write a classifier to `path`, and compare what was written with it.

    Parameters
    ----------
    path : Path
        In a folder that is there.
    classifier : Classifier
        To be exported.
    scene : Scene or None
        To compare on, with the bands of the classifier.
    format : {"onnx", "torch"}
        Of the file.

    Raises
    ------
    RunError
        If the network cannot be exported, or what was written differs.
    """
    graph = MapGraph(classifier)
    description = describe(classifier, graph)
    program = capture(graph, bands=description.bands.count)
    if format == "onnx":
        write_onnx(path, program, description)
        return description, _check_onnx(path, classifier, scene)
    write_program(path, program, description)
    return description, _check_program(path, classifier, scene)


def describe(classifier: Classifier, graph: MapGraph) -> Description:
    """Return what a file of the classifier says of itself."""
    reduction = classifier.reduction
    bands = len(reduction.mean_)
    position_bytes, pixel_bytes = bytes_of(classifier.network, graph.form, bands=bands)
    arrays = {
        name: None if value is None else value.tolist()
        for name, value in (
            ("wavelengths", classifier.wavelengths), ("fwhm", classifier.fwhm),
            ("file_bands", classifier.file_bands),
        )
    }  # fmt: skip
    return Description.model_validate(
        {
            "format": FORMAT,
            "hsi": version("hsi"),
            "model": classifier.name,
            "form": graph.form,
            "patch_size": classifier.network.patch_size,
            "components": reduction.components,
            "bands": {"count": bands, **arrays},
            "classes": [
                {
                    "id": each,
                    "name": classifier.class_names[each],
                    "color": tuple(classifier.class_colors[each]),
                }
                for each in classifier.class_ids.tolist()
            ],
            "reduction": {
                "mean": reduction.mean_.tolist(),
                "scale": reduction.scale_.tolist(),
                "explained_variance": reduction.explained_variance_.tolist(),
            },
            "position_bytes": position_bytes,
            "pixel_bytes": pixel_bytes,
            "weights": classifier_facts(classifier)["weights"],
        }
    )


def _path(run: Run, format: Format, out: Path | str | None) -> Path:
    suffix = FORMATS[format]
    if out is None:
        return run.path / f"model{suffix}"
    path = usable_path(out, "out")
    if path.suffix.lower() != suffix:
        raise UsageError(f"{format} is written to a file that ends in {suffix}, not {path} (--out)")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it that ends in {suffix} (--out)")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} to write {path.name} into (--out)")
    return path


def _scene_of(run: Run) -> tuple[Scene | None, tuple[str, ...]]:
    """Return the scene of a run with the bands of its classifier, or why it cannot be had."""
    if not run.config["scene"]:
        reason = "it was no file"
    else:
        try:
            return match_bands(open_scene(run.source), run.classifier.bands), ()
        except HsiError as error:
            reason = str(error).splitlines()[0]
    return None, (f"compared on random tiles only, without the scene of the run: {reason}",)


def _check_onnx(path: Path, classifier: Classifier, scene: Scene | None) -> Checked:
    session = OnnxClassifier(path).session

    def compute(cube: NDArray[np.float32]) -> tuple[NDArray, NDArray, NDArray]:
        classes, confidence, scores = session.run(["class", "confidence", "scores"], cube)
        return classes, confidence, scores

    return check_export(compute, classifier, scene, one_pixel=True)


def _check_program(path: Path, classifier: Classifier, scene: Scene | None) -> Checked:
    # It was written a moment ago, by this process.
    program: ExportedProgram = torch.export.load(path)
    module = program.module()

    def compute(cube: NDArray[np.float32]) -> tuple[NDArray, NDArray, NDArray]:
        with torch.no_grad():
            classes, confidence, scores, _ = module(torch.from_numpy(cube))
        return classes.numpy(), confidence.numpy(), scores.numpy()

    return check_export(compute, classifier, scene, one_pixel=False)
