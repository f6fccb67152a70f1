"""The page of a run: what is drawn of it, and what is said."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.figure import Figure

from hsi.report import (
    PageFigure,
    confusion_figure,
    learning_curve_figure,
    overlap_sentence,
    pixel_counts,
    render_report,
    split_figure,
)
from hsi.report.explorer import Explorer, Mapped, explore, render_explorer
from hsi.report.numbers import percent
from hsi.report.words import as_sentence
from hsi.sampling import Split
from hsi.scenes import Scene
from hsi.training import Run, Settings
from hsi.workflows.assess import remarks
from hsi.workflows.recipe import estimator_in_words, recipe_in_words

# What each picture of a run shows, and the chart that takes its place where scripts run.
CAPTIONS = {
    "class_map.png": ("Class map of the whole scene, and the ground truth", ""),
    "confusion.png": ("Confusion matrix of the test pixels", "confusion"),
    "learning_curve.png": ("Loss and accuracy during training", "history"),
}


def run_figures(
    scene: Scene, split: Split, metrics: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
) -> dict[str, Figure]:
    """Return the figures of a training by the names of their files."""
    names = [each["name"] for each in metrics["per_class"]]
    learning = {"learning_curve.png": learning_curve_figure(history)} if history else {}
    return {
        "confusion.png": confusion_figure(metrics["confusion"], names=names),
        **learning,
        "split.png": split_figure(
            split.train,
            split.validation,
            split.test,
            patch_size=split.patch_size,
            background=scene.composite(),
        ),
    }


def explorer_of(
    scene: Scene,
    mapped: Mapped,
    *,
    split: Split | None,
    metrics: Mapping[str, Any] | None,
    history: Sequence[Mapping[str, Any]] = (),
) -> Explorer:
    """Return the interactive part of a page about a map."""
    charts: dict[str, Any] = {}
    if metrics is not None:
        charts["confusion"] = {
            "counts": metrics["confusion"],
            "ids": [each["id"] for each in metrics["per_class"]],
            "names": [each["name"] for each in metrics["per_class"]],
        }
    if history:
        charts["history"] = [dict(row) for row in history]
    sets = None if split is None else (split.train, split.validation, split.test)
    return render_explorer(explore(scene, mapped, sets=sets, charts=charts))


def render_run(
    run: Run,
    scene: Scene,
    mapped: Mapped,
    *,
    split: Split,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    pictures: Mapping[str, bytes],
    device: torch.device,
) -> str:
    """Return the page of a run on its own scene.

    Parameters
    ----------
    run, scene, mapped, split
        The run, its scene, the map of it, and the pixels that were used.
    metrics : mapping
        As in `metrics.json`.
    history : sequence of mapping
        One for each epoch.
    pictures : mapping
        PNG files by name, those of `CAPTIONS` and ``split.png``.
    device : torch.device
        Where it was trained.
    """
    audit = overlap_sentence(**metrics["overlap"])
    validated = ", validation" if split.validation.any() else ""
    captions = CAPTIONS | {"split.png": (f"Training{validated} and test pixels. {audit}", "")}
    config = (run.path / "config.toml").absolute()  # the page may be read anywhere
    return render_report(
        title=f"{scene.name}: {run.settings.network}",
        summary=_summary(run, scene, metrics),
        metrics=metrics,
        figures=[
            PageFigure(caption, pictures[name], chart)
            for name, (caption, chart) in captions.items()
            if name in pictures
        ],
        notes=[audit, *split.notes, *map(as_sentence, remarks(metrics, split))],
        command=f"hsi train --config {shlex.quote(str(config))}",
        versions=metrics["versions"],
        recipe=_recipe(run.settings, metrics, device),
        explorer=explorer_of(scene, mapped, split=split, metrics=metrics, history=history),
    )


def scene_size(scene: Scene) -> str:
    """Return name and size of a scene in words."""
    return f"{scene.name}, {scene.rows} x {scene.cols} pixels, {scene.bands} bands"


def _summary(run: Run, scene: Scene, metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a reader wants to know first, as pairs of label and value."""
    settings, overlap = run.settings, metrics["overlap"]
    counts = pixel_counts(
        train=metrics["train_pixels"],
        validation=metrics["validation_pixels"],
        test=metrics["test_pixels"],
    )
    return [
        ("Scene", scene_size(scene)),
        ("Model", settings.network + _parameters(metrics)),
        ("Input", f"{_input(settings)}, {settings.side}x{settings.side}"),
        ("Split", f"{settings.split}, seed {settings.seed}: {counts}"),
        (
            "Overlap",
            f"{overlap['contains']:.1%} of the test pixels have a training pixel inside their "
            f"patch; {overlap['shares']:.1%} have a patch that shares pixels with a training patch",
        ),
        (
            "Training",
            f"{_training(metrics)} in {metrics['train_seconds']:.1f} s; the map has "
            f"{percent(metrics['train_oa'], digits=2)} % of the training pixels right",
        ),
        ("Map", f"{metrics['map_seconds']:.2f} s on {metrics['device']}"),
    ]


def _recipe(
    settings: Settings, metrics: Mapping[str, Any], device: torch.device
) -> list[tuple[str, str]]:
    if not metrics["epochs"]:
        return estimator_in_words(settings, chosen=metrics["chosen"])
    return recipe_in_words(settings, train_pixels=metrics["train_pixels"], device=device)


def _input(settings: Settings) -> str:
    if settings.reduction == "bands":
        return "all bands, scaled"
    return f"{settings.components} components"


def _parameters(metrics: Mapping[str, Any]) -> str:
    """Return how many there are, unless what was learned are no parameters, such as spectra."""
    return f", {metrics['parameters']:,} parameters" if metrics["parameters"] else ""


def _training(metrics: Mapping[str, Any]) -> str:
    """Return how long it was trained; what was chosen instead is part of the recipe."""
    if metrics["epochs"]:
        return f"{metrics['epochs']} epochs"
    return "hyperparameters chosen, then all pixels at once,"
