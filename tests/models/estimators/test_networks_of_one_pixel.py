"""Classifiers of spectra are networks like all others: built, saved, mapped, refused."""

import copy

import numpy as np
import pytest
import torch

import hsi
from hsi.errors import RunError, UsageError
from hsi.models import build_model, count_parameters, macs_per_patch, usual
from hsi.models.cost import shapes_alone
from hsi.models.estimator import SpectralEstimator
from hsi.sampling import BandScaler
from hsi.training import Classifier


def test_before_it_has_learned_all_scores_are_0(estimator_name, scores_of):
    network = build_model(estimator_name, bands=6, classes=5, patch_size=1)
    assert isinstance(network, SpectralEstimator)
    spectra = np.random.default_rng(0).standard_normal((9, 6)).astype(np.float32)
    np.testing.assert_array_equal(scores_of(network, spectra), np.zeros((9, 5)))


def test_sizes_are_counted_without_memory(estimator_name):
    with shapes_alone():
        network = build_model(estimator_name, bands=6, classes=5, patch_size=1)
        linear = estimator_name == "logistic-regression"
        assert macs_per_patch(network) == (6 * 5 if linear else 0)
        assert count_parameters(network) == (6 * 5 + 5 if linear else 0)


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        # spectra with support vectors; those with duels; duels with classes, twice
        ("svm", lambda told: told["support_vectors"] * (7 + 6) + 2 * 6 * 4),
        ("knn", lambda told: told["stored_spectra"] * 7),
        ("logistic-regression", lambda told: 7 * 4),
        ("random-forest", lambda told: 0),
    ],
)
def test_multiply_adds_are_those_of_its_matrix_products(name, macs, overlapping, learned):
    network, told = learned(name, overlapping())
    assert macs_per_patch(network) == macs(told)
    assert macs_per_patch(network.to("meta")) == macs(told)


def test_hyperparameters_and_sizes_are_told(estimator_name, overlapping, learned):
    data = overlapping()
    _, told = learned(estimator_name, data)
    assert 0.5 < told["accuracy"] <= 1
    names = {
        "svm": {"C", "gamma", "support_vectors"},
        "random-forest": {"max_features", "trees", "nodes"},
        "knn": {"n_neighbors", "stored_spectra"},
        "logistic-regression": {"C", "iterations"},
    }
    assert told.keys() == names[estimator_name] | {"how", "accuracy"}


def test_the_same_seed_learns_the_same(estimator_name, overlapping, learned):
    data = overlapping()
    one, other = (learned(estimator_name, data, seed=2**63 - 1)[0] for _ in range(2))
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_learning_leaves_what_it_is_given(estimator_name, overlapping, learned):
    data = overlapping()
    before = copy.deepcopy(data)
    learned(estimator_name, data)
    np.testing.assert_array_equal(data.spectra, before.spectra)
    np.testing.assert_array_equal(data.targets, before.targets)


@pytest.mark.parametrize("targets", [[0, 1], [0, 1, 2], [0, 1, 1, 2, 2, 2]])
def test_classes_of_one_pixel(estimator_name, targets, scores_of):
    network = build_model(estimator_name, bands=3, classes=3, patch_size=1)
    spectra = 10 * np.eye(3, dtype=np.float32)[targets]
    network.learn(spectra, targets, validation=None, seed=0)
    if estimator_name != "random-forest":  # whose trees do not see every pixel
        assert scores_of(network, spectra).argmax(axis=1).tolist() == targets


def test_what_it_learned_goes_through_a_file(
    estimator_name, overlapping, learned, scores_of, tmp_path
):
    data = overlapping()
    network, _ = learned(estimator_name, data)
    ids = np.array([1, 5, 6, 14], dtype=np.int32)
    scaler = BandScaler().fit(data.spectra)
    options = {"name": estimator_name, "bands": 7, "classes": 4, "patch_size": 1}
    Classifier(
        network=network,
        options=options,
        reduction=scaler,
        class_ids=ids,
        class_names={i: f"class {i}" for i in ids.tolist()},
        class_colors=dict.fromkeys(ids.tolist(), (1, 2, 3)),
    ).save(tmp_path / "model.safetensors")
    again = Classifier.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(
        scores_of(again.network, data.others), scores_of(network, data.others)
    )


def test_state_of_other_sizes_is_loaded_into_one_that_has_learned(
    estimator_name, overlapping, learned, scores_of
):
    data, other = overlapping(pixels=120), overlapping(pixels=60, seed=1)
    network, twin = learned(estimator_name, data)[0], learned(estimator_name, other)[0]
    twin.load_state_dict(network.state_dict())
    np.testing.assert_array_equal(scores_of(twin, data.others), scores_of(network, data.others))


@pytest.mark.parametrize(
    ("name", "tensor", "axis"),
    [("svm", "vectors", 1), ("svm", "intercepts", 0), ("knn", "targets", 0),
     ("random-forest", "shares", 1), ("random-forest", "threshold", 0)],
)  # fmt: skip
def test_tensors_that_do_not_fit_each_other_are_refused(
    name, tensor, axis, overlapping, learned, tmp_path
):
    network, _ = learned(name, overlapping())
    state = network.state_dict()
    key = f"head.1.{tensor}"
    state[key] = state[key].narrow(axis, 0, 1).clone()
    fresh = build_model(name, bands=7, classes=4, patch_size=1)
    with pytest.raises(RuntimeError, match=rf"{tensor} has shape|has shape .*; expected \("):
        fresh.load_state_dict(state)


def test_a_map_is_made_of_the_scores_of_its_pixels(estimator_name, overlapping, learned, scores_of):
    data = overlapping()
    network, _ = learned(estimator_name, data)
    cube = data.others.reshape(20, 25, 7)
    expected = scores_of(network, data.others).T.reshape(4, 20, 25)
    for precision, tolerance in (("full", 1e-6), ("bf16", 1.0)):
        scores = hsi.predict_scene(network, cube, device="cpu", precision=precision)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=tolerance * np.ptp(expected))
    np.testing.assert_array_equal(
        hsi.predict_scene(network, cube, device="cpu").argmax(axis=0), expected.argmax(axis=0)
    )
    part = hsi.predict_scene(network, cube[:, 3:9], device="cpu")
    np.testing.assert_allclose(part, expected[:, :, 3:9], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["svm", "knn", "random-forest"])
def test_memory_is_bounded_by_chunks(name, overlapping, learned, scores_of, monkeypatch):
    data = overlapping()
    network, _ = learned(name, data)
    expected = scores_of(network, data.others)
    largest = []
    rule = type(network.rule)
    method = {"svm": "_decision_values", "knn": "_shares", "random-forest": "_mean_shares"}[name]
    original = getattr(rule, method)
    monkeypatch.setattr(
        rule, method, lambda self, some: largest.append(len(some)) or original(self, some)
    )
    monkeypatch.setattr("hsi.layers.distances.HELD_VALUES", 1000)
    np.testing.assert_allclose(scores_of(network, data.others), expected, rtol=1e-12, atol=1e-12)
    assert len(largest) > 1
    assert sum(largest) == len(data.others)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"patch_size": 3}, "patch_size .*must be 1, not 3"),
        ({"classes": 1}, "at least 2 classes"),
        ({"bands": 0}, "at least one band"),
        ({"norm": "bach"}, "did you mean 'batch'"),
        ({"dropout": 1.0}, r"\[0, 1\)"),
        ({"attention": "se"}, "takes no attention"),
        ({"weights": "imagenet"}, "fresh weights"),
    ],
)
def test_what_cannot_be_built(estimator_name, changes, words):
    sizes = {"bands": 6, "classes": 3, "patch_size": 1}
    with pytest.raises(UsageError, match=words):
        build_model(estimator_name, **(sizes | changes))


@pytest.mark.parametrize(
    ("spectra", "targets", "words"),
    [
        (np.zeros((4, 5)), [0, 1, 2, 0], r"\(4, 5\) and targets \(4,\); expected \(n, 6\)"),
        (np.zeros((4, 6)), [0, 1, 2], r"\(4, 6\) and targets \(3,\)"),
        (np.zeros((4, 6)), [0, 1, 2, 3], "whole numbers from 0 to 2"),
        (np.zeros((4, 6)), [0, 1, -1, 0], "whole numbers from 0 to 2"),
        (np.zeros((2, 6)), [0.0, 1.0], "whole numbers"),
        (np.zeros((4, 6)), [1, 1, 1, 1], "4 training pixels are of one class only"),
        (np.full((2, 6), np.nan), [0, 1], "NaN, infinity"),
        (np.full((2, 6), 1e39), [0, 1], "more than float32"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_what_cannot_be_learned_from(estimator_name, spectra, targets, words):
    network = build_model(estimator_name, bands=6, classes=3, patch_size=1)
    with pytest.raises(UsageError, match=words):
        network.learn(spectra, targets, validation=None, seed=0)


def test_they_are_given_single_pixels_with_all_bands(estimator_name):
    assert (usual(estimator_name).patch_size, usual(estimator_name).reduction) == (1, "bands")


def test_a_damaged_file_is_refused_with_words(overlapping, learned, tmp_path):
    network, _ = learned("svm", overlapping())
    rule = network.rule
    rule.intercepts = rule.intercepts[:-1]
    ids = np.array([1, 2, 3, 4], dtype=np.int32)
    Classifier(
        network=network,
        options={"name": "svm", "bands": 7, "classes": 4, "patch_size": 1},
        reduction=BandScaler().fit(overlapping().spectra),
        class_ids=ids,
        class_names=dict.fromkeys(ids.tolist(), "a class"),
        class_colors=dict.fromkeys(ids.tolist(), (1, 2, 3)),
    ).save(tmp_path / "model.safetensors")
    with pytest.raises(RunError, match="is damaged"):
        Classifier.load(tmp_path / "model.safetensors")
