"""What a finished training leaves in its folder: map, metrics, figures, report."""

from __future__ import annotations

import platform
import shlex
import time
from importlib.metadata import version
from typing import Any

import torch

from hsi.files import write_text
from hsi.models import count_parameters, macs_per_patch
from hsi.report import (
    confusion_figure,
    learning_curve_figure,
    overlap_sentence,
    pixel_counts,
    render_report,
    save_figure,
    split_figure,
)
from hsi.scenes import Scene
from hsi.training import Classifier, Epoch, Run
from hsi.workflows.assess import accuracy
from hsi.workflows.mapping import save_map


def save_products(
    run: Run,
    scene: Scene,
    classifier: Classifier,
    history: list[Epoch],
    *,
    device: torch.device,
    train_seconds: float,
) -> None:
    """Map the scene, test the map, and write map, figures, report and metrics into the folder."""
    split = run.split
    start = time.perf_counter()
    class_map = classifier.class_map(scene, device=device)
    map_seconds = time.perf_counter() - start
    saved = save_map(classifier, scene, class_map, run.path, seconds=map_seconds)

    metrics = accuracy(classifier, scene, split, class_map) | {
        "train_pixels": int(split.train.sum()),
        "validation_pixels": int(split.validation.sum()),
        "parameters": count_parameters(classifier.network),
        "macs_per_patch": macs_per_patch(classifier.network),
        "epochs": len(history),
        "train_seconds": round(train_seconds, 3),
        "map_seconds": round(map_seconds, 3),
        "versions": versions("scikit-learn"),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "threads": torch.get_num_threads(),
        "seed": run.settings.seed,
    }
    names = [each["name"] for each in metrics["per_class"]]
    figures = {
        "confusion.png": confusion_figure(metrics["confusion"], names=names),
        "learning_curve.png": learning_curve_figure([epoch.as_row() for epoch in history]),
        "split.png": split_figure(
            split.train,
            split.validation,
            split.test,
            patch_size=split.patch_size,
            background=scene.composite(),
        ),
    }
    for name, figure in figures.items():
        save_figure(figure, run.path / name)
    validated = ", validation" if split.validation.any() else ""
    captions = {
        saved.picture.name: "Class map of the whole scene, and the ground truth",
        "confusion.png": "Confusion matrix of the test pixels",
        "learning_curve.png": "Loss and accuracy during training",
        "split.png": f"Training{validated} and test pixels",
    }
    config = (run.path / "config.toml").absolute()  # the page may be read anywhere
    page = render_report(
        title=f"{scene.name}: {run.settings.network}",
        summary=_summary(run, scene, metrics),
        metrics=metrics,
        figures=[(text, (run.path / name).read_bytes()) for name, text in captions.items()],
        notes=[overlap_sentence(**metrics["overlap"]), *split.notes],
        command=f"hsi train --config {shlex.quote(str(config))}",
        versions=metrics["versions"],
    )
    write_text(run.path / "report.html", page)
    # Last: a run with metrics is a finished one.
    run.save_metrics(metrics)


def _summary(run: Run, scene: Scene, metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a reader wants to know first, as pairs of label and value."""
    settings, overlap = run.settings, metrics["overlap"]
    counts = pixel_counts(
        train=metrics["train_pixels"],
        validation=metrics["validation_pixels"],
        test=metrics["test_pixels"],
    )
    return [
        ("Scene", f"{scene.name}, {scene.rows} x {scene.cols} pixels, {scene.bands} bands"),
        ("Model", f"{settings.network}, {metrics['parameters']:,} parameters"),
        ("Input", f"{settings.components} components, {settings.patch_size}x{settings.patch_size}"),
        ("Split", f"{settings.split}, seed {settings.seed}: {counts}"),
        (
            "Overlap",
            f"{overlap['contains']:.1%} of the test pixels have a training pixel inside their "
            f"patch; {overlap['shares']:.1%} have a patch that shares pixels with a training patch",
        ),
        ("Training", f"{metrics['epochs']} epochs in {metrics['train_seconds']:.1f} s"),
        ("Map", f"{metrics['map_seconds']:.2f} s on {metrics['device']}"),
    ]


def versions(*more: str) -> dict[str, str]:
    """Return the versions of Python, of this package, of what it computes with and of `more`."""
    packages = ("hsi", "torch", "numpy", *more)
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
