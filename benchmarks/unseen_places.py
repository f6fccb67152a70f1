"""What a network learns of places that it has not seen, beside what a spectrum alone tells.

    python benchmarks/unseen_places.py

Splits into blocks whose test pixels are at least 25 pixels from all training pixels, the same for
all: a support vector machine on spectra, the default recipe, the recipe "unseen", and the two
steps from the one to the other. Two splits, drawn at random, say what a recipe costs where test
pixels lie among training pixels. Scenes: Salinas-A, and the stand-in for Indian Pines (accuracies
on it are not those of Indian Pines). Every training is kept once it is done, in the file of
results, so that a benchmark that was interrupted goes on; `--again` starts anew.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import torch
from common import RESULTS, report, stand_in

import hsi
from hsi.evaluation import aa, confusion_matrix, oa
from hsi.sampling import split_pixels, to_targets
from hsi.workflows.learn import learn

NAME, APART = "unseen_places", 25
SCENES = {"salinas_a": lambda: hsi.load_scene("salinas_a"), "indian_pines_rank16": stand_in}
WAYS: dict[str, dict[str, Any]] = {
    "svm": {"model": "svm"},
    "default": {},
    "unseen": {"recipe": "unseen"},
    "default, 11x11": {"patch_size": 11},
    "default, not whitened": {"whiten": False},
}
RUN = ("scene", "split", "train", "seed", "way")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scene", nargs="+", default=list(SCENES), choices=list(SCENES))
    parser.add_argument("--way", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--split", nargs="+", default=["blocks"], choices=["blocks", "random"])
    parser.add_argument("--train", nargs="+", type=float, default=[0.01, 0.05, 0.1])
    parser.add_argument("--seed", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--again", action="store_true", help="forget what was measured before")
    arguments = parser.parse_args()
    path = RESULTS / f"{NAME}.json"
    rows = [] if arguments.again or not path.exists() else json.loads(path.read_text())["rows"]
    for scene in arguments.scene:
        opened = SCENES[scene]()
        for split in arguments.split:
            for train in arguments.train:
                for seed in arguments.seed:
                    for way in arguments.way:
                        run = dict(zip(RUN, (scene, split, train, seed, way), strict=True))
                        if not any(run.items() <= row.items() for row in rows):
                            rows.append(run | measured(opened, run))
                            report(NAME, rows, apart=APART)


def measured(scene: hsi.Scene, run: dict[str, Any]) -> dict[str, Any]:
    """Return accuracies on the test pixels, in percent, and how many classes and pixels there are.

    Training goes through what `hsi.train` uses: it does not see labels of test pixels.
    """
    split = split_pixels(
        scene.labels, method=run["split"], train=run["train"], seed=run["seed"], patch_size=APART
    )
    settings = hsi.Settings().changed(seed=run["seed"], **WAYS[run["way"]])
    start = time.perf_counter()
    learned = learn(scene, split, settings, device=torch.device("cpu"))
    seconds = time.perf_counter() - start
    class_map = learned.classifier.class_map(scene, device="cpu")
    classes = learned.classifier.class_ids
    truth = to_targets(scene.labels, classes)[split.test]
    table = confusion_matrix(
        truth, to_targets(class_map, classes)[split.test], classes=len(classes)
    )
    return {
        "oa %": round(100 * oa(table), 2),
        "aa %": round(100 * aa(table), 2),
        "training pixels": int(split.train.sum()),
        "test pixels": int(split.test.sum()),
        "classes": len(np.unique(truth)),
        "seconds": round(seconds, 1),
    }


if __name__ == "__main__":
    main()
