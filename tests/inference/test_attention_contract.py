"""Networks with attention keep the contract: a map is what each patch on its own would give."""

import numpy as np
import pytest
import torch
from torch import nn

from hsi.inference import predict_pixels, predict_scene
from hsi.inference.plan import first_linear
from hsi.layers.attention import ATTENTIONS
from hsi.models import build_model

# Windows of 1x1 and 3x3 of the wide network (1664 channels), and of 3x3 and 5x5 of the others.
NETWORKS = [
    ("hybridsn", 13), ("hybridsn-dw", 11), ("hybridsn-2d3d", 11), ("hybridsn-2d3d", 9),
]  # fmt: skip
CUBE = np.random.default_rng(0).standard_normal((4, 6, 13))


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch):
    """Batches are filled up; here they are as small as the scenes."""
    monkeypatch.setattr("hsi.inference.dense.WINDOW_VALUES", 2**16)
    monkeypatch.setattr("hsi.inference.patchwise.PATCH_BATCH", 8)


@pytest.fixture(scope="module", params=NETWORKS, ids=lambda each: f"{each[0]}-{each[1]}")
def network(request):
    """Return a function that gives the network with some attention, its scales drawn."""
    name, patch_size = request.param

    def build(attention):
        torch.manual_seed(0)
        model = build_model(
            name, bands=13, classes=4, patch_size=patch_size, attention=attention
        ).double()
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_mean, -0.3, 0.3)
                nn.init.uniform_(module.running_var, 0.2, 2.0)
        for weight in model.head[0].parameters():
            if weight.ndim < 2:  # the scales of dual attention start at 0
                nn.init.uniform_(weight, 0.2, 1.2)
        return model

    return build


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_dense_equals_patches_with_every_attention(network, attention):
    model = network(attention)
    assert model.has_trunk
    assert first_linear(model) is None  # the head's windows are cut out
    for dtype, tolerance in ((torch.float64, 1e-9), (torch.float32, 1e-4)):
        dense, patches = (
            predict_scene(model.to(dtype), CUBE, method=method, device="cpu")
            for method in ("dense", "patches")
        )
        assert np.abs(dense - patches).max() <= tolerance * np.ptp(patches)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_attention_sees_the_window_of_a_pixel_and_no_more(attention):
    """Not the scene around it, and not the pixels that are predicted with it."""
    torch.manual_seed(0)
    model = build_model(
        "hybridsn-dw", bands=13, classes=4, patch_size=11, attention=attention
    ).double()
    for weight in model.head[0].parameters():
        nn.init.normal_(weight)
    cube = np.random.default_rng(1).standard_normal((30, 9, 13))
    other = cube.copy()
    other[15:] *= 50
    pixels = np.array([[4, 3], [9, 8]])  # their patches end at row 14
    for method in ("dense", "patches"):
        one, two = (
            predict_pixels(model, each, pixels, method=method, device="cpu")
            for each in (cube, other)
        )
        np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(predict_pixels(model, cube, pixels[:1], device="cpu"), one[:1])
