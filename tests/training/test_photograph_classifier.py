"""A classifier of photographs: its one transform, and its file."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open

from hsi.backbones import build_backbone
from hsi.errors import RunError, UsageError
from hsi.training import PhotographClassifier, TransferSettings, stored_side
from hsi.training.model_file import write_model


def make(size=70, **options):
    torch.manual_seed(0)
    options = {"name": "lenet5", "classes": 2, "attention": "se"} | options
    return PhotographClassifier(
        network=build_backbone(**options),
        options=options,
        class_names=("cat", "dög"),
        size=size,
        mean=(0.4, 0.5, 0.6),
        std=(0.1, 0.2, 0.3),
    )


def test_the_network_sees_the_standardised_centre():
    classifier = make()
    assert classifier.side == 80
    images = np.random.default_rng(0).integers(0, 256, (3, 80, 80, 3), dtype=np.uint8)
    seen = classifier.inputs(torch.from_numpy(images)).numpy()
    centre = (images[:, 5:75, 5:75] / 255 - (0.4, 0.5, 0.6)) / (0.1, 0.2, 0.3)
    np.testing.assert_allclose(seen, centre.transpose(0, 3, 1, 2), atol=1e-5)


def test_small_photographs_are_seen_whole():
    assert [stored_side(size) for size in (8, 32, 63, 64, 224, 600)] == [8, 32, 63, 73, 256, 686]


def test_it_is_read_as_it_was_written(tmp_path):
    classifier = make()
    classifier.save(tmp_path / "model.safetensors")
    again = PhotographClassifier.load(tmp_path / "model.safetensors")
    for name in ("options", "class_names", "size", "mean", "std"):
        assert getattr(again, name) == getattr(classifier, name)
    images = np.random.default_rng(0).integers(0, 256, (3, 80, 80, 3), dtype=np.uint8)
    assert np.array_equal(again.scores(images), classifier.scores(images))
    assert not again.network.training


CHANGES = {
    "another format": ({"format": 1}, "has format 1"),
    "an unknown network": ({"options": {"name": "lenet6"}}, "network 'lenet6'"),
    "a class too many": ({"classes": ["a", "b", "c"]}, "damaged"),
    "one class twice": ({"classes": ["a", "a"]}, "damaged"),
    "no size": ({"size": "large"}, "damaged"),
    "one mean": ({"mean": [0.5]}, "damaged"),
    "another network": ({"options": {"name": "lenet5", "classes": 5}}, "damaged"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_file_that_does_not_fit_is_refused(tmp_path, what):
    path = tmp_path / "model.safetensors"
    make().save(path)
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["hsi"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    changes, words = CHANGES[what]
    write_model(path, about=about | changes, tensors=tensors)
    with pytest.raises(RunError, match=words):
        PhotographClassifier.load(path)


def test_settings_by_what_is_trained():
    settings = TransferSettings()
    fresh = settings.descent.learning_rate
    learned = settings.changed(weights="imagenet").descent.learning_rate
    last = settings.changed(weights="imagenet", freeze="features").descent.learning_rate
    assert learned < fresh < last
    assert settings.changed(learning_rate=0.5).descent.learning_rate == 0.5


@pytest.mark.parametrize(
    ("changes", "side"),
    [
        ({}, 224),
        ({"backbone": "lenet5"}, 28),
        ({"backbone": "vgg16"}, 224),
        ({"backbone": "efficientnet_b3"}, 300),
        ({"small_stem": True}, 32),
        ({"backbone": "lenet5", "size": 40}, 40),
    ],
)
def test_sizes_by_the_network(changes, side):
    assert TransferSettings().changed(**changes).side == side


def test_attention_can_be_taken_away():
    settings = TransferSettings(attention="eca")
    assert settings.changed(attention=None).attention == "eca"
    assert settings.changed(attention="none").attention is None


def test_names_of_settings_are_checked():
    with pytest.raises(UsageError, match="did you mean 'freeze'"):
        TransferSettings().changed(freez="none")
    with pytest.raises(UsageError, match=r"^freeze='features' keeps features"):
        TransferSettings().changed(freeze="features")
