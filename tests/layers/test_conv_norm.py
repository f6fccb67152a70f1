"""Convolutions that keep the size, alone and in an inverted residual."""

import pytest
import torch
from torch import nn

from hsi.layers.conv_norm import ConvNorm, same_conv
from hsi.layers.inverted_residual import inverted_residual


@pytest.mark.parametrize("size", [1, 3, 5, 7])
@pytest.mark.parametrize(("stride", "expected"), [(1, (25, 10)), (2, (13, 5))])
def test_only_the_stride_makes_the_map_smaller(size, stride, expected):
    layer = same_conv(2, 4, size=size, stride=stride)
    assert layer(torch.zeros(1, 2, 25, 10)).shape == (1, 4, *expected)


def test_initial_weights_keep_the_size_of_gradients():
    """Of the gradient behind a ReLU, which lets half of it through."""
    torch.manual_seed(0)
    layer = same_conv(64, 256, size=3)
    x = torch.zeros(4, 64, 24, 24, requires_grad=True)
    gradient = torch.randn(4, 256, 24, 24)
    layer(x).backward(gradient * (torch.rand_like(gradient) < 0.5))
    assert x.grad[:, :, 1:-1, 1:-1].std() == pytest.approx(1, rel=0.03)


def test_norm_and_activation_follow_in_order():
    kinds = [type(each) for each in ConvNorm(2, 4, size=3, activation=nn.SiLU)]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.SiLU]
    assert [type(each) for each in ConvNorm(2, 4, size=3)] == [nn.Conv2d, nn.BatchNorm2d]
    assert list(ConvNorm(2, 4, size=1).state_dict())[:3] == ["0.weight", "1.weight", "1.bias"]


def test_inverted_residual_is_wide_between_and_linear_at_the_end():
    sizes = {"size": 5, "stride": 2, "activation": nn.ReLU6}
    (expand, depthwise), project = inverted_residual(4, 8, expansion=6, **sizes)
    assert [layer[0].out_channels for layer in (expand, depthwise, project)] == [24, 24, 8]
    assert [layer[0].kernel_size for layer in (expand, depthwise, project)] == [
        (1, 1), (5, 5), (1, 1),
    ]  # fmt: skip
    assert depthwise[0].groups == 24
    assert depthwise[0].stride == (2, 2)
    assert isinstance(expand[-1], nn.ReLU6)
    assert isinstance(depthwise[-1], nn.ReLU6)
    assert isinstance(project[-1], nn.BatchNorm2d)
    assert len(inverted_residual(4, 8, expansion=1, **sizes)[0]) == 1
