"""Small stems leave out the first two halvings of the map, and only those."""

import pytest
import torch
from torch import nn

from hsi.backbones import build_backbone


def sides(name, *, small_stem, side):
    """Return the sides that the maps of the network's convolutions have, largest first."""
    with torch.device("meta"):
        network = build_backbone(name, small_stem=small_stem).eval()
        seen = []
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.register_forward_hook(lambda *call: seen.append(call[2].shape[2]))
        network(torch.empty(1, 3, side, side))
    # without the 1 of squeeze-and-excitation
    return sorted(set(seen) - {1}, reverse=True)


@pytest.mark.parametrize(
    "name",
    ["densenet121", "mobilenet_v1", "mobilenet_v2", "shufflenet_v1_g3_x1_0", "shufflenet_v2_x1_0",
     "efficientnet_b0"],
)  # fmt: skip
def test_a_small_stem_halves_three_times_instead_of_five(name):
    assert sides(name, small_stem=True, side=32) == [32, 16, 8, 4]
    assert sides(name, small_stem=False, side=224) == [112, 56, 28, 14, 7]
