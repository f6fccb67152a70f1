"""What surroundings and whitening do to a classifier in places that it has not seen.

    python benchmarks/unseen_inputs.py

A support vector machine has no surroundings and no weights to be lucky with, so that what it is
given can be judged alone: spectra of Salinas-A averaged over windows of growing side, as bands, as
15 components scaled jointly, and as 15 whitened ones. The splits are those of
`unseen_places.py`: all test pixels are at least 25 pixels from all training pixels, so that no
window of a test pixel shares a pixel with one of the training. C and gamma are chosen by
cross-validation within the training pixels.
"""

from __future__ import annotations

import argparse

import numpy as np
from common import report
from scipy.ndimage import uniform_filter
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import SVC

import hsi
from hsi.evaluation import aa, confusion_matrix, oa
from hsi.sampling import BandPCA, BandScaler, split_pixels, to_targets

APART = 25
WINDOWS = (1, 5, 9, 25)
INPUTS = {
    "bands": BandScaler,
    "joint": lambda: BandPCA(15, joint=True),
    "whitened": lambda: BandPCA(15, whiten=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", nargs="+", type=float, default=[0.05, 0.1])
    parser.add_argument("--seed", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    arguments = parser.parse_args()
    scene = hsi.load_scene("salinas_a")
    cube = np.asarray(scene.cube, dtype=np.float32)
    targets = to_targets(scene.labels, scene.class_ids)
    rows = []
    for train in arguments.train:
        splits = [
            split_pixels(scene.labels, method="blocks", train=train, seed=seed, patch_size=APART)
            for seed in arguments.seed
        ]
        for window in WINDOWS:
            means = uniform_filter(cube, (window, window, 1), mode="reflect")
            for name, make in INPUTS.items():
                tables = []
                for split in splits:
                    values = make().fit(means, mask=split.train).transform(means)
                    found = chosen(values[split.train], targets[split.train])
                    tables.append(
                        confusion_matrix(
                            targets[split.test],
                            found.predict(values[split.test]),
                            classes=len(scene.class_ids),
                        )
                    )
                rows.append(
                    {
                        "train": train,
                        "window": window,
                        "input": name,
                        "oa %": round(100 * float(np.mean([oa(table) for table in tables])), 1),
                        "aa %": round(100 * float(np.mean([aa(table) for table in tables])), 1),
                    }
                )
    report("unseen_inputs", rows, scene=scene.name, seeds=arguments.seed, apart=APART)


def chosen(values: np.ndarray, targets: np.ndarray) -> GridSearchCV:
    """Return the machine that cross-validation within `values` prefers, fitted to all of them."""
    width = values.var() * values.shape[1]
    grid = {"C": [1, 10, 100], "gamma": [0.1 / width, 1 / width]}
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return GridSearchCV(SVC(), grid, cv=folds).fit(values, targets)


if __name__ == "__main__":
    main()
