"""Recipes on scenes that were not seen: EnMAP tiles of Potsdam, each tested once.

    python benchmarks/unseen_scenes.py

The 18 tiles (32x32 pixels of 30 m, six classes of land cover) are divided into parts at random, and
each part is tested by classifiers that learned from all labelled pixels of the others. Patches stay
within their tile, so that none of a test pixel shares a pixel with one of the training. Nothing was
chosen on this scene: what is compared was fixed before, SSRN since it did well on the blocks of
another one, and logistic regression, on principal components, added when the others were known.
Trainings are kept in the file of results, so that a benchmark that was interrupted goes on;
`--again` starts anew.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import RESULTS, report

import hsi
from hsi.downloads import data_folder
from hsi.evaluation import aa, confusion_matrix, oa
from hsi.sampling import to_targets
from hsi.workflows.learn import learn
from hsi.workflows.splitting import split_for, with_split

NAME = "unseen_scenes"
WAYS: dict[str, dict[str, Any]] = {
    "svm": {"model": "svm"},
    "logistic-regression": {"model": "logistic-regression", "reduction": "pca"},
    "default": {},
    "unseen": {"recipe": "unseen"},
    "ssrn": {"model": "ssrn"},
}
RUN = ("part", "way")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--way", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--parts", type=int, default=3)
    parser.add_argument("--again", action="store_true", help="forget what was measured before")
    arguments = parser.parse_args()
    tiles, parts = divided(arguments.parts)
    path = RESULTS / f"{NAME}.json"
    rows = [] if arguments.again or not path.exists() else json.loads(path.read_text())["rows"]
    for part, tested in enumerate(parts):
        learned = [tile for tile in tiles if tile not in tested]
        for way in arguments.way:
            run = dict(zip(RUN, (part, way), strict=True))
            if not any(run.items() <= row.items() for row in rows):
                rows.append(run | measured(learned, tested, way=way))
                report(NAME, rows, parts=arguments.parts)


def divided(number: int) -> tuple[list[Path], list[list[Path]]]:
    """Return the tiles, and so many parts of them, drawn at random."""
    tiles = sorted((data_folder() / "enmap_potsdam" / "images").glob("*.tif"))
    order = np.random.default_rng(0).permutation(len(tiles))
    return tiles, [[tiles[i] for i in order[part::number]] for part in range(number)]


def measured(learned: list[Path], tested: list[Path], *, way: str) -> dict[str, Any]:
    """Return accuracies on the pixels of the tiles `tested`, in percent, and how many there are."""
    scene = hsi.load_scenes(
        [with_labels(tile) for tile in learned], test=[*map(with_labels, tested)]
    )
    settings = with_split(hsi.Settings().changed(**WAYS[way]), scene)
    split = split_for(scene, settings)
    start = time.perf_counter()
    classifier = learn(scene, split, settings, device=torch.device("cpu")).classifier
    seconds = time.perf_counter() - start
    class_map = classifier.class_map(scene, device="cpu")
    truth = to_targets(scene.labels, classifier.class_ids)[split.test]
    found = to_targets(class_map, classifier.class_ids)[split.test]
    table = confusion_matrix(truth, found, classes=len(classifier.class_ids))
    return {
        "oa %": round(100 * oa(table), 2),
        "aa %": round(100 * aa(table), 2),
        "training pixels": int(split.train.sum()),
        "test pixels": int(split.test.sum()),
        "seconds": round(seconds, 1),
    }


def with_labels(tile: Path) -> tuple[Path, Path]:
    """Return a tile and its ground truth."""
    return tile, tile.parent.parent / "labels" / tile.name


if __name__ == "__main__":
    main()
