"""Steps in mixed precision, on a CPU: nearly those of full precision, for less."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from hsi.errors import UsageError
from hsi.layers import TrunkBatchNorm2d, pad_scene
from hsi.layers.norm import sampled_patches
from hsi.models import build_model
from hsi.training import Settings
from hsi.training.batches import Region
from hsi.training.step import batch_loss, region_scores

CPU = torch.device("cpu")


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_a_weighted_norm_of_half_precision_keeps_its_statistics_exact(kind):
    torch.manual_seed(0)
    norm = TrunkBatchNorm2d(3)
    x = (5 + 0.5 * torch.randn(1, 3, 40, 30)).to(kind)
    sampled = torch.ones(1, 40, 30, dtype=torch.int64)
    grad = torch.randn(1, 3, 40, 30)
    results = []
    for value, autocast in ((x.clone(), True), (x.float(), False)):
        layer, value = copy.deepcopy(norm), value.requires_grad_()
        with sampled_patches(layer, sampled), torch.autocast("cpu", kind, enabled=autocast):
            y = layer(value)
        y.backward(grad.to(y.dtype))
        results.append((y, value.grad, layer.weight.grad, layer.running_mean, layer.running_var))
    (y, dx, dw, mean, variance), (y_, dx_, dw_, mean_, variance_) = results
    assert y.dtype == dx.dtype == kind
    assert dw.dtype == mean.dtype == torch.float32
    torch.testing.assert_close(mean, mean_, rtol=1e-6, atol=0)
    torch.testing.assert_close(variance, variance_, rtol=1e-6, atol=0)
    torch.testing.assert_close(y.float(), y_, rtol=0.02, atol=0.02)
    torch.testing.assert_close(dx.float(), dx_, rtol=0.03, atol=0.03)
    torch.testing.assert_close(dw, dw_, rtol=0.03, atol=0.3)


@pytest.mark.parametrize("name", ["hybridsn", "hybridsn-dw", "hybridsn-2d3d"])
def test_a_step_of_a_region_is_nearly_that_of_full_precision(name):
    torch.manual_seed(0)
    model = build_model(name, bands=14, classes=4, patch_size=11, dropout=0.0)
    twin = copy.deepcopy(model)
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 4, (14, 12))
    padded = pad_scene(torch.randn(14, 14, 12), 11)
    pixels = np.argwhere(rng.random((14, 12)) < 0.5)
    batches = Region(pixels, targets, batch_size=len(pixels), class_balance=0.0, device=CPU)
    batch = next(iter(batches.epoch(torch.Generator().manual_seed(0))))
    with torch.autocast("cpu", torch.bfloat16):
        scores = region_scores(model, padded, batch)
        loss = batch_loss(scores, batch, label_smoothing=0.0)
    loss.backward()
    expected = region_scores(twin, padded, batch)
    batch_loss(expected, batch, label_smoothing=0.0).backward()
    assert scores.dtype == torch.bfloat16
    assert loss.dtype == torch.float32
    assert (scores - expected).abs().max() < 0.03 * (expected.max() - expected.min())
    for (key, weight), other in zip(model.named_parameters(), twin.parameters(), strict=True):
        assert weight.dtype == weight.grad.dtype == torch.float32
        cosine = nn.functional.cosine_similarity(weight.grad.flatten(), other.grad.flatten(), dim=0)
        assert cosine > 0.95, (key, float(cosine))


def test_an_easy_scene_is_learned_in_mixed_precision(train_on, easy):
    from hsi.inference import predict_scene

    full, _ = train_on(epochs=15, batch_size=16, precision="full")
    model, history = train_on(epochs=15, batch_size=16, precision="bf16")
    assert all(weight.dtype == torch.float32 for weight in model.parameters())
    assert history[-1].loss < 0.2 * history[0].loss
    found = predict_scene(model, easy.cube, device="cpu").argmax(0)
    assert (found == easy.targets)[~easy.train].mean() > 0.8
    assert any(
        not torch.equal(one, other)
        for one, other in zip(model.parameters(), full.parameters(), strict=True)
    )


def test_on_a_cpu_the_default_is_full_precision(train_on):
    one, _ = train_on(epochs=2)
    other, _ = train_on(epochs=2, precision="full")
    for value, same in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(value, same)


def test_an_unknown_precision_is_refused():
    with pytest.raises(UsageError, match="--precision"):
        Settings().changed(precision="fp8")
