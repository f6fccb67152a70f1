"""The convolutions against sums written out, and what a trunk needs of them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hsi.layers import (
    DepthwiseSeparableConv,
    SpectralSpatialConv,
    TrunkBatchNorm2d,
    normalization,
)


def correlate(x, weight, bias):
    """Correlate (C, bands, h, w) with (out, C, depth, k, k) as the definition says."""
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(1, 2, 3))
    return np.einsum("cbhwdij,ocdij->obhw", windows, weight) + bias[:, None, None, None]


@settings(deadline=None, max_examples=30)
@given(
    in_channels=st.sampled_from([1, 1, 2, 3]),
    out_channels=st.integers(1, 3),
    depth=st.integers(1, 4),
    size=st.sampled_from([1, 3]),
    more=st.tuples(*[st.integers(0, 3)] * 3),
    seed=st.integers(0, 99),
)
def test_spectral_convolution_equals_the_sum(in_channels, out_channels, depth, size, more, seed):
    torch.manual_seed(seed)
    layer = SpectralSpatialConv(in_channels, out_channels, bands=depth, size=size).double()
    shape = (2, in_channels, depth + more[0], size + more[1], size + more[2])
    x = torch.randn(shape, dtype=torch.float64)
    with torch.no_grad():
        y = layer(x)
    weight, bias = (value.detach().numpy() for value in (layer.weight, layer.bias))
    assert y.shape == (2, out_channels, *(each + 1 for each in more))
    for one, result in zip(x, y, strict=True):
        expected = correlate(one.numpy(), weight, bias)
        np.testing.assert_allclose(result.numpy(), expected, rtol=1e-11, atol=1e-11)


def test_spectral_convolution_takes_views_of_any_strides():
    torch.manual_seed(0)
    layer = SpectralSpatialConv(1, 2, bands=3, size=3)
    x = torch.randn(2, 9, 8, 7).permute(0, 3, 1, 2).unsqueeze(1)
    assert not x.is_contiguous()
    torch.testing.assert_close(layer(x), layer(x.contiguous()))


@pytest.mark.parametrize("in_channels", [1, 2])
def test_spectral_convolution_is_loaded_from_a_conv3d(in_channels):
    plain = nn.Conv3d(in_channels, 4, (5, 3, 3))
    layer = SpectralSpatialConv(in_channels, 4, bands=5, size=3)
    layer.load_state_dict(plain.state_dict())
    x = torch.randn(1, in_channels, 8, 5, 5)
    torch.testing.assert_close(layer(x), plain(x))


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_depthwise_separable_convolution_leaves_its_input_alone(norm):
    """The activations work in place, on what the layer made itself."""
    torch.manual_seed(0)
    layer = DepthwiseSeparableConv(3, 5, size=3, norm=norm)
    x = torch.randn(2, 3, 6, 7)
    before = x.clone()
    y = layer(x)
    assert torch.equal(x, before)
    assert y.shape == (2, 5, 4, 5)
    assert y.min() >= 0


def test_depthwise_separable_convolution_pads_and_strides_its_depthwise_half():
    """Padded and with a stride, it is the unpadded one on the padded map, every second position."""
    torch.manual_seed(0)
    layer = DepthwiseSeparableConv(3, 5, size=3, norm="none", stride=2, padding=1)
    plain = DepthwiseSeparableConv(3, 5, size=3, norm="none")
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(2, 3, 7, 8)
    expected = plain(nn.functional.pad(x, (1, 1, 1, 1)))[:, :, ::2, ::2]
    torch.testing.assert_close(layer(x), expected)


def test_depthwise_channels_do_not_see_each_other_before_the_pointwise_convolution():
    torch.manual_seed(0)
    layer = DepthwiseSeparableConv(3, 2, size=3, norm="none")
    with torch.no_grad():
        for module in layer:
            if isinstance(module, nn.Conv2d):
                module.weight.abs_()
                module.bias.fill_(1.0)
        layer[2].weight[0, 1:] = 0  # the first output looks at the first channel only
        x = torch.rand(1, 3, 5, 5)
        other = x.clone()
        other[:, 1:] += 1
        assert torch.equal(layer(x)[:, 0], layer(other)[:, 0])
        assert (layer(other)[:, 1] > layer(x)[:, 1]).all()


def test_batch_norm_follows_each_convolution_and_takes_its_bias():
    kinds = [type(module) for module in DepthwiseSeparableConv(3, 5, size=3, norm="batch")]
    assert kinds == [nn.Conv2d, TrunkBatchNorm2d, nn.ReLU] * 2
    biases = [
        module.bias is not None
        for norm in ("batch", "none")
        for module in DepthwiseSeparableConv(3, 5, size=3, norm=norm)
        if isinstance(module, nn.Conv2d)
    ]
    assert biases == [False, False, True, True]


def test_normalization_is_one_batch_norm_or_nothing():
    (layer,) = normalization("batch", 7)
    assert isinstance(layer, nn.BatchNorm2d)
    assert layer.num_features == 7
    assert normalization("none", 7) == []
