"""A search that takes no time: trainings are replaced by a formula."""

import math
import os

import pytest

import hsi
from hsi.workflows.search import search, work
from hsi.workflows.search.objective import TENTHS, Judged

SPACE = {
    "model": ["hybridsn", "hybridsn-dw"],
    "attention": ["none", "eca"],
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "dropout": {"low": 0.0, "high": 0.6},
}


@pytest.fixture
def base():
    """Settings that fit the small scene."""
    return hsi.Settings().changed(
        train=0.15, validation=0.15, patch_size=9, components=13, epochs=2, batch_size=64
    )


class Formula:
    """Stands in for a training: its accuracy depends on the learning rate and the dropout alone."""

    def __init__(self):
        self.trained = []
        self.labels = []

    def __call__(self, scene, split, settings, *, device, watch=None):
        self.trained.append(settings)
        self.labels.append(scene.labels)
        accuracy = self.accuracy(settings)
        for tenth in range(1, TENTHS):
            if watch:
                watch(tenth, accuracy * tenth / TENTHS)
        return Judged(
            accuracies={"aa": accuracy, "oa": accuracy / 2, "kappa": accuracy / 3},
            epochs=10, seconds=0.5, chosen={},
        )  # fmt: skip

    def accuracy(self, settings):
        recipe = settings.recipe
        far = abs(math.log10(recipe.learning_rate) + 2.5)
        return round(0.9 - 0.2 * far - 0.1 * recipe.dropout + 0.001 * (settings.seed % 3), 6)


@pytest.fixture
def formula(monkeypatch):
    # Waiting for the disk would take most of the time.
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    stands_in = Formula()
    monkeypatch.setattr(work, "train_and_judge", stands_in)
    return stands_in


@pytest.fixture
def find(scene, base, tmp_path):
    """Return a function that searches in the small scene, into a folder of a name."""

    def call(folder="search", settings=base, /, **options):
        return search(
            scene, settings, out=tmp_path / folder,
            **({"space": SPACE, "trials": 15, "device": "cpu"} | options),
        )  # fmt: skip

    return call
