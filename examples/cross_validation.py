"""How much a random division of the pixels flatters a classifier, in scikit-learn's manner.

    python examples/cross_validation.py

The same classifiers, pixels and number of folds, divided in two ways: at random, so that a test
pixel has training pixels for neighbours, and by blocks of the scene that keep apart. A network that
sees a patch gains from the neighbours, and so does a machine that sees the spectrum alone, less.
"""

import numpy as np
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import hsi

FOLDS, PATCH_SIZE = 3, 9


def classifiers() -> dict[str, object]:
    """Return a network of patches, and a support vector machine of scikit-learn on spectra."""
    return {
        "network": hsi.HybridSNClassifier(
            model="hybridsn-dw", patch_size=PATCH_SIZE, components=13, steps=60, batch_size=128
        ),
        "machine": make_pipeline(StandardScaler(), SVC(C=100)),
    }


def main() -> None:
    """Print the accuracies of each classifier in each way to divide the pixels."""
    scene = hsi.load_scene("synthetic")
    # A part of the scene, to be quick; all its labelled pixels.
    cube, labels = scene.cube[:64, :64], scene.labels[:64, :64]
    pixels, y = hsi.ScenePixels(cube, labels), labels[labels > 0]
    print(f"{pixels}, {len(np.unique(y))} classes")
    ways = {
        "random": StratifiedKFold(FOLDS, shuffle=True, random_state=0),
        "blocks": hsi.BlockKFold(n_splits=FOLDS, patch_size=PATCH_SIZE),
    }
    for name, classifier in classifiers().items():
        for way, folds in ways.items():
            accuracies = cross_val_score(classifier, pixels, y, cv=folds)
            listed = ", ".join(f"{accuracy:.2f}" for accuracy in accuracies)
            print(f"{name}, {way} folds: {accuracies.mean():.3f} ({listed})")


if __name__ == "__main__":
    main()
