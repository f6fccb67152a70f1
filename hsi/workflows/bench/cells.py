"""Where the trainings of a benchmark lie, and what is read of those that are finished."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import RunError
from hsi.evaluation import Cell, ClassResult, Result
from hsi.files import atomic_path, folder_name, make_folder_with_sums
from hsi.report.result_tables import amount_name
from hsi.sampling import Split
from hsi.scenes.labels import as_labels
from hsi.scenes.readers import read_file
from hsi.sums import check_sum
from hsi.training import Run
from hsi.workflows.assess import remarks


def folder_of(out: Path, cell: Cell) -> Path:
    """Return the run folder of a cell."""
    scene, split, train, seed, model = cell
    return (
        out / "runs" / scene / f"{split}-{amount_name(train)}" / folder_name(model) / f"seed{seed}"
    )


def is_finished(out: Path, cell: Cell) -> bool:
    """Return whether the training of a cell has come to its end."""
    return (folder_of(out, cell) / "metrics.json").is_file()


def read_result(out: Path, cell: Cell) -> Result:
    """Return the figures of a finished training.

    Raises
    ------
    RunError
        If the run is damaged.
    """
    run = Run(folder_of(out, cell))
    metrics = run.metrics
    try:
        return _result(out, cell, run, metrics)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise RunError(
            f"{run.path / 'metrics.json'} is damaged, or of another version of hsi ({what})\n"
            "Remove the folder of this run: `hsi bench` trains it again."
        ) from error


def _result(out: Path, cell: Cell, run: Run, metrics: Mapping[str, Any]) -> Result:
    figures = {name: metrics[name] for name in ("oa", "aa", "kappa")}
    figures |= {name: metrics["overlap"][name] for name in ("contains", "shares")}
    figures |= {
        # Runs of earlier versions do not tell it.
        "train_oa": metrics.get("train_oa"),
        "train_seconds": metrics["train_seconds"],
        "test_seconds": metrics["map_seconds"],
        # What is not found by gradients has none that are trained, which is not the same as 0.
        "parameters": metrics["parameters"] or None,
        # Of what has no convolution or product, the count says nothing.
        "macs": metrics["macs_per_patch"] or None,
        **{name: metrics[name] for name in ("train_pixels", "validation_pixels", "test_pixels")},
    }
    return Result(
        cell=cell,
        figures=figures,
        classes=tuple(
            ClassResult(each["id"], each["name"], each["accuracy"], each["pixels"])
            for each in metrics["per_class"]
        ),
        split_hash=hash_of(run.split),
        patch_size=metrics["patch_size"],
        device=metrics["device"],
        threads=metrics["threads"],
        versions=metrics["versions"],
        notes=tuple(run.split.notes),
        folder=run.path.relative_to(out).as_posix(),
        remarks=tuple(remarks(metrics, run.split)),
    )


def hash_of(split: Split) -> str:
    """Return a text that is another one for other masks."""
    digest = hashlib.sha256(str(split.train.shape).encode())
    for mask in (split.train, split.validation, split.test):
        digest.update(np.packbits(mask).tobytes())
    return digest.hexdigest()[:16]


def truth_file(out: Path, scene: str) -> Path:
    """Return where the labels of a scene are kept."""
    return out / "truth" / f"{scene}.npy"


def keep_truth(out: Path, scene: str, labels: NDArray[np.int32]) -> None:
    """Write down the labels of a scene, by which maps are compared later without it."""
    path = truth_file(out, scene)
    make_folder_with_sums(path.parent)
    with atomic_path(path) as temporary:
        np.save(temporary, labels)


def read_truth(out: Path, scene: str) -> NDArray[np.int32]:
    """Return the labels that `keep_truth` wrote.

    Raises
    ------
    RunError
        If they are damaged.
    """
    path = truth_file(out, scene)
    check_sum(path)
    try:
        labels: NDArray[np.int32] = np.load(path, allow_pickle=False)
        return labels
    except (OSError, EOFError, ValueError) as error:
        raise RunError(f"{path} is damaged: {error}\nRestore it from a copy.") from error


def right_pixels(out: Path, result: Result) -> NDArray[np.bool_] | None:
    """Return which test pixels the map of a training has right, in the order of rows.

    None where map or labels are no longer there.
    """
    folder = out / result.folder
    map_file, truth = folder / "class_map.tif", truth_file(out, result.cell.scene)
    if not map_file.is_file() or not truth.is_file():
        return None
    check_sum(map_file)
    contents = read_file(map_file, key=None, purpose="labels")
    class_map = as_labels(contents.array, path=map_file)
    split = Run(folder).split
    labels = read_truth(out, result.cell.scene) if split.labels is None else split.labels
    if not class_map.shape == labels.shape == split.test.shape:
        raise RunError(
            f"{map_file} is damaged: it has {class_map.shape} pixels, the labels {labels.shape} "
            f"and the split {split.test.shape}"
        )
    right: NDArray[np.bool_] = (class_map == labels)[split.test]
    return right
