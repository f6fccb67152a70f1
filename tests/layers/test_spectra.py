"""Convolutions along bands against PyTorch's 3-D ones, whatever the order in memory."""

import pytest
import torch
import torch.nn.functional as F

from hsi.layers import SpectralConv, SpectralSpatialConv
from hsi.layers.spectra import as_maps, as_rows


def gradients(y, tensors):
    generator = torch.Generator().manual_seed(1)
    weights = torch.randn(y.shape, generator=generator, dtype=y.dtype)
    return torch.autograd.grad((y * weights).sum(), tensors)


def assert_same(layer, x, expected):
    y = layer(x)
    torch.testing.assert_close(y, expected, rtol=1e-12, atol=1e-12)
    tensors = [x, *layer.parameters()]
    for got, want in zip(gradients(y, tensors), gradients(expected, tensors), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("in_channels", [1, 3])
@pytest.mark.parametrize(
    ("bands", "stride", "padding"),
    [(7, 2, 0), (3, 1, 1), (4, 3, 2), (11, 1, 0), (11, 1, 5), (1, 1, 0), (11, 2, 0)],
)
@pytest.mark.parametrize("bias", [True, False])
def test_spectral_convolution_is_conv3d(in_channels, bands, stride, padding, bias):
    torch.manual_seed(0)
    layer = SpectralConv(
        in_channels, 4, bands=bands, stride=stride, padding=padding, bias=bias
    ).double()
    x = torch.randn(2, in_channels, 11, 3, 5, dtype=torch.float64, requires_grad=True)
    expected = F.conv3d(x, layer.weight, layer.bias, layer.stride, layer.padding)
    assert_same(layer, x, expected)
    assert layer.weight.shape == (4, in_channels, bands, 1, 1)


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (0, 3, 4, 2, 1), (0, 2, 3, 4, 1)])
def test_the_order_in_memory_does_not_matter(order):
    layer = SpectralConv(3, 4, bands=3, padding=1).double()
    x = torch.randn(2, 3, 6, 4, 5, dtype=torch.float64)
    back = [order.index(axis) for axis in range(5)]
    stored = x.permute(order).contiguous().permute(back)
    torch.testing.assert_close(layer(stored), layer(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("in_channels", "bands", "padding"), [(1, 3, 0), (3, 3, 1), (3, 6, 0)])
def test_nothing_is_rearranged_between_layers(in_channels, bands, padding):
    x = torch.randn(2, in_channels, 6, 4, 5)
    with torch.no_grad():
        y = SpectralConv(in_channels, 8, bands=bands, padding=padding)(x)
    assert as_rows(y).data_ptr() == y.data_ptr()
    assert torch.equal(as_maps(as_rows(y), y), y)


@pytest.mark.parametrize("in_channels", [1, 3])
def test_the_stride_of_spectral_spatial_convolutions_is_along_the_bands(in_channels):
    torch.manual_seed(0)
    layer = SpectralSpatialConv(in_channels, 4, bands=5, size=3, stride=2, bias=False).double()
    x = torch.randn(2, in_channels, 12, 6, 7, dtype=torch.float64, requires_grad=True)
    expected = F.conv3d(x, layer.weight, None, (2, 1, 1))
    assert expected.shape == (2, 4, 4, 4, 5)
    assert_same(layer, x, expected)
