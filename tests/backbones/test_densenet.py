"""What is dense about DenseNet."""

import pytest
import torch
from torch import nn

from hsi.backbones import build_backbone
from hsi.backbones.densenet import DenseBlock


@pytest.fixture
def block():
    torch.manual_seed(0)
    return DenseBlock(6, layers=3, growth=4).double().eval()


def test_a_block_keeps_its_input_and_adds_a_map_for_each_layer(block):
    x = torch.randn(2, 6, 5, 5, dtype=torch.float64)
    y = block(x)
    assert y.shape == (2, 6 + 3 * 4, 5, 5)
    assert torch.equal(y[:, :6], x)
    assert torch.equal(y[:, 6:10], block[0]([x]))
    assert torch.equal(y[:, 14:], block[2]([x, y[:, 6:10], y[:, 10:14]]))


def test_every_layer_sees_the_input_itself(block):
    """Even when the layers between have nothing to say."""
    for layer in (block[0], block[1]):
        nn.init.zeros_(layer.conv2.weight)
    x = torch.randn(1, 6, 5, 5, dtype=torch.float64, requires_grad=True)
    block(x)[:, 14:].square().sum().backward()
    assert (x.grad.abs().sum(dim=(0, 2, 3)) > 0).all()


def test_attention_stands_behind_each_dense_block():
    asked = []

    def nothing(channels):
        asked.append(channels)
        return nn.Identity()

    with torch.device("meta"):
        network = build_backbone("densenet121", attention=nothing)
    assert asked == [256, 512, 1024, 1024]
    names = [name for name, _ in network.features.named_children()]
    before = [names[i - 1] for i, name in enumerate(names) if name.startswith("attention")]
    assert before == [f"denseblock{number}" for number in (1, 2, 3, 4)]
