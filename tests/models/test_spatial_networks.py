"""The published networks of small patches: sizes, what they compute, and what it costs."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hsi.errors import UsageError
from hsi.models import build_model, count_parameters, macs_per_patch, macs_per_pixel
from hsi.models.contextual_lee import FilterBank
from hsi.models.cost import positions_of_patch
from hsi.models.m3d_he import MultiScaleConv
from hsi.models.usual import usual


def network(name, bands, classes, **changes):
    sizes = {"bands": bands, "classes": classes, "patch_size": usual(name).patch_size}
    return build_model(name, **(sizes | changes))


def convolution(channels, out, *kernel):
    return out * channels * int(np.prod(kernel)) + out


def test_lis_parameters_follow_from_its_table():
    model = network("cnn3d-li", 103, 9)
    layers = convolution(1, 2, 7, 3, 3) + convolution(2, 4, 3, 3, 3)
    assert count_parameters(model) == layers + 4 * 95 * 9 + 9


def test_hamidas_parameters_follow_from_its_table():
    """14 bands are left of 103, as DeepHyperX's paddings have it."""
    model = network("cnn3d-hamida", 103, 9)
    layers = (
        convolution(1, 20, 3, 3, 3)
        + convolution(20, 20, 3)
        + convolution(20, 35, 3, 3, 3)
        + 2 * convolution(35, 35, 3)
        + convolution(35, 35, 2)
    )
    assert count_parameters(model) == layers + 35 * 14 * 9 + 9 == 35_039


def test_lees_parameters_follow_from_its_table():
    model = network("contextual-lee", 103, 9)
    bank = sum(convolution(103, 128, side, side) for side in (1, 3, 5))
    pointwise = convolution(384, 128, 1) + 6 * convolution(128, 128, 1)
    assert count_parameters(model) == bank + pointwise + 128 * 9 + 9


def test_hes_parameters_follow_from_its_table():
    """62 bands after the last convolution, 20 after the pooling."""
    model = network("m3d-he", 200, 16)
    scales = sum(convolution(16, 16, length) for length in (1, 3, 5, 11))
    layers = convolution(1, 16, 11, 3, 3) + 2 * scales + convolution(16, 16, 3, 2, 2)
    assert count_parameters(model) == layers + 16 * 20 * 2 * 2 * 16 + 16


def test_hamida_is_its_table_in_plain_convolutions():
    torch.manual_seed(0)
    model = network("cnn3d-hamida", 31, 3).double().eval()
    convs = [each for each in model.trunk if isinstance(each, nn.Conv3d)]
    x = torch.randn(2, 31, 5, 5, dtype=torch.float64)
    y = x.unsqueeze(1)
    table = [  # stride and padding along bands, and whether a ReLU follows
        (1, 0, True), (2, 1, False), (1, 1, True), (2, 1, False), (1, 1, True), (2, 1, True),
    ]  # fmt: skip
    for conv, (stride, padding, relu) in zip(convs, table, strict=True):
        y = F.conv3d(y, conv.weight, conv.bias, (stride, 1, 1), (padding, 0, 0))
        y = F.relu(y) if relu else y
    # Bands vary slowest in the last layer.
    expected = model.head[1](y[..., 0, 0].transpose(1, 2).flatten(1))
    torch.testing.assert_close(model(x), expected, rtol=1e-12, atol=1e-12)


def test_he_is_its_table_in_plain_convolutions():
    torch.manual_seed(0)
    model = network("m3d-he", 47, 3).double().eval()
    first, last = (each for each in model.trunk if type(each).__name__ == "SpectralSpatialConv")
    blocks = [each for each in model.trunk if isinstance(each, MultiScaleConv)]
    x = torch.randn(2, 47, 7, 7, dtype=torch.float64)
    y = F.relu(F.conv3d(x.unsqueeze(1), first.weight, first.bias, (3, 1, 1)))
    for block in blocks:
        parts = [
            F.conv3d(y, scale.weight, scale.bias, padding=(length // 2, 0, 0))
            for scale, length in zip(block.scales, (1, 3, 5, 11), strict=True)
        ]
        y = F.relu(sum(parts))
    y = F.max_pool3d(F.relu(F.conv3d(y, last.weight, last.bias)), (3, 2, 2), (3, 2, 2))
    assert y.shape[1:] == (16, 3, 2, 2)
    expected = model.head[3](y.transpose(1, 2).flatten(1))
    torch.testing.assert_close(model(x), expected, rtol=1e-12, atol=1e-12)


def test_lees_bank_pools_what_smaller_kernels_see_of_a_patch():
    torch.manual_seed(0)
    bank = FilterBank(6, 4, sizes=(1, 3, 5)).double()
    patch = torch.randn(2, 6, 5, 5, dtype=torch.float64)
    expected = [
        F.conv2d(patch, branch[0].weight, branch[0].bias).amax(dim=(2, 3))
        for branch in bank.branches
    ]
    torch.testing.assert_close(bank(patch)[:, :, 0, 0], torch.cat(expected, dim=1))


def test_lee_is_its_table_in_matrix_products():
    """Of a patch, all but the bank is linear layers, norms over channels and sums."""
    torch.manual_seed(0)
    model = network("contextual-lee", 6, 3).double().eval()
    weights = [each for each in model.trunk.modules() if isinstance(each, nn.Conv2d)][3:]

    def layer(number, x):
        conv = weights[number]
        return F.linear(x, conv.weight[:, :, 0, 0], conv.bias)

    def lrn(x):
        padded = F.pad(x.square(), (2, 2)).unfold(1, 5, 1).sum(2)
        return x / (1 + 1e-4 * padded / 5) ** 0.75

    patch = torch.randn(2, 6, 5, 5, dtype=torch.float64)
    x = F.relu(lrn(model.trunk[0](patch)[:, :, 0, 0]))
    x = F.relu(lrn(layer(0, x)))
    for first in (1, 3):
        x = F.relu(x + layer(first + 1, F.relu(layer(first, x))))
    x = F.relu(layer(6, F.relu(layer(5, x))))
    torch.testing.assert_close(model(patch), model.head(x), rtol=1e-12, atol=1e-12)


def test_multiply_adds_by_hand():
    """Convolutions of several lengths, added, are computed as one of the longest."""
    li = 97 * 3 * 3 * 2 * 7 * 9 + 95 * 4 * 2 * 3 * 9 + 95 * 4 * 9
    assert macs_per_patch(network("cnn3d-li", 103, 9)) == li
    of_pixel = 97 * 2 * 7 * 9 + 95 * 4 * 2 * 3 * 9 + 95 * 4 * 9
    assert macs_per_pixel(network("cnn3d-li", 103, 9)) == of_pixel
    he = (
        64 * 25 * 16 * 11 * 9
        + 2 * 64 * 25 * 16 * 16 * 11
        + 62 * 16 * 16 * 16 * 3 * 4
        + 20 * 16 * 4 * 16
    )
    assert macs_per_patch(network("m3d-he", 200, 16)) == he


def test_a_patch_costs_as_many_positions_as_its_layers_make():
    """A position costs 9 + 0.857 times what a first-layer position of Li's does, by the table."""
    first, second = 97 * 2 * 7 * 9, 95 * 4 * 2 * 3 * 9
    model = network("cnn3d-li", 103, 9)
    assert positions_of_patch(model) == pytest.approx((9 * first + second) / (first + second))


@pytest.mark.parametrize("name", ["cnn3d-hamida", "cnn3d-li", "contextual-lee", "m3d-he"])
def test_no_norms_are_known_to_either_norm(name):
    """ "batch" is the network as its authors have it."""
    for norm in ("batch", "none"):
        model = network(name, 30, 3, norm=norm)
        assert not any(
            isinstance(each, nn.modules.batchnorm._BatchNorm) for each in model.modules()
        )


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("cnn3d-li", {"bands": 8}, "at least 9"),
        ("cnn3d-hamida", {"bands": 2}, "at least 3"),
        ("m3d-he", {"bands": 22}, "at least 23"),
        ("cnn3d-li", {"patch_size": 3}, "at least 5"),
        ("m3d-he", {"patch_size": 6}, "must be odd"),
        ("contextual-lee", {"patch_size": 7}, "looks at 5x5 pixels: patch_size can only be 5"),
        ("contextual-lee", {"classes": 1}, "at least 2 classes"),
        ("cnn3d-hamida", {"norm": "bach"}, "did you mean 'batch'"),
        ("cnn3d-hamida", {"dropout": 1.0}, r"\[0, 1\)"),
    ],
)
def test_impossible_networks_are_refused_with_what_would_do(name, changes, words):
    with pytest.raises(UsageError, match=words):
        network(name, **({"bands": 30, "classes": 3} | changes))


@pytest.mark.parametrize(
    ("name", "bands", "patch_size"),
    [("cnn3d-li", 9, 5), ("cnn3d-hamida", 3, 5), ("contextual-lee", 1, 5), ("m3d-he", 23, 5)],
)
def test_the_smallest_possible_networks_work(name, bands, patch_size):
    model = network(name, bands, 2, patch_size=patch_size).eval()
    assert model(torch.zeros(3, bands, patch_size, patch_size)).shape == (3, 2)
