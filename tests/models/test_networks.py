"""Facts about the networks: sizes, the trunk rule, and what they refuse."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from hsi.backbones import BACKBONES
from hsi.errors import UsageError
from hsi.layers import DepthwiseSeparableConv, SpectralSpatialConv
from hsi.models import MODELS, build_model, count_parameters, macs_per_patch, usual
from hsi.models.cost import shapes_alone


def test_all_networks_are_tested(networks_for_scenes):
    """The contracts of this and other files hold for those that tests/conftest.py names."""
    assert set(networks_for_scenes) == MODELS.keys() - BACKBONES.keys()


@pytest.mark.parametrize("name", ["hybridsn", "cnn1d-hu", "cnn3d-li", "resnet18"])
def test_patches_are_of_the_usual_side_if_none_is_given(name):
    with shapes_alone():
        assert build_model(name, bands=30, classes=3).patch_size == usual(name).patch_size


@pytest.mark.parametrize(
    ("bands", "classes", "parameters"),
    [(30, 16, 5_122_176), (15, 9, 4_844_793), (15, 16, 4_845_696)],
)
def test_hybridsn_without_norm_has_the_papers_parameters(bands, classes, parameters):
    model = build_model("hybridsn", bands=bands, classes=classes, norm="none")
    assert count_parameters(model) == parameters


def test_depthwise_variant_replaces_exactly_the_2d_convolution():
    usual = build_model("hybridsn", bands=30, classes=16, norm="none")
    split = build_model("hybridsn-dw", bands=30, classes=16, norm="none")
    channels = 32 * 18
    convolution = channels * 9 * 64 + 64
    depthwise_and_pointwise = (channels * 9 + channels) + (channels * 64 + 64)
    difference = count_parameters(usual) - count_parameters(split)
    assert difference == convolution - depthwise_and_pointwise


def test_batch_norm_adds_scale_and_shift_and_takes_the_bias_before_it():
    for name, normed_channels in {
        "hybridsn": 64,
        "hybridsn-dw": 576 + 64,
        "hybridsn-2d3d": 64,
    }.items():
        with_norm = build_model(name, bands=30, classes=16, norm="batch")
        without = build_model(name, bands=30, classes=16, norm="none")
        assert count_parameters(with_norm) - count_parameters(without) == normed_channels


def test_first_linear_layer_of_2d3d_sees_480896_values():
    model = build_model("hybridsn-2d3d", bands=30, classes=16)
    assert model.head[1].in_features == 480_896


def test_macs_equal_the_sum_by_hand():
    model = build_model("hybridsn", bands=30, classes=16)
    convolutions = (
        24 * 23**2 * 8 * 7 * 9
        + 20 * 21**2 * 16 * 8 * 5 * 9
        + 18 * 19**2 * 32 * 16 * 3 * 9
        + 17**2 * 64 * 576 * 9
    )
    linear = 64 * 17**2 * 256 + 256 * 128 + 128 * 16
    assert macs_per_patch(model) == convolutions + linear


def test_counting_macs_leaves_the_mode_of_the_model_alone():
    model = build_model("hybridsn", bands=15, classes=3, patch_size=9)
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    macs_per_patch(model)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_trunk_of_a_patch_is_a_window_of_the_trunk_of_the_scene(small_trunk_of_any_size):
    torch.manual_seed(0)
    model = small_trunk_of_any_size.build().double().eval()
    p, k = model.patch_size, model.window_size
    rows, cols = p + 7, p + 9
    scene = torch.randn(1, model.bands, rows, cols, dtype=torch.float64)
    with torch.no_grad():
        whole = model.trunk(scene)
        for row, col in [(0, 0), (3, 5), (rows - p, cols - p)]:
            patch = scene[:, :, row : row + p, col : col + p]
            window = whole[:, :, row : row + k, col : col + k]
            torch.testing.assert_close(model.trunk(patch), window, rtol=1e-12, atol=1e-12)


def test_every_weight_learns(small_network):
    torch.manual_seed(0)
    model = small_network.build(dropout=0.0)
    patches = torch.randn(6, model.bands, model.patch_size, model.patch_size)
    loss = F.cross_entropy(model(patches), torch.tensor([0, 1, 2, 3, 1, 2]))
    loss.backward()
    without = [n for n, w in model.named_parameters() if w.grad is None or not w.grad.any()]
    assert without == []


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(
    ("in_channels", "bands", "size", "map_size"),
    [(1, 7, 3, (6, 8)), (1, 2, 1, (6, 8)), (3, 5, 3, (6, 8)), (3, 5, 3, (3, 3)), (2, 4, 2, (2, 2))],
)
def test_spectral_convolution_is_conv3d(in_channels, bands, size, map_size, stride):
    torch.manual_seed(0)
    layer = SpectralSpatialConv(in_channels, 4, bands=bands, size=size, stride=stride).double()
    x = torch.randn(2, in_channels, 11, *map_size, dtype=torch.float64, requires_grad=True)
    y = layer(x)
    expected = F.conv3d(x, layer.weight, layer.bias, stride=(stride, 1, 1))
    torch.testing.assert_close(y, expected, rtol=1e-12, atol=1e-12)
    weights = torch.randn_like(y)
    got = torch.autograd.grad((y * weights).sum(), [x, *layer.parameters()])
    want = torch.autograd.grad((expected * weights).sum(), [x, *layer.parameters()])
    for one, other in zip(got, want, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_depthwise_separable_convolution_equals_numpy():
    torch.manual_seed(0)
    layer = DepthwiseSeparableConv(3, 2, size=3, norm="none").double()
    x = torch.randn(1, 3, 5, 5, dtype=torch.float64)
    depthwise, _, pointwise, _ = layer
    image = x[0].numpy()
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3), axis=(1, 2))
    middle = np.einsum("chwij,cij->chw", windows, depthwise.weight.detach().numpy()[:, 0])
    middle = np.maximum(middle + depthwise.bias.detach().numpy()[:, None, None], 0)
    out = np.einsum("chw,oc->ohw", middle, pointwise.weight.detach().numpy()[:, :, 0, 0])
    out = np.maximum(out + pointwise.bias.detach().numpy()[:, None, None], 0)
    np.testing.assert_allclose(layer(x)[0].detach().numpy(), out, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "hybridsm"}, "did you mean 'hybridsn'"),
        ({"bands": 12}, "at least 13"),
        ({"patch_size": 7}, "at least 9"),
        ({"patch_size": 24}, "odd"),
        ({"classes": 1}, "at least 2"),
        ({"norm": "bach"}, "did you mean 'batch'"),
        ({"dropout": 1.0}, r"\[0, 1\)"),
    ],
)
def test_impossible_networks_are_refused_with_what_would_do(arguments, words):
    usual = {"name": "hybridsn", "bands": 30, "classes": 16}
    with pytest.raises(UsageError, match=words):
        build_model(**(usual | arguments))


@pytest.mark.parametrize("name", ["hybridsn", "hybridsn-dw"])
def test_the_smallest_possible_network_works(name):
    model = build_model(name, bands=13, classes=2, patch_size=9).eval()
    assert model(torch.zeros(3, 13, 9, 9)).shape == (3, 2)


def test_patches_of_another_shape_are_refused_with_both_shapes():
    model = build_model("hybridsn", bands=15, classes=2, patch_size=11)
    with pytest.raises(UsageError, match=r"\(2, 15, 9, 9\).*\(N, 15, 11, 11\)"):
        model(torch.zeros(2, 15, 9, 9))
