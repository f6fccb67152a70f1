"""What denoising is worth on scenes that were not trained on, and what classification gains by it.

    python benchmarks/denoising.py [--run FOLDER]

DnCNN with 17 layers, blind, is trained on the stand-in for Indian Pines and on the EnMAP tiles, and
tested on Samson and on Salinas-A with the same noise as non-local means and truncated principal
components. Then an SVM learns Salinas-A with noise, and without the noise again. Draws the picture
of docs/denoise.md. Needs ``$HSI_DATA``. With the folder of a finished run, nothing is trained.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from common import data_folder, report, stand_in
from matplotlib.figure import Figure

import hsi
from hsi.denoising.baselines import best_truncated, non_local_means
from hsi.report import save_figure
from hsi.scenes import Scene
from hsi.training import DenoiseRun
from hsi.workflows.denoise import assess_denoiser, noisy_scene, train_denoiser
from hsi.workflows.denoise.cleaning import cleaned

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SIGMAS, SEEDS = (15.0, 25.0, 50.0), range(8)
TRAINING: dict[str, Any] = {
    "sigma": "0-55", "depth": 17, "epochs": 13, "steps": 50, "batch_size": 12, "patch_size": 28,
    "learning_rate": 1e-3,
}  # fmt: skip
CLASSIFIED: dict[str, Any] = {"model": "svm", "train": 0.05, "report": False, "device": "cpu"}


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--run", type=Path)
    folder = arguments.parse_args().run
    with tempfile.TemporaryDirectory() as work:
        run = DenoiseRun(folder) if folder else trained(Path(work))
        scenes = [samson(), hsi.load_scene("salinas_a")]
        rows = [row for scene in scenes for row in qualities(run, scene)]
        save_figure(picture(run, scenes), IMAGES / "denoise.png")
        rows += [row for split in ("random", "blocks") for row in accuracies(run, split, work)]
    report(
        "denoising",
        rows,
        **TRAINING,
        trained_on="stand-in for Indian Pines, EnMAP tiles",
        steps_in_all=run.metrics["steps"],
        train_seconds=run.metrics["train_seconds"],
        noise_seed=0,
    )


def trained(work: Path) -> DenoiseRun:
    """Return a run on the stand-in and the EnMAP tiles, as the command line trains it."""
    np.save(work / "stand_in.npy", stand_in().cube)
    tiles = sorted((data_folder() / "enmap_potsdam" / "images").glob("*.tif"))
    scenes = [hsi.load_scene(path) for path in (work / "stand_in.npy", *tiles)]
    return train_denoiser(
        scenes,
        validation=[hsi.load_scene("salinas_a")],
        out=work / "run",
        device="cpu",
        **TRAINING,
    )


def samson() -> Scene:
    """Return Samson, whose file has a row for each band and pixels column by column."""
    path = data_folder() / "samson" / "Samson.mat"
    from scipy.io import loadmat

    values = loadmat(path)["Y"].astype(np.float32)
    return Scene(name="samson", cube=values.T.reshape(95, 95, 156, order="F"))


def qualities(run: DenoiseRun, scene: Scene) -> list[dict[str, Any]]:
    """Return a row for each strength of noise and method."""
    found = assess_denoiser(run, scene, sigmas=SIGMAS, progress=print)
    return [
        {
            "scene": scene.name,
            "noise": each.noise,
            "sigma": each.sigma,
            "method": each.method,
            **{name: round(value, 4) for name, value in each.quality._asdict().items()},
        }
        for each in found
    ]


def accuracies(run: DenoiseRun, split: str, work: str) -> list[dict[str, Any]]:
    """Return a row for Salinas-A with noise and without it again, each trained with eight seeds."""
    scene = hsi.load_scene("salinas_a")
    noisy, clean, _ = noisy_scene(scene, kind="gaussian", sigma=25.0)
    cubes = {"clean": clean, "noisy": noisy, "DnCNN": cleaned(run.denoiser, noisy)}
    rows = []
    for name, cube in cubes.items():
        changed = dataclasses.replace(scene, cube=cube.astype(np.float32))
        found = []
        for seed in SEEDS:
            out = Path(work) / f"{split}-{name}-{seed}"
            made = hsi.train(changed, out=out, split=split, seed=seed, **CLASSIFIED)
            found.append(made.metrics["oa"])
        rows.append(
            {
                "scene": "salinas_a",
                "noise": "gaussian",
                "sigma": 25.0,
                "method": f"SVM, {split} split, {name}",
                "oa": round(float(np.mean(found)), 4),
                "oa_of_each_seed": [round(each, 4) for each in found],
            }
        )
        print(rows[-1])
    return rows


def picture(run: DenoiseRun, scenes: list[Scene]) -> Figure:
    """Draw one band of each scene: clean, with noise, and what each method makes of it."""
    figure = Figure(figsize=(11, 4.6), dpi=150, layout="constrained")
    axes = figure.subplots(len(scenes), 5)
    for line, scene in zip(axes, scenes, strict=True):
        noisy, clean, ranges = noisy_scene(scene, kind="gaussian", sigma=50.0)
        shares, wanted = ranges.shares(noisy), ranges.shares(clean)
        band = scene.bands // 3
        images = {
            "clean": wanted,
            "noise of sigma 50": shares,
            "non-local means": non_local_means(shares[..., [band]], sigma=50 / 255),
            "best truncated PCA": best_truncated(shares, wanted)[0],
            "DnCNN on components": ranges.shares(cleaned(run.denoiser, noisy)),
        }
        for place, (title, image) in zip(line, images.items(), strict=True):
            shown = image[..., min(band, image.shape[2] - 1)]
            place.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            place.set_axis_off()
            place.set_title(f"{scene.name}: {title}" if title == "clean" else title, fontsize=9)
    return figure


if __name__ == "__main__":
    main()
