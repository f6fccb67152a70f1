"""What a finished training leaves in its folder: map, metrics, figures, report."""

from __future__ import annotations

import platform
import time
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.files import write_text
from hsi.mapping.job import RECORD
from hsi.mapping.part_maps import save_part_maps
from hsi.mapping.products import save_map, save_raster
from hsi.models import count_parameters, macs_per_patch
from hsi.report import save_figure
from hsi.scenes import Scene
from hsi.training import Run
from hsi.workflows.assess import accuracy
from hsi.workflows.learn import Learned
from hsi.workflows.mapped import map_and_confidence
from hsi.workflows.run_page import render_run, run_figures


def save_products(
    run: Run, scene: Scene, learned: Learned, *, device: torch.device, report: bool = True
) -> None:
    """Map the scene, test the map, and write map, figures, report and metrics into the folder.

    Parameters
    ----------
    run, scene, learned
        The run, its scene and what was learned from it.
    device : torch.device
        Where to compute.
    report : bool
        Whether there are to be figures and a page, and maps of each scene of a mosaic.
    """
    classifier, split = learned.classifier, run.split
    # Of a map that was made with weights on the way.
    (run.path / RECORD).unlink(missing_ok=True)
    mapped, map_seconds = map_and_confidence(classifier, scene, device=device)
    metrics = _metrics(run, scene, learned, mapped.class_map, device) | {
        "map_seconds": round(map_seconds, 3)
    }
    if report:
        saved = save_map(classifier, scene, mapped.class_map, run.path, seconds=map_seconds)
        save_part_maps(classifier, scene, mapped.class_map, run.path, seconds=map_seconds)
        rows = [epoch.as_row() for epoch in learned.history]
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
            pictures={
                name: (run.path / name).read_bytes() for name in (saved.picture.name, *figures)
            },
            device=device,
        )
        write_text(run.path / "report.html", page)
    else:
        save_raster(classifier, scene, mapped.class_map, run.path)
    # Last: a run with metrics is a finished one.
    run.save_metrics(metrics)


def _metrics(
    run: Run,
    scene: Scene,
    learned: Learned,
    class_map: NDArray[np.int32],
    device: torch.device,
) -> dict[str, Any]:
    """Return all that `metrics.json` says but the time of the map; the test is looked at here."""
    network, split, settings = learned.classifier.network, run.split, run.settings
    figures = accuracy(learned.classifier, scene, split, class_map)
    return figures | {
        "scene": scene.name,
        # Until here, no label of a test pixel was at hand (see `Learning`).
        "chosen_by": _judge(run, learned),
        "test_first_used": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "train_pixels": int(split.train.sum()),
        "validation_pixels": int(split.validation.sum()),
        "parameters": count_parameters(network),
        "weights": str(network.loaded) if network.loaded else None,
        "macs_per_patch": macs_per_patch(network),
        "patch_size": network.patch_size,
        "reduction": settings.reduction,
        "bands": network.bands,
        "chosen": learned.chosen,
        "epochs": len(learned.history),
        "train_seconds": round(learned.seconds, 3),
        "versions": versions("scikit-learn"),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "threads": torch.get_num_threads(),
        "seed": settings.seed,
    }


def _judge(run: Run, learned: Learned) -> str:
    """Say what weights and hyperparameters were chosen by; never the test."""
    if run.split.validation.any():
        return "validation pixels"
    if learned.chosen and learned.chosen["accuracy"] is None:
        return "nothing: the hyperparameters are the usual ones"
    if learned.chosen:
        return "cross-validation within the training pixels"
    return "nothing: the weights are those of the last epoch"


def versions(*more: str) -> dict[str, str]:
    """Return the versions of Python, of this package, of what it computes with and of `more`."""
    packages = ("hsi", "torch", "numpy", *more)
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
