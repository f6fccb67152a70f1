"""What EfficientNet has besides its convolutions: norms, dropout, stochastic depth, attention."""

import pytest
import torch
from torch import nn

from hsi.backbones import build_backbone
from hsi.backbones.efficientnet import StochasticDepth


@pytest.mark.parametrize("number", range(8))
def test_norms_and_dropout_are_torchvisions(torchvision, number):
    with torch.device("meta"):
        ours = build_backbone(f"efficientnet_b{number}")
        theirs = torchvision.models.get_model(f"efficientnet_b{number}", weights=None)

    def settings(network):
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        return [(norm.eps, norm.momentum) for norm in norms], network.classifier[0].p

    assert settings(ours) == settings(theirs)


def test_probabilities_of_leaving_out_a_block_are_torchvisions(torchvision):
    with torch.device("meta"):
        ours = build_backbone("efficientnet_b2")
        theirs = torchvision.models.efficientnet_b2(weights=None)
    compared = 0
    for name, block in theirs.named_modules():
        if hasattr(block, "stochastic_depth"):
            drop = ours.get_submodule(name).drop
            assert (drop is not None) == block.use_res_connect
            if drop is not None:
                assert drop.probability == pytest.approx(block.stochastic_depth.p)
                compared += 1
    assert compared == 16


def test_stochastic_depth_drops_whole_images_and_keeps_the_mean():
    torch.manual_seed(0)
    layer = StochasticDepth(0.25)
    x = torch.rand(4000, 2, 3, 1) + 0.5
    ratios = (layer(x) / x).flatten(1)
    kept = ratios[:, 0] > 0
    torch.testing.assert_close(ratios[kept], torch.full_like(ratios[kept], 4 / 3))
    assert not ratios[~kept].any()
    assert kept.float().mean() == pytest.approx(0.75, abs=0.03)
    assert torch.equal(layer.eval()(x), x)
    assert torch.equal(StochasticDepth(0.0)(x), x)


def test_attention_takes_the_place_of_squeeze_and_excitation():
    """In each block, on the map that the depthwise convolution has made."""
    wide = [32, 96, 144, 144, 240, 240, 480, 480, 480, 672, 672, 672, *[1152] * 4]
    # a quarter of the channels that come into each block
    squeezed = [8, 4, 6, 6, 10, 10, 20, 20, 20, 28, 28, 28, *[48] * 4]
    asked = []

    def nothing(channels):
        asked.append(channels)
        return nn.Identity()

    with torch.device("meta"):
        usual = build_backbone("efficientnet_b0")
        without = build_backbone("efficientnet_b0", attention=nothing)
    assert asked == wide
    taken = sum(each.numel() for each in usual.parameters())
    taken -= sum(each.numel() for each in without.parameters())
    assert taken == sum(2 * w * s + w + s for w, s in zip(wide, squeezed, strict=True))
