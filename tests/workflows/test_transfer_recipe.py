"""The recipe in the report is what the training did, not what was asked for."""

import pytest
import torch

import hsi
from hsi.training import TransferSettings
from hsi.workflows.transfer_recipe import recipe_in_words, resolved_recipe

CPU = torch.device("cpu")


def recipe(photographs=100, **changes):
    settings = TransferSettings().changed(**changes)
    return resolved_recipe(settings, photographs=photographs, device=CPU)


@pytest.mark.parametrize(
    ("changes", "rate"),
    [
        ({}, 1e-3),
        ({"weights": "imagenet"}, 2e-4),
        ({"weights": "imagenet", "freeze": "features"}, 3e-3),
        ({"learning_rate": 0.5}, 0.5),
    ],
)
def test_the_learning_rate_is_that_of_what_is_trained(changes, rate):
    assert recipe(**changes)["learning_rate"] == rate
    assert f"{rate:g}" in dict(recipe_in_words(recipe(**changes)))["Learning rate"]


def test_nothing_is_left_open():
    found = recipe()
    assert None not in found.values()
    assert "auto" not in found.values()
    assert found["precision"] == "full (float32)"
    assert recipe(precision="bf16")["precision"] == "mixed (bfloat16 and float32)"


def test_an_epoch_is_divided_evenly():
    found = recipe(208, batch_size=32, epochs=3)
    assert (found["steps"], found["largest_batch"]) == (18, 35)
    said = dict(recipe_in_words(found))["Batches"]
    assert said == "6 steps an epoch, of 35 photographs at most (batch size 32, divided evenly)"
    assert dict(recipe_in_words(recipe(20)))["Batches"].startswith("1 step an epoch, of 20")


@pytest.mark.parametrize(("epochs", "cycles"), [(1, False), (4, False), (5, True)])
def test_a_training_too_short_for_a_cycle(take_photographs, quick, tmp_path, epochs, cycles):
    """What the recipe says of the rate is what the history has."""
    images = take_photographs(tmp_path / "images", 4)
    run = hsi.transfer(images, out=tmp_path / "run", **(quick | {"epochs": epochs}))
    assert run.metrics["recipe"]["steps"] == epochs
    assert run.metrics["recipe"]["schedule"] == ("one-cycle" if cycles else "constant")
    first = float((run.path / "history.csv").read_text().splitlines()[1].split(",")[4])
    assert first == pytest.approx(5e-4 if cycles else 5e-3)
    said = dict(recipe_in_words(run.metrics["recipe"]))["Learning rate"]
    assert said.startswith("one cycle") == cycles


def test_augmentations_are_said_with_their_numbers():
    for name, parts in (
        ("none", ["none"]),
        ("crop-flip", ["50 to 100 % of the area", "0.8 to 1.25", "mirrored"]),
        ("crop-flip-color", ["50 to 100 %", "brightness", "20 %"]),
    ):
        said = dict(recipe_in_words(recipe(augmentation=name)))["Augmentation"]
        assert all(part in said for part in parts)
