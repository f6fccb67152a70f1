"""Multiply-adds as published, and the parameters of ShuffleNet V1 from its paper's table."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from hsi.backbones import build_backbone


def parameters(name):
    with torch.device("meta"):
        return sum(weight.numel() for weight in build_backbone(name).parameters())


def multiply_adds(name, side=224):
    """Count the millions of multiply-adds of convolutions and of the linear layer."""
    with torch.device("meta"):
        network = build_backbone(name).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 3, side, side))
    counts = counter.get_flop_counts()["Global"]
    linear = counts.pop(torch.ops.aten.addmm) / 2e6
    return sum(counts.values()) / 2e6, linear


# Channels of the first convolution, of the first stage and of its narrow 3x3. Stage by stage, the
# last two double, but for narrow ones that had been rounded up to a multiple of the groups.
SHUFFLENET = {
    "shufflenet_v1_g1_x0_5": (1, 12, 72, (18, 36, 72)),
    "shufflenet_v1_g1_x1_0": (1, 24, 144, (36, 72, 144)),
    "shufflenet_v1_g1_x2_0": (1, 48, 288, (72, 144, 288)),
    "shufflenet_v1_g2_x0_5": (2, 12, 100, (26, 50, 100)),
    "shufflenet_v1_g2_x1_0": (2, 24, 200, (50, 100, 200)),
    "shufflenet_v1_g2_x2_0": (2, 48, 400, (100, 200, 400)),
    "shufflenet_v1_g3_x0_5": (3, 12, 120, (30, 60, 120)),
    "shufflenet_v1_g3_x1_0": (3, 24, 240, (60, 120, 240)),
    "shufflenet_v1_g3_x2_0": (3, 48, 480, (120, 240, 480)),
    "shufflenet_v1_g4_x0_5": (4, 12, 136, (36, 68, 136)),
    "shufflenet_v1_g4_x1_0": (4, 24, 272, (68, 136, 272)),
    "shufflenet_v1_g4_x2_0": (4, 48, 544, (136, 272, 544)),
    "shufflenet_v1_g8_x0_5": (8, 16, 192, (48, 96, 192)),
    "shufflenet_v1_g8_x1_0": (8, 24, 384, (96, 192, 384)),
    "shufflenet_v1_g8_x2_0": (8, 48, 768, (192, 384, 768)),
}


@pytest.mark.parametrize("name", SHUFFLENET)
def test_parameters_of_shufflenet_v1_equal_the_sum_by_hand(name):
    groups, stem, wide, narrow = SHUFFLENET[name]
    total = 27 * stem + 2 * stem
    before = stem
    for stage, units in enumerate((3, 7, 3)):
        middle, after = narrow[stage], wide * 2**stage
        depthwise = 9 * middle + 2 * middle
        # the unit that halves the map: its branch makes what the pooled input lacks
        made = after - before
        ungrouped = 1 if stage == 0 else groups
        total += before * middle // ungrouped + 2 * middle + depthwise
        total += middle * made // groups + 2 * made
        total += units * (2 * middle * after // groups + 2 * middle + depthwise + 2 * after)
        before = after
    assert parameters(name) == total + 1000 * before + 1000


# "complexity" in Table 1 of the ShuffleNet paper, which leaves the linear layer out.
@pytest.mark.parametrize(("groups", "millions"), [(1, 143), (2, 140), (3, 137), (4, 133), (8, 137)])
def test_shufflenet_v1_costs_what_its_paper_says(groups, millions):
    convolutions, _ = multiply_adds(f"shufflenet_v1_g{groups}_x1_0")
    assert round(convolutions) == millions


# Millions of multiply-adds and of parameters of the ShuffleNet authors' own networks,
# https://github.com/megvii-model/ShuffleNet-Series.
@pytest.mark.parametrize(
    ("name", "millions", "weights"),
    [
        ("shufflenet_v1_g3_x0_5", 38, 0.7),
        ("shufflenet_v1_g8_x0_5", 40, 1.0),
        ("shufflenet_v1_g3_x2_0", 524, 5.4),
        ("shufflenet_v1_g8_x2_0", 522, 6.5),
    ],
)
def test_shufflenet_v1_is_as_large_as_its_authors_networks(name, millions, weights):
    assert sum(multiply_adds(name)) == pytest.approx(millions, abs=0.6)
    assert parameters(name) / 1e6 == pytest.approx(weights, abs=0.06)


# Side of the image, and millions of multiply-adds: of MobileNet and ShuffleNet V2 from the papers,
# of DenseNet and EfficientNet from torchvision's documentation, rounded to tens of millions.
@pytest.mark.parametrize(
    ("name", "side", "millions", "rounding"),
    [
        ("mobilenet_v1", 224, 569, 0.5),
        ("mobilenet_v1_x0_75", 224, 325, 0.5),
        ("mobilenet_v1_x0_5", 224, 149, 0.5),
        ("mobilenet_v1_x0_25", 224, 41, 0.5),
        ("mobilenet_v2", 224, 300, 1),
        ("shufflenet_v2_x0_5", 224, 41, 1),
        ("shufflenet_v2_x1_0", 224, 146, 2),
        ("densenet121", 224, 2830, 5),
        ("densenet161", 224, 7730, 5),
        ("efficientnet_b0", 224, 390, 5),
        ("efficientnet_b3", 300, 1830, 5),
        ("efficientnet_b7", 600, 37750, 5),
    ],
)
def test_networks_cost_what_is_published(name, side, millions, rounding):
    assert sum(multiply_adds(name, side)) == pytest.approx(millions, abs=rounding)
