"""Spectra of classes that overlap, and the classifiers of scikit-learn that are the measure."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from hsi.models import build_model


def svm(C, gamma):
    return SVC(C=C, gamma=gamma, decision_function_shape="ovr", break_ties=True)


FEW_TREES = 25


def random_forest(max_features):
    seed = np.random.SeedSequence(0).generate_state(1)[0]
    return RandomForestClassifier(FEW_TREES, max_features=max_features, random_state=seed)


REFERENCES = {
    "svm": svm,
    "random-forest": random_forest,
    "knn": KNeighborsClassifier,
    "logistic-regression": lambda C: LogisticRegression(C=C, max_iter=2000),
}
# What `learn` tells beside the hyperparameters.
TOLD = {"how", "accuracy", "support_vectors", "trees", "nodes", "stored_spectra", "iterations"}


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    """Forests that are grown in little time."""
    monkeypatch.setattr("hsi.models.random_forest.TREES", FEW_TREES)


@pytest.fixture
def overlapping():
    """Return a function that draws spectra of Gaussian classes, and pixels to predict."""

    def draw(*, classes=4, bands=7, pixels=120, seed=0, apart=1.2):
        rng = np.random.default_rng(seed)
        centres = apart * rng.standard_normal((classes, bands))
        # At least one pixel of each class.
        targets = np.concatenate([np.arange(classes), rng.integers(0, classes, pixels - classes)])
        spectra = centres[targets] + rng.standard_normal((pixels, bands))
        others = 2 * rng.standard_normal((500, bands))
        return SimpleNamespace(
            spectra=spectra.astype(np.float32),
            targets=targets,
            others=others.astype(np.float32),
            classes=classes,
            bands=bands,
        )

    return draw


@pytest.fixture
def learned(monkeypatch):
    """Return a function that lets a network learn, and returns it and what it chose."""
    monkeypatch.setattr("hsi.models.choice.FOLDS", 2)

    def learn(name, data, *, validation=None, seed=0):
        network = build_model(name, bands=data.bands, classes=data.classes, patch_size=1).eval()
        chosen = network.learn(data.spectra, data.targets, validation=validation, seed=seed)
        return network, chosen

    return learn


@pytest.fixture
def scores_of():
    """Return a function that gives the scores ``(n, classes)`` of spectra ``(n, bands)``."""

    def scores(network, spectra):
        with torch.no_grad():
            return network(torch.from_numpy(spectra)[:, :, None, None]).numpy()

    return scores


@pytest.fixture
def reference():
    """Return a function that fits scikit-learn's own classifier with what was chosen."""

    def fit(name, chosen, spectra, targets):
        hyperparameters = {key: value for key, value in chosen.items() if key not in TOLD}
        # Forests compare in float32, all else in float64.
        kind = np.float32 if name == "random-forest" else np.float64
        return REFERENCES[name](**hyperparameters).fit(spectra.astype(kind), targets)

    return fit
