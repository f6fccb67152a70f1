"""Training on photographs: what changes and what stays as it came."""

import numpy as np
import pytest
import torch
from torch import nn

from hsi.backbones import build_backbone
from hsi.errors import UsageError
from hsi.training import PhotographClassifier, TransferSettings, fit_photographs
from hsi.training import fit_photographs as function

CPU = torch.device("cpu")
BACKBONE = "mobilenet_v1_x0_25"  # small, and with many batch norms


@pytest.fixture(scope="module")
def images():
    """Noise ``(60, 37, 37, 3)``, mostly brighter from class to class."""
    generator = np.random.default_rng(0)
    brightness = np.repeat([70, 128, 186], 20) + generator.normal(0, 30, 60)
    pixels = generator.normal(brightness[:, None, None, None], 40, (60, 37, 37, 3))
    return pixels.clip(0, 255).astype(np.uint8)


TARGETS = np.repeat([0, 1, 2], 20)
VALIDATION = np.arange(0, 60, 5)
TRAIN = np.setdiff1d(np.arange(60), VALIDATION)


@pytest.fixture
def classifier():
    return make(BACKBONE)


def make(name):
    torch.manual_seed(0)
    options = {"name": name, "classes": 3, "small_stem": True}
    return PhotographClassifier(
        network=build_backbone(**options),
        options=options,
        class_names=("dark", "grey", "light"),
        size=32,
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
    )


def fit(classifier, images, *, validation=VALIDATION, choose=False, **changes):
    settings = TransferSettings().changed(
        **({"epochs": 2, "batch_size": 16, "weights": "some", "augmentation": "none"} | changes)
    )
    return fit_photographs(
        classifier, images, TARGETS,
        train=TRAIN, validation=validation, choose=choose, settings=settings, device=CPU,
    )  # fmt: skip


def state(classifier):
    return {name: value.clone() for name, value in classifier.network.state_dict().items()}


def changed(before, after):
    return {name for name, value in before.items() if not torch.equal(value, after[name])}


@pytest.mark.parametrize("augmentation", ["none", "crop-flip"])
def test_frozen_features_stay_bit_for_bit(classifier, images, augmentation):
    """The running statistics of the batch norms are features as well."""
    before = state(classifier)
    assert any("running_mean" in name for name in before)
    fit(classifier, images, freeze="features", augmentation=augmentation)
    last = classifier.network.last_layer
    assert changed(before, state(classifier)) == {f"{last}.weight", f"{last}.bias"}
    assert all(weight.requires_grad for weight in classifier.network.parameters())


def test_without_freezing_everything_learns(classifier, images):
    before = state(classifier)
    fit(classifier, images, freeze="none")
    assert changed(before, state(classifier)) == set(before)


def test_a_frozen_network_is_in_evaluation_mode_in_every_step(classifier, images):
    modes = []
    norm = next(each for each in classifier.network.modules() if isinstance(each, nn.BatchNorm2d))
    norm.register_forward_pre_hook(lambda module, _: modes.append(module.training))
    fit(classifier, images, freeze="features", augmentation="crop-flip")
    assert modes
    assert not any(modes)
    modes.clear()
    fit(classifier, images, freeze="none")
    # In each epoch three steps, then a batch of validation and a sample of the training.
    assert modes == [True, True, True, False, False] * 2


def test_features_that_are_computed_once_teach_the_same(classifier, images, monkeypatch):
    before = state(classifier)
    fit(classifier, images, freeze="features")
    once = state(classifier)
    classifier.network.load_state_dict(before)
    monkeypatch.setitem(function.__globals__, "_features", lambda *_: None)
    fit(classifier, images, freeze="features")
    for name, value in state(classifier).items():
        assert torch.allclose(value, once[name], atol=1e-5), name


def test_the_last_layer_learns_what_the_features_tell(images):
    """Even fresh features tell bright from dark."""
    classifier = make("lenet5")
    history = fit(classifier, images, freeze="features", epochs=40, learning_rate=0.05)
    assert history[0].validation_accuracy < 0.7
    assert history[-1].train_accuracy > 0.7


def test_accuracies_are_those_of_evaluation_without_augmentation(images):
    """Some augmented photographs are right where the others are wrong."""
    classifier = make("lenet5")
    how = {"epochs": 6, "learning_rate": 0.003, "augmentation": "crop-flip-color"}
    last = fit(classifier, images, **how)[-1]
    right = classifier.scores(images).argmax(1) == TARGETS
    assert 0.5 < right.mean() < 1
    assert last.validation_accuracy == pytest.approx(right[VALIDATION].mean())
    # Without validation, the sample is all of the training, if that is small.
    last = fit(classifier, images, validation=np.array([], int), **how)[-1]
    assert last.validation_accuracy is None
    right = classifier.scores(images).argmax(1) == TARGETS
    assert last.train_accuracy == pytest.approx(right[TRAIN].mean())


def test_choosing_takes_the_epoch_that_did_best(images):
    wild = {"epochs": 6, "learning_rate": 0.5, "schedule": "constant", "freeze": "features"}
    accuracies = {}
    for choose in (True, False):
        classifier = make("lenet5")
        history = fit(classifier, images, choose=choose, **wild)
        right = classifier.scores(images).argmax(1) == TARGETS
        accuracies[choose] = right[VALIDATION].mean()
    found = [epoch.validation_accuracy for epoch in history]
    assert found[-1] < max(found)
    assert accuracies[True] == pytest.approx(max(found))
    assert accuracies[False] == pytest.approx(found[-1])


def test_one_photograph_is_too_few(classifier, images):
    with pytest.raises(UsageError, match="it takes at least two"):
        fit_photographs(
            classifier, images, TARGETS, train=np.array([0]), validation=VALIDATION,
            choose=False, settings=TransferSettings(), device=CPU,
        )  # fmt: skip
