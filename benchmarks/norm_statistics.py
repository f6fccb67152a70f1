"""What it brings to compute the statistics of batch norms anew after a short training.

    python benchmarks/norm_statistics.py

Salinas-A, 10 % of each class at random, patches of 13 x 13: overall accuracy on the test pixels.
Needs Salinas-A: from ``$HSI_DATA``, or downloaded.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

from common import report

import hsi

MODEL, STEPS = "hybridsn-dw", (5, 10, 20)


def main() -> None:
    scene = hsi.load_scene("salinas_a")
    rows = []
    for steps in STEPS:
        # Without, the running averages that the norms gathered while training are left.
        with mock.patch("hsi.training.fit.settle_statistics"):
            gathered = accuracy(scene, steps)
        rows.append({"steps": steps, "gathered": gathered, "computed anew": accuracy(scene, steps)})
    report("norm_statistics", rows, model=MODEL, patch_size=13, train=0.1, seed=0)


def accuracy(scene: hsi.Scene, steps: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        run = hsi.train(
            scene, model=MODEL, patch_size=13, train=0.1, steps=steps, seed=0,
            out=Path(folder) / "run",
        )  # fmt: skip
        return round(run.metrics["oa"], 4)


if __name__ == "__main__":
    main()
