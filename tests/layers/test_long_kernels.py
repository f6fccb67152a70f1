"""Convolutions through spectra along the bands against PyTorch's own."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from hsi.layers import long_kernels
from hsi.layers.long_kernels import LongSpectralConv, spectral_matrices


@given(bands=st.integers(1, 40), data=st.data())
def test_the_matrices_are_a_convolution(bands, data):
    depth = data.draw(st.integers(1, bands))
    generator = torch.Generator().manual_seed(bands)
    x = torch.randn(bands, dtype=torch.float64, generator=generator)
    kernel = torch.randn(depth, dtype=torch.float64, generator=generator)
    of_maps, of_kernels, back = spectral_matrices(bands, depth)
    found = back @ ((of_maps @ x) * (of_kernels @ kernel))
    torch.testing.assert_close(found, x.unfold(0, depth, 1) @ kernel, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize(("bands", "depth", "size"), [(12, 5, 3), (9, 9, 2), (7, 1, 1), (1, 1, 1)])
def test_values_and_gradients_are_those_of_conv3d(bands, depth, size, dilation, monkeypatch):
    monkeypatch.setattr(long_kernels, "AT_ONCE", 5)
    torch.manual_seed(0)
    layer = LongSpectralConv(3, 4, bands=depth, size=size).double()
    x = torch.randn(2, 3, bands, 6, 7, dtype=torch.float64, requires_grad=True)
    y = layer(x, dilation=dilation)
    expected = F.conv3d(x, layer.weight, layer.bias, dilation=(1, dilation, dilation))
    torch.testing.assert_close(y, expected, rtol=1e-11, atol=1e-11)
    weights = torch.randn_like(y)
    got = torch.autograd.grad((y * weights).sum(), [x, *layer.parameters()])
    want = torch.autograd.grad((expected * weights).sum(), [x, *layer.parameters()])
    for one, other in zip(got, want, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_single_precision_loses_no_more_than_a_few_of_its_digits():
    torch.manual_seed(0)
    layer = LongSpectralConv(8, 4, bands=32, size=3)
    x = torch.randn(1, 8, 150, 5, 5)
    with torch.no_grad():
        exact = F.conv3d(x.double(), layer.weight.double(), layer.bias.double())
        apart = (layer(x) - exact).abs().max() / exact.abs().max()
        plain = (F.conv3d(x, layer.weight, layer.bias) - exact).abs().max() / exact.abs().max()
    assert plain < apart < 1e-5


def test_half_precision_is_summed_in_single():
    torch.manual_seed(0)
    layer = LongSpectralConv(4, 3, bands=8, size=2)
    x = torch.randn(1, 4, 20, 4, 4)
    half = LongSpectralConv(4, 3, bands=8, size=2).bfloat16()
    half.load_state_dict(layer.state_dict())
    with torch.no_grad():
        found = half(x.bfloat16())
        exact = F.conv3d(x.bfloat16().float(), half.weight.float(), half.bias.float())
        assert found.dtype == torch.bfloat16
        assert (found.float() - exact).abs().max() <= 2**-8 * exact.abs().max()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            mixed = layer(x)
        torch.testing.assert_close(mixed, F.conv3d(x, layer.weight, layer.bias))
