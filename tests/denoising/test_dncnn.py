"""The network is the paper's: its parameters, its layers, and how far it sees."""

import pytest
import torch
from torch import nn

from hsi.denoising import DnCNN
from hsi.errors import UsageError


@pytest.mark.parametrize(
    ("channels", "depth", "parameters"),
    # The first two are counted by hand from the paper's table, without biases beside batch norms.
    [(1, 17, 556_032), (1, 20, 667_008), (3, 17, 558_336), (5, 20, 671_616)],
)
def test_parameters(channels, depth, parameters):
    network = DnCNN(channels=channels, depth=depth)
    assert sum(weight.numel() for weight in network.parameters()) == parameters
    convolutions = [layer for layer in network if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == depth
    assert all(each.bias is None and each.padding == (1, 1) for each in convolutions)
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in network) == depth - 2


def test_an_untrained_network_finds_no_noise_and_can_learn_to():
    torch.manual_seed(0)
    network = DnCNN(channels=2, depth=3)
    images = torch.randn(2, 2, 9, 7)
    found = network(images)
    assert found.shape == images.shape
    assert (found == 0).all()
    (found - images).square().mean().backward()
    assert network[-1].weight.grad.abs().max() > 0


@pytest.mark.parametrize("depth", [3, 6])
def test_it_sees_as_far_as_its_halo_and_no_further(depth):
    torch.manual_seed(1)
    network = DnCNN(channels=1, depth=depth).double().eval()
    nn.init.normal_(network[-1].weight)
    image = torch.randn(1, 1, 31, 31, dtype=torch.float64, requires_grad=True)
    network(image)[0, 0, 15, 15].backward()
    rows = image.grad[0, 0].abs().sum(1).nonzero()[:, 0]
    assert network.halo == depth
    assert (int(rows.min()), int(rows.max())) == (15 - depth, 15 + depth)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"channels": 0, "depth": 17}, "channels is 0"), ({"channels": 1, "depth": 2}, "depth is 2")],
)
def test_sizes_that_are_none(options, said):
    with pytest.raises(UsageError, match=said):
        DnCNN(**options)
