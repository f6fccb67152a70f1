"""Batch norms after a training: their statistics are those that NumPy finds in the features."""

import copy
import importlib

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

import hsi
from hsi.inference import predict_scene
from hsi.layers import gather_windows, pad_scene
from hsi.models import build_model
from hsi.training import settle
from hsi.training.batches import Crops, Patches, Region
from hsi.training.statistics import PIXELS, settle_statistics

CPU = torch.device("cpu")


def norms_of(model):
    return [each for each in model.modules() if isinstance(each, _BatchNorm)]


def state(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def differing(before, after):
    return {name for name, value in before.items() if not torch.equal(value, after[name])}


def built(name, *, patch_size=9, **options):
    """Return a network in float64 with running statistics that are far from any data."""
    torch.manual_seed(0)
    model = build_model(name, bands=13, classes=3, patch_size=patch_size, **options)
    for norm in norms_of(model):
        nn.init.uniform_(norm.running_mean, 50, 60)
        nn.init.uniform_(norm.running_var, 50, 60)
        nn.init.uniform_(norm.weight, 0.3, 1.7)
        nn.init.uniform_(norm.bias, -0.7, 0.7)
    return model.double()


def pixels_of(easy, kind, *, batch_size):
    return kind(
        np.argwhere(easy.train), easy.targets, batch_size=batch_size, class_balance=0.0, device=CPU
    )


def padded(easy, model):
    return pad_scene(torch.from_numpy(easy.cube).double().permute(2, 0, 1), model.patch_size)


def features_by_hand(model, easy, batches):
    """Return for each norm a list of what it sees ``(N, C, h, w)``, one array for each batch."""
    twin = copy.deepcopy(model).eval()
    seen = [[] for _ in norms_of(twin)]
    for norm, arrays in zip(norms_of(twin), seen, strict=True):
        norm.train()
        norm.register_forward_pre_hook(lambda _, given, to=arrays: to.append(given[0].numpy()))
    with torch.no_grad():
        for batch in batches:
            patches = gather_windows(padded(easy, model), batch.rows, batch.cols, model.patch_size)
            twin(patches)
    return seen


@pytest.mark.parametrize("name", ["mobilenet_v1_x0_25", "mobilenet_v2", "hybridsn-dw"])
def test_statistics_are_those_that_numpy_finds_in_the_features(name, easy):
    """With all pixels in one batch: exactly, in every layer, whatever they were before."""
    model = built(name)
    batches = pixels_of(easy, Patches, batch_size=1000)
    seen = features_by_hand(model, easy, batches.epoch(torch.Generator().manual_seed(3)))
    settle_statistics(model, padded(easy, model), batches, seed=3)
    assert len(seen) == len(norms_of(model)) > 0
    for norm, (features,) in zip(norms_of(model), seen, strict=True):
        assert len(features) == easy.train.sum()
        mean, variance = features.mean(axis=(0, 2, 3)), features.var(axis=(0, 2, 3), ddof=1)
        np.testing.assert_allclose(norm.running_mean, mean, rtol=0, atol=1e-9 * np.ptp(features))
        np.testing.assert_allclose(norm.running_var, variance, rtol=1e-8, atol=1e-12)


def test_several_batches_are_one_population(easy):
    """The spread between batches counts, which a mean of their variances would leave out."""
    model = built("mobilenet_v1_x0_25")
    batches = pixels_of(easy, Patches, batch_size=4)
    assert len(batches) > 10
    settle_statistics(model, padded(easy, model), batches, seed=0)
    generator = torch.Generator().manual_seed(0)
    seen = features_by_hand(model, easy, batches.epoch(generator))[0]
    everything = np.concatenate(seen)
    first = norms_of(model)[0]
    np.testing.assert_allclose(first.running_mean, everything.mean(axis=(0, 2, 3)), rtol=1e-9)
    variance = everything.var(axis=(0, 2, 3))
    within = np.mean([each.var(axis=(0, 2, 3)) for each in seen], axis=0)
    assert (within < 0.99 * variance).all()
    # Unbiased in each batch of at least 4 patches of 81 positions.
    np.testing.assert_allclose(first.running_var, variance, rtol=1 / (4 * 81))


def test_regions_of_a_scene_have_the_statistics_of_their_patches(easy):
    one, other = built("hybridsn-dw", patch_size=11), built("hybridsn-dw", patch_size=11)
    settle_statistics(one, padded(easy, one), pixels_of(easy, Patches, batch_size=1000), seed=0)
    settle_statistics(other, padded(easy, one), pixels_of(easy, Region, batch_size=1000), seed=0)
    for name, value in one.named_buffers():
        torch.testing.assert_close(other.get_buffer(name), value, rtol=1e-9, atol=1e-12, msg=name)
    settle_statistics(other, padded(easy, one), pixels_of(easy, Crops, batch_size=30), seed=0)
    assert differing(state(one), state(other))
    assert all(norm.running_mean.abs().max() < 20 for norm in norms_of(other))


def test_nothing_but_statistics_changes(easy):
    model = built("mobilenet_v2", dropout=0.5)
    model.train()
    model.head.features[0].eval()
    before, modes = state(model), [each.training for each in model.modules()]
    momenta = [norm.momentum for norm in norms_of(model)]
    drawn = torch.random.get_rng_state()
    settle_statistics(model, padded(easy, model), pixels_of(easy, Patches, batch_size=30), seed=0)
    changed = differing(before, state(model))
    assert len(changed) == 2 * len(norms_of(model))
    assert all(name.endswith(("running_mean", "running_var")) for name in changed)
    assert [each.training for each in model.modules()] == modes
    assert [norm.momentum for norm in norms_of(model)] == momenta
    assert torch.equal(torch.random.get_rng_state(), drawn)


def test_equal_weights_and_seed_give_equal_statistics(easy):
    model, batches = built("mobilenet_v1_x0_25"), pixels_of(easy, Patches, batch_size=20)
    found = []
    for seed in (0, 0, 1):
        settle_statistics(model, padded(easy, model), batches, seed=seed)
        found.append(state(model))
    assert not differing(found[0], found[1])
    assert differing(found[0], found[2])


def test_about_a_thousand_pixels_are_enough(easy, monkeypatch):
    monkeypatch.setattr("hsi.training.statistics.PIXELS", 30)
    model, batches = built("mobilenet_v1_x0_25"), pixels_of(easy, Patches, batch_size=20)
    looked_at = []
    model.register_forward_pre_hook(lambda _, given: looked_at.append(len(given[0])))
    settle_statistics(model, padded(easy, model), batches, seed=0)
    assert 30 <= sum(looked_at) < 50 < easy.train.sum()
    assert PIXELS >= 1000


def test_a_network_without_batch_norms_is_not_even_computed(easy):
    model = built("lenet5", patch_size=25)
    model.register_forward_pre_hook(lambda *_: pytest.fail("computed"))
    settle_statistics(model, padded(easy, model), pixels_of(easy, Patches, batch_size=20), seed=0)


def accuracies(model, easy):
    """Return the share of training pixels that is right: by batch statistics, and in the map."""
    rows, cols = np.nonzero(easy.train)
    truth = easy.targets[easy.train]
    twin = copy.deepcopy(model)
    for norm in norms_of(twin):
        norm.train()
    scene = torch.from_numpy(easy.cube).permute(2, 0, 1)
    places = torch.from_numpy(rows), torch.from_numpy(cols)
    with torch.no_grad():
        scores = twin(gather_windows(pad_scene(scene, model.patch_size), *places, model.patch_size))
    found = predict_scene(model, easy.cube, device="cpu").argmax(0)[easy.train]
    return (scores.argmax(1).numpy() == truth).mean(), (found == truth).mean()


SHORT = {
    "name": "mobilenet_v1_x0_25", "patch_size": 9, "epochs": 20, "batch_size": 32, "dropout": 0.0,
    "learning_rate": 5e-3,
}  # fmt: skip


def test_after_a_short_training_the_map_is_as_good_as_the_training_was(train_on, easy, monkeypatch):
    model, _ = train_on(**SHORT)
    in_batches, in_the_map = accuracies(model, easy)
    assert in_batches > 0.9
    assert in_the_map > in_batches - 0.05
    # A function of that name hides the module.
    module = importlib.import_module("hsi.training.fit")
    monkeypatch.setattr(module, "settle_statistics", lambda *_, **__: None)
    lagging, _ = train_on(**SHORT)
    in_batches, in_the_map = accuracies(lagging, easy)
    assert in_batches > 0.9
    assert in_the_map < 0.6


@pytest.mark.parametrize("validated", [False, True])
def test_a_training_leaves_settled_statistics_and_keeps_what_it_validated(
    validated, train_on, easy
):
    """With validation pixels, also in the weights that were kept on the way."""
    kept = []
    changes = {"epochs": 6, "batch_size": 32, "name": "mobilenet_v1_x0_25", "patch_size": 9}
    if validated:
        changes["validation"] = easy.validation
    model, history = train_on(**changes, keep=lambda model, _: kept.append(state(model)))
    left = state(model)
    if validated:
        assert not differing(kept[-1], left)
        found = predict_scene(model, easy.cube, device="cpu").argmax(0)[easy.validation]
        best = max(each.validation_accuracy for each in history)
        assert (found == easy.targets[easy.validation]).mean() == pytest.approx(best)
    recipe = hsi.Settings().changed(epochs=6, batch_size=32).recipe
    settle(model, easy.cube, easy.targets, train=easy.train, recipe=recipe, seed=0, device=CPU)
    assert not differing(left, state(model))
