"""Small stems leave out the first two halvings of the map, and only those."""

import pytest
import torch
from torch import nn

from hsi.backbones import build_backbone


def sides(name, *, small_stem, side):
    """Return the sides of the maps that the network's convolutions make, one after the other."""
    with torch.device("meta"):
        network = build_backbone(name, small_stem=small_stem).eval()
        seen = []
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.register_forward_hook(lambda *call: seen.append(call[2].shape[2]))
        network(torch.empty(1, 3, side, side))
    return seen


@pytest.mark.parametrize(
    "name",
    [
        "densenet121",
        "mobilenet_v1",
        "mobilenet_v2",
        "shufflenet_v1_g3_x1_0",
        "shufflenet_v2_x1_0",
        "efficientnet_b0",
    ],
)
def test_a_small_stem_does_to_an_image_what_the_usual_does_to_one_four_times_larger(name):
    """From the moment on that its maps are small enough."""
    usual = sides(name, small_stem=False, side=128)
    assert sorted(set(usual) - {1}) == [4, 8, 16, 32, 64]
    assert sides(name, small_stem=True, side=32) == [min(side, 32) for side in usual]
