"""What the neighbours of a pixel tell in scenes that were not seen: the EnMAP tiles of Potsdam.

    python benchmarks/unseen_neighbours.py

Logistic regression on 30 whitened components of each labelled pixel, of the mean over a window
around it, or of both. Nothing else differs, and a model without hidden units has little to be lucky
with. Tiles are divided as in `unseen_scenes.py`: each is tested once, by what was learned from the
others.
"""

from __future__ import annotations

import argparse

import numpy as np
from common import report
from scipy.ndimage import uniform_filter
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from unseen_scenes import divided, with_labels

import hsi
from hsi.evaluation import aa, confusion_matrix, oa
from hsi.sampling import BandPCA, to_targets

COMPONENTS = 30
# Sides of the windows whose means stand beside each other.
INPUTS = ((1,), (3,), (5,), (11,), (1, 3), (1, 5), (1, 3, 5, 11))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", type=int, default=3)
    arguments = parser.parse_args()
    tiles, parts = divided(arguments.parts)
    rows = []
    for part, tested in enumerate(parts):
        learned = [hsi.load_scenes([with_labels(tile)]) for tile in tiles if tile not in tested]
        unseen = [hsi.load_scenes([with_labels(tile)]) for tile in tested]
        spectra = np.concatenate([np.asarray(scene.cube)[scene.labels > 0] for scene in learned])
        pca = BandPCA(COMPONENTS, whiten=True).fit(spectra)
        for sides in INPUTS:
            values, labels = described(learned, pca, sides)
            model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000))
            model.fit(values, labels)
            values, truth = described(unseen, pca, sides)
            classes = np.unique(labels)
            found = to_targets(model.predict(values), classes)
            table = confusion_matrix(to_targets(truth, classes), found, classes=len(classes))
            rows.append(
                {
                    "part": part,
                    "windows": " and ".join(f"{side}x{side}" for side in sides),
                    "oa %": round(100 * oa(table), 1),
                    "aa %": round(100 * aa(table), 1),
                }
            )
    report("unseen_neighbours", rows, parts=arguments.parts, components=COMPONENTS)


def described(
    scenes: list[hsi.Scene], pca: BandPCA, sides: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of the labelled pixels of all scenes, and their labels."""
    values, labels = [], []
    for scene in scenes:
        components = pca.transform(np.asarray(scene.cube))
        means = [uniform_filter(components, (side, side, 1), mode="reflect") for side in sides]
        labelled = scene.labels > 0
        values.append(np.concatenate([mean[labelled] for mean in means], axis=1))
        labels.append(scene.labels[labelled])
    return np.concatenate(values), np.concatenate(labels)


if __name__ == "__main__":
    main()
