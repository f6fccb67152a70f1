"""A trunk that breaks the rule is noticed when the network is registered."""

import numpy as np
import pytest
import torch
from torch import nn

import hsi
from hsi.errors import UsageError
from hsi.inference import predict_scene
from hsi.layers import TrunkBatchNorm2d
from hsi.models import MODELS, PatchNetwork, build_model, check_trunk, register_model


def network(*trunk, receptive_field=3, channels=4, patch_size=9, **_):
    size = patch_size - receptive_field + 1
    return PatchNetwork(
        trunk=nn.Sequential(*trunk),
        head=nn.Sequential(nn.Flatten(), nn.Linear(channels * size**2, 3)),
        bands=5,
        classes=3,
        patch_size=patch_size,
        receptive_field=receptive_field,
    )


def test_the_models_keep_the_rule(small_trunk_of_any_size):
    for norm in ("batch", "none"):
        if small_trunk_of_any_size.takes(norm):
            check_trunk(small_trunk_of_any_size.build(norm=norm))


class Shift(nn.Module):
    """Looks at the neighbour, wrapping around: no convolution, and wrong all the same."""

    def forward(self, x):
        return x.roll(1, -1)


@pytest.mark.parametrize(
    ("layers", "field"),
    [
        ([nn.Conv2d(5, 4, 3, padding=1)], 1),
        ([nn.Conv2d(5, 4, 3), nn.BatchNorm2d(4)], 3),
        ([nn.Conv2d(5, 4, 3), nn.InstanceNorm2d(4)], 3),
        ([nn.Conv2d(5, 4, 3), nn.MaxPool2d(3, stride=1, padding=1)], 3),
        ([nn.Conv2d(5, 4, 3), Shift()], 3),
        ([nn.Conv2d(5, 4, 3), nn.GroupNorm(2, 4)], 3),
    ],
)
def test_what_looks_beyond_its_position_is_refused(layers, field):
    with pytest.raises(UsageError, match="other values on a scene than on a patch"):
        check_trunk(network(*layers, receptive_field=field))


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2d(5, 4, 3), TrunkBatchNorm2d(4), nn.ReLU(inplace=True)],
        [nn.Conv2d(5, 4, 3, dilation=1), nn.GELU(), nn.Conv2d(4, 4, 1)],
        [nn.MaxPool2d(3, stride=1), nn.Conv2d(5, 4, 1), nn.Softmax(dim=1), nn.Dropout(0.5)],
    ],
)
def test_what_may_be_in_a_trunk(layers):
    check_trunk(network(*layers))


def test_a_wrong_receptive_field_is_named():
    with pytest.raises(UsageError, match="7x7 of a 9x9 patch; with receptive_field=5"):
        check_trunk(network(nn.Conv2d(5, 4, 3), receptive_field=5))
    with pytest.raises(UsageError, match="4x4 of a 9x9 patch"):
        check_trunk(network(nn.Conv2d(5, 4, 3, stride=2)))


def test_a_network_without_a_trunk_passes():
    model = network(receptive_field=1, channels=5)
    model.trunk = nn.Identity()
    check_trunk(model)


def test_the_check_leaves_the_model_and_the_callers_generator_alone():
    model = build_model("hybridsn-dw", bands=14, classes=3, patch_size=9)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    check_trunk(model)
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr("hsi.models.registry.MODELS", dict(MODELS))


def test_a_registered_network_is_built_by_name(registry):
    register_model("mine", lambda **sizes: network(nn.Conv2d(5, 4, 3), **sizes), patch_size=9)
    model = hsi.build_model("mine", bands=5, classes=3, patch_size=9)
    assert predict_scene(model, torch.zeros(4, 3, 5).numpy(), device="cpu").shape == (3, 4, 3)


def test_a_network_that_breaks_the_rule_is_not_registered(registry):
    with pytest.raises(UsageError, match="patch by patch"):
        register_model("mine", lambda **sizes: network(nn.Conv2d(5, 4, 3), Shift(), **sizes))
    with pytest.raises(UsageError, match="unknown model 'mine'"):
        hsi.build_model("mine", bands=5, classes=3)


def test_attention_in_the_trunk_of_a_registered_network_is_refused(registry):
    def build(*, attention=None, norm, dropout, **sizes):
        blocks = [attention(4)] if attention else []
        return network(nn.Conv2d(5, 4, 3), *blocks, **sizes)

    register_model("mine", build, bands=5, patch_size=9)
    sizes = {"bands": 5, "classes": 3, "patch_size": 9}
    scene = np.zeros((14, 13, 5), np.float32)
    assert predict_scene(hsi.build_model("mine", **sizes), scene, method="dense").shape[0] == 3
    with pytest.raises(UsageError, match="other values on a scene than on a patch"):
        predict_scene(hsi.build_model("mine", **sizes, attention="se"), scene, method="dense")


def test_names_are_not_taken_twice_and_builders_return_networks(registry):
    with pytest.raises(UsageError, match="already"):
        register_model("hybridsn", network)
    with pytest.raises(UsageError, match="returned a Linear"):
        register_model("mine", lambda **_: nn.Linear(2, 2))
