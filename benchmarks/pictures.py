"""Make the pictures of README and docs.

    python benchmarks/pictures.py

Needs Salinas-A (from ``$HSI_DATA``, or downloaded), and Chromium with its driver for the picture of
the page.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Rectangle
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

import hsi
from hsi.layers import pad_scene
from hsi.report import class_map_figure, save_figure

IMAGES = Path(__file__).parents[1] / "docs" / "images"
# Okabe and Ito's orange and blue
COLORS = ("#e69f00", "#56b4e9")


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    scene = hsi.load_scene("salinas_a")
    with tempfile.TemporaryDirectory() as folder:
        run = hsi.train(scene, train=0.05, seed=0, out=Path(folder) / "run")
        classifier = run.classifier
        figure = class_map_figure(
            classifier.class_map(scene),
            labels=scene.labels,
            names=scene.class_names,
            colors=scene.class_colors,
            title="Salinas-A",
        )
        page_picture(run.path / "report.html", IMAGES / "report.png")
        print(f"Salinas-A, 5 % random, seed 0: OA {run.metrics['oa']:.4f}")
    save_figure(figure, IMAGES / "salinas_a.png")
    save_figure(trunk_figure(scene, classifier), IMAGES / "dense.png")


def page_picture(page: Path, path: Path) -> None:
    """Take a picture of the explorer of a report, as a reader with a laptop sees it."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    options.binary_location = shutil.which("chromium") or ""
    with webdriver.Chrome(options, Service(shutil.which("chromedriver"))) as browser:
        size = {"width": 1280, "height": 760, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(page.as_uri())
        WebDriverWait(browser, 60).until(
            lambda page: page.execute_script("return document.documentElement.dataset.explorer")
        )
        browser.execute_script("document.getElementById('explorer').scrollIntoView()")
        # What is drawn next is drawn at its place.
        browser.execute_async_script("setTimeout(arguments[0], 500)")
        browser.save_screenshot(str(path))


def trunk_figure(scene: hsi.Scene, classifier: hsi.Classifier) -> Figure:
    """Draw the padded scene and its feature map, with two patches and their windows."""
    model = classifier.network
    p, r, k = model.patch_size, model.receptive_field, model.window_size
    padded = pad_scene(
        torch.from_numpy(classifier.components(scene)).permute(2, 0, 1), model.patch_size
    )
    with torch.no_grad():
        features = model.trunk(padded[None])[0].mean(dim=0).numpy()
    margin = p // 2
    picture = np.pad(
        scene.composite(), ((margin, margin), (margin, margin), (0, 0)), constant_values=235
    )
    figure = Figure(figsize=(9, 4.9), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[picture.shape[1], features.shape[1]])
    left.imshow(picture)
    left.set_title(f"Scene, padded by {margin} pixels", loc="left", fontsize=10)
    # A few bright spots would leave all else dark.
    right.imshow(features, cmap="gray", vmax=np.percentile(features, 99.5))
    right.set_title("Trunk of the scene, mean over channels", loc="left", fontsize=10)
    for (row, col), color in zip(((30, 24), (37, 33)), COLORS, strict=True):
        left.add_patch(_square(row, col, p, color))
        left.plot(col + margin, row + margin, "o", color=color, markersize=4)
        right.add_patch(_square(row, col, k, color))
        figure.add_artist(
            ConnectionPatch(
                (col + p, row + margin),
                (col, row + k / 2),
                "data",
                "data",
                axesA=left,
                axesB=right,
                color=color,
                arrowstyle="->",
                linewidth=1.2,
            )
        )
    left.set_xlabel(f"patches of {p} x {p} pixels around two pixels")
    right.set_xlabel(f"their windows of {k} x {k}: {k} = {p} - {r} + 1")
    for axes in (left, right):
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def _square(row: int, col: int, side: int, color: str) -> Rectangle:
    return Rectangle((col - 0.5, row - 0.5), side, side, fill=False, edgecolor=color, linewidth=2)


if __name__ == "__main__":
    main()
