"""Weights of torchvision's networks fit ours, and mean the same in them."""

import math

import pytest
import torch
from torch import nn

from hsi.backbones import BACKBONES, build_backbone
from hsi.backbones.googlenet import GoogLeNet

# Families that torchvision lacks; all others it has, and a new one joins by itself.
OWN = ("lenet5", "preresnet", "mobilenet_v1", "shufflenet_v1", "se_", "eca_", "cbam_", "sk_")
SHARED = [name for name in BACKBONES if not name.startswith(OWN)]
# What differs in the arguments of torchvision's builders; initial weights are overwritten.
ARGUMENTS = {"googlenet": {"aux_logits": False, "init_weights": False}}


def build_pair(torchvision, name):
    """Return both networks without storage."""
    with torch.device("meta"):
        theirs = torchvision.models.get_model(name, weights=None, **ARGUMENTS.get(name, {}))
        return build_backbone(name).eval(), theirs.eval()


def cheap_state(shapes):
    """Return random weights that keep the activations of a deep network in bounds.

    Quick: all are cut from one sequence, whose prime length keeps them from repeating in step with
    any layer.
    """
    torch.manual_seed(0)
    sequence = torch.randn(1_000_003)
    state, start = {}, 0
    for name, value in shapes.items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.zeros((), dtype=torch.int64)
            continue
        start = (start + 7919) % len(sequence)
        repeats = math.ceil((start + value.numel()) / len(sequence))
        drawn = sequence.repeat(repeats)[start : start + value.numel()].view(value.shape)
        if value.ndim > 1:
            state[name] = drawn * (2 / value[0].numel()) ** 0.5
        elif name.endswith(("running_var", "weight")):
            state[name] = 1 + 0.3 * drawn.tanh()
        else:
            state[name] = 0.1 * drawn
    return state


@pytest.mark.parametrize("name", SHARED)
def test_state_dict_and_output_are_torchvisions(torchvision, name):
    ours, theirs = build_pair(torchvision, name)
    shapes = {key: value.shape for key, value in ours.state_dict().items()}
    assert shapes == {key: value.shape for key, value in theirs.state_dict().items()}
    state = cheap_state(theirs.state_dict())
    ours.load_state_dict(state, assign=True)
    theirs.load_state_dict(state, assign=True)
    images = torch.randn(2, 3, 64, 72)
    with torch.no_grad():
        got, expected = ours(images), theirs(images)
    spread = (expected[0] - expected[1]).abs().max()
    assert spread > 1e-3 * expected.abs().max()  # the images reach the scores
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


def test_auxiliary_heads_are_torchvisions(torchvision):
    with torch.device("meta"):
        ours = GoogLeNet(auxiliary=True)
        theirs = torchvision.models.googlenet(weights=None, aux_logits=True, init_weights=False)
    state = cheap_state(theirs.state_dict())
    ours.load_state_dict(state, assign=True)
    theirs.load_state_dict(state, assign=True)
    for network in (ours, theirs):
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        network.train()  # torchvision's has auxiliary scores only then
    images = torch.randn(3, 3, 64, 64)
    with torch.no_grad():
        main, second, first = theirs(images)
        scores = ours.with_auxiliary(images)
    for got, expected in ((scores.main, main), (scores.first, first), (scores.second, second)):
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5 * float(main.abs().max()))


def test_every_shared_variant_is_compared(torchvision):
    available = set(torchvision.models.list_models(module=torchvision.models))
    assert set(SHARED) == available & BACKBONES.keys()


@pytest.mark.parametrize("name", ["resnet18", "googlenet"])
def test_initial_weights_spread_as_torchvisions(torchvision, name):
    ours = build_backbone(name).state_dict()
    arguments = {"aux_logits": False, "init_weights": True} if name == "googlenet" else {}
    theirs = torchvision.models.get_model(name, weights=None, **arguments).state_dict()
    for key, value in theirs.items():
        if value.is_floating_point() and value.numel() > 2000:
            assert ours[key].std() == pytest.approx(float(value.std()), rel=0.15, abs=1e-9), key


def test_initial_weights_of_vgg_are_hes_and_small_normal_ones():
    for module in build_backbone("vgg11", channels=30).modules():
        if isinstance(module, nn.Conv2d):
            expected = (2 / (9 * module.out_channels)) ** 0.5
            assert float(module.weight.detach().std()) == pytest.approx(expected, rel=0.05)
            assert not module.bias.any()
        elif isinstance(module, nn.Linear):
            assert float(module.weight.detach().std()) == pytest.approx(0.01, rel=0.05)
            assert not module.bias.any()
