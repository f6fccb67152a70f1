"""Chen's 3-D CNN: sizes, the table in plain layers, what it costs, and its own way to a patch."""

import pytest
import torch
import torch.nn.functional as F

from hsi.errors import UsageError
from hsi.models import build_model, count_parameters, macs_per_patch, macs_per_pixel
from hsi.models.cnn3d_chen import SpatialMaxPool
from hsi.models.cost import shapes_alone


def network(bands, classes=9, **changes):
    return build_model("cnn3d-chen", bands=bands, classes=classes, **changes)


@pytest.mark.parametrize(("bands", "depth", "left"), [(103, 32, 10), (200, 32, 107), (30, 10, 3)])
def test_its_parameters_follow_from_its_table(bands, depth, left):
    with shapes_alone():
        model = network(bands)
    layers = 32 * depth * 4 * 4 + 32 + 64 * 32 * depth * 5 * 5 + 64 + 128 * 64 * depth * 4 * 4 + 128
    assert count_parameters(model) == layers + 128 * left * 9 + 9


def in_plain_layers(model, x):
    trunk = model.trunk
    y = x.unsqueeze(1)
    for conv in (trunk.conv1, trunk.conv2):
        y = F.max_pool3d(F.relu(F.conv3d(y, conv.weight, conv.bias)), (1, 2, 2))
    y = F.relu(F.conv3d(y, trunk.conv3.weight, trunk.conv3.bias))
    assert y.shape[1:] == (128, 2, 1, 1)
    # Bands vary slowest in the last layer.
    return model.head[1](y[..., 0, 0].transpose(1, 2).flatten(1))


def test_it_is_its_table_in_plain_layers():
    torch.manual_seed(0)
    model = network(20, 3).double().eval()
    x = torch.randn(2, 20, 27, 27, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(model(x), in_plain_layers(model, x), rtol=1e-11, atol=1e-11)


def test_it_learns_as_plain_layers_would():
    """Where gradients are wanted, another way of pooling is taken."""
    torch.manual_seed(0)
    model = network(20, 3).double().eval()
    x = torch.randn(2, 20, 27, 27, dtype=torch.float64)
    ways = []
    for scores in (model(x), in_plain_layers(model, x)):
        loss = scores.square().sum()
        ways.append([loss, *torch.autograd.grad(loss, list(model.parameters()))])
    assert len(ways[0]) == 9
    for own, plain in zip(*ways, strict=True):
        torch.testing.assert_close(own, plain, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("stride", [1, 2])
def test_both_ways_of_pooling_agree(stride):
    x = torch.randn(2, 3, 5, 9, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        one = SpatialMaxPool()(x, stride=stride)
    other = SpatialMaxPool()(x.requires_grad_(), stride=stride)
    assert other.requires_grad
    assert torch.equal(one, other)


def test_multiply_adds_are_those_of_the_table():
    """Of the convolutions themselves, not of the spectra that stand for them on a CPU."""
    model = network(103)
    patch = (
        72 * 24**2 * 32 * 32 * 4**2
        + 41 * 8**2 * 64 * 32 * 32 * 5**2
        + 10 * 128 * 64 * 32 * 4**2
        + 128 * 10 * 9
    )
    assert macs_per_patch(model) == patch
    pixel = (
        72 * 32 * 32 * 4**2 + 41 * 64 * 32 * 32 * 5**2 + 10 * 128 * 64 * 32 * 4**2 + 128 * 10 * 9
    )
    assert macs_per_pixel(model) == pixel


def test_dropout_acts_in_the_second_and_the_third_stage():
    torch.manual_seed(0)
    model = network(14, dropout=0.9).train()
    seen = []
    model.trunk.dropout.register_forward_hook(lambda _module, args, _out: seen.append(args[0]))
    with torch.no_grad():
        model(torch.randn(2, 14, 27, 27))
    assert [tuple(each.shape[1:]) for each in seen] == [(64, 6, 4, 4), (128 * 2, 1, 1)]


def test_other_patches_are_refused():
    with pytest.raises(UsageError, match="looks at 27x27 pixels: patch_size can only be 27"):
        network(30, patch_size=25)
