"""What a finished training leaves in its folder: map, metrics, figures, report."""

from __future__ import annotations

import platform
from importlib.metadata import version

import torch

from hsi.files import write_text
from hsi.models import count_parameters, macs_per_patch
from hsi.report import save_figure
from hsi.scenes import Scene
from hsi.training import Classifier, Epoch, Run
from hsi.workflows.assess import accuracy
from hsi.workflows.map_products import save_map
from hsi.workflows.mapped import map_and_confidence
from hsi.workflows.part_maps import save_part_maps
from hsi.workflows.run_page import render_run, run_figures


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
    split, loaded = run.split, classifier.network.loaded
    mapped, map_seconds = map_and_confidence(classifier, scene, device=device)
    saved = save_map(classifier, scene, mapped.class_map, run.path, seconds=map_seconds)
    save_part_maps(classifier, scene, mapped.class_map, run.path, seconds=map_seconds)

    metrics = accuracy(classifier, scene, split, mapped.class_map) | {
        "train_pixels": int(split.train.sum()),
        "validation_pixels": int(split.validation.sum()),
        "parameters": count_parameters(classifier.network),
        "weights": str(loaded) if loaded else None,
        "macs_per_patch": macs_per_patch(classifier.network),
        "epochs": len(history),
        "train_seconds": round(train_seconds, 3),
        "map_seconds": round(map_seconds, 3),
        "versions": versions("scikit-learn"),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "threads": torch.get_num_threads(),
        "seed": run.settings.seed,
    }
    rows = [epoch.as_row() for epoch in history]
    figures = run_figures(scene, split, metrics, rows)
    for name, figure in figures.items():
        save_figure(figure, run.path / name)
    page = render_run(
        run,
        scene,
        mapped,
        split=split,
        metrics=metrics,
        history=rows,
        pictures={name: (run.path / name).read_bytes() for name in (saved.picture.name, *figures)},
        device=device,
    )
    write_text(run.path / "report.html", page)
    # Last: a run with metrics is a finished one.
    run.save_metrics(metrics)


def versions(*more: str) -> dict[str, str]:
    """Return the versions of Python, of this package, of what it computes with and of `more`."""
    packages = ("hsi", "torch", "numpy", *more)
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
