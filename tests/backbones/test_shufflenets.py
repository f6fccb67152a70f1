"""The units of ShuffleNet, V1 against NumPy, and what the shuffle is for."""

import numpy as np
import pytest
import torch
from torch import nn

from hsi.backbones import build_backbone
from hsi.backbones.shufflenet_v1 import ShuffleUnit
from hsi.backbones.shufflenet_v2 import Unit


class Silence(nn.Module):
    """Attention that lets nothing pass."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward(self, x):
        return 0 * x


def places(name):
    with torch.device("meta"):
        network = build_backbone(name, attention=Silence)
    return [module.channels for module in network.modules() if isinstance(module, Silence)]


def unit(before, after, *, stride, groups, attention=None):
    torch.manual_seed(0)
    made = ShuffleUnit(
        before, after, stride=stride, groups=groups, first_groups=groups, attention=attention
    )
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            for value in (module.weight, module.bias, module.running_mean, module.running_var):
                nn.init.uniform_(value, 0.5, 1.5)
    return made.double().eval()


def normed(layer, x):
    """Apply the batch norm of a layer in evaluation mode to (C, h, w)."""
    norm = {name: value.detach().numpy()[:, None, None] for name, value in
            layer[1].state_dict().items() if value.ndim}  # fmt: skip
    scaled = (x - norm["running_mean"]) / np.sqrt(norm["running_var"] + layer[1].eps)
    return scaled * norm["weight"] + norm["bias"]


def pointwise(layer, x, groups):
    weights = layer[0].weight.detach().numpy()[:, :, 0, 0]
    parts = zip(np.split(weights, groups), np.split(x, groups), strict=True)
    return normed(layer, np.concatenate([np.einsum("oc,chw->ohw", w, part) for w, part in parts]))


def neighbourhoods(x, stride):
    """Return the 3x3 squares of the padded map, (C, h, w, 3, 3)."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    squares = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return squares[:, ::stride, ::stride]


@pytest.mark.parametrize(("before", "after", "stride"), [(24, 24, 1), (12, 36, 2)])
@pytest.mark.parametrize("groups", [1, 3])
def test_a_unit_of_v1_equals_numpy(before, after, stride, groups):
    made = unit(before, after, stride=stride, groups=groups)
    images = torch.randn(1, before, 7, 6, dtype=torch.float64)
    x = images[0].numpy()
    y = np.maximum(pointwise(made.reduce, x, groups), 0)
    y = y.reshape(groups, -1, *y.shape[1:]).swapaxes(0, 1).reshape(y.shape)
    kernels = made.filter[0].weight.detach().numpy()[:, 0]
    y = normed(made.filter, np.einsum("chwij,cij->chw", neighbourhoods(y, stride), kernels))
    y = pointwise(made.expand, y, groups)
    pooled = neighbourhoods(x, stride).mean(axis=(3, 4))
    y = x + y if stride == 1 else np.concatenate([pooled, y])
    got = made(images)[0].detach().numpy()
    np.testing.assert_allclose(got, np.maximum(y, 0), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("groups", [2, 3, 4, 8])
def test_every_output_hears_of_every_group_of_inputs(groups):
    """Without a shuffle, only of its own."""
    channels = 8 * groups * groups
    made = unit(channels, channels, stride=1, groups=groups)
    for module in made.modules():  # so that no ReLU stays silent
        if isinstance(module, nn.Conv2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.zeros_(module.running_mean)
    x = torch.rand(1, channels, 3, 3, dtype=torch.float64, requires_grad=True)
    heard = []
    for part in made(x).split(channels // groups, dim=1):
        (gradient,) = torch.autograd.grad(part.square().sum(), x, retain_graph=True)
        heard += [bool(each.any()) for each in gradient.split(channels // groups, dim=1)]
    assert heard == [True] * groups**2


def test_attention_of_v1_acts_on_the_branch_alone():
    x = torch.rand(1, 24, 6, 6, dtype=torch.float64)
    assert torch.equal(unit(24, 24, stride=1, groups=3, attention=Silence)(x), x)
    y = unit(24, 48, stride=2, groups=3, attention=Silence)(x)
    assert torch.equal(y[:, :24], nn.functional.avg_pool2d(x, 3, 2, padding=1))
    assert not y[:, 24:].any()
    assert places("shufflenet_v1_g3_x1_0") == [
        216, *[240] * 3, 240, *[480] * 7, 480, *[960] * 3,
    ]  # fmt: skip


def test_attention_of_v2_acts_on_the_half_that_is_changed():
    x = torch.rand(1, 8, 6, 6)
    y = Unit(8, 8, stride=1, attention=Silence).eval()(x)
    assert torch.equal(y[:, ::2], x[:, :4])
    assert not y[:, 1::2].any()
    assert places("shufflenet_v2_x1_0") == [*[58] * 4, *[116] * 8, *[232] * 4]
