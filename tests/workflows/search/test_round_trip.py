"""What a search finds is what a training with it gives: real networks, nothing replaced."""

import csv

import pytest

import hsi
from hsi.workflows.search import search

SPACE = {
    "model": ["hybridsn", "hybridsn-dw", "logistic-regression"],
    "attention": ["none", "eca"],
    "learning_rate": {"low": 1e-3, "high": 1e-2, "log": True},
    "augmentation": ["none", "dihedral"],
}


@pytest.mark.parametrize("split", ["random", "blocks"])
def test_training_with_the_recipe_gives_the_accuracy_of_the_best_trial(
    scene, base, tmp_path, split
):
    space = SPACE | {"model": ["hybridsn", "hybridsn-dw"], "patch_size": [9, 11]}
    settings = base.changed(split=split, patch_size=None, epochs=3)
    result = search(
        scene, settings, space=space, trials=5, out=tmp_path / "search", device="cpu", seed=2
    )
    best = result.best
    run = hsi.train(
        scene, recipe=result.recipe, out=tmp_path / "run", device="cpu", report=False,
        **result.settings,
    )  # fmt: skip
    assert run.settings == best.settings
    with (run.path / "history.csv").open(newline="") as file:
        accuracies = [float(row["validation_accuracy"]) for row in csv.DictReader(file)]
    assert max(accuracies) == pytest.approx(best.accuracies["oa"], abs=1e-12)
    # The test of the training has not been looked at before: none of its pixels was used.
    assert run.metrics["validation_pixels"] == result.validation_pixels


def test_the_same_search_twice_gives_the_same_bits(scene, base, tmp_path):
    told = []
    for name in ("first", "again"):
        result = search(scene, base, space=SPACE, trials=6, out=tmp_path / name, device="cpu")
        told.append([(row.outcome, row.accuracies, row.settings) for row in result.rows])
    assert told[0] == told[1]
    assert len({row.settings.model for row in result.rows}) > 1
