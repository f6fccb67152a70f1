"""Networks with attention, and what they and others cost."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hsi.errors import UsageError
from hsi.layers.attention import ATTENTIONS, build_attention
from hsi.layers.attention.se import SqueezeExcitation
from hsi.models import (
    MODELS,
    PatchNetwork,
    build_model,
    count_parameters,
    macs_per_patch,
    macs_per_pixel,
    register_model,
)
from hsi.models.cost import macs_of, shapes_alone

SIZES = {"bands": 13, "classes": 3, "patch_size": 11}


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize(
    ("name", "channels"), [("hybridsn", 64), ("hybridsn-dw", 64), ("hybridsn-2d3d", 1664)]
)
def test_every_variant_takes_every_attention_after_its_trunk(name, channels, attention):
    with shapes_alone():
        plain = build_model(name, **SIZES)
        model = build_model(name, **SIZES, attention=attention)
        block = build_attention(attention, channels=channels)
    assert type(model.head[0]) is type(block)
    assert count_parameters(model) - count_parameters(plain) == count_parameters(block)
    assert model.trunk.state_dict().keys() == plain.trunk.state_dict().keys()
    added = macs_per_patch(model) - macs_per_patch(plain)
    assert added == macs_of(block, torch.empty(2, channels, 3, 3, device="meta"))
    assert macs_per_pixel(model) - macs_per_pixel(plain) == added


@pytest.mark.parametrize("attention", ["se", "eca"])
def test_names_with_their_attention(attention):
    torch.manual_seed(0)
    named = build_model(f"hybridsn-{attention}", **SIZES)
    torch.manual_seed(0)
    given = build_model("hybridsn", **SIZES, attention=attention)
    ours, theirs = named.state_dict(), given.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())
    with pytest.raises(UsageError, match=f"has its attention already .{attention}."):
        build_model(f"hybridsn-{attention}", **SIZES, attention="cbam")


def test_a_function_instead_of_a_name():
    model = build_model(
        "hybridsn-dw", **SIZES, attention=lambda channels: SqueezeExcitation(channels, reduction=4)
    )
    assert model.head[0].fc1.out_channels == 16


def test_misspelt_attention_is_refused_with_the_nearest():
    for name in ("hybridsn", "hybridsn-se"):
        with pytest.raises(UsageError, match="unknown attention 'cbm'; did you mean 'cbam'"):
            build_model(name, **SIZES, attention="cbm")


def plain_builder(*, bands, classes, patch_size, norm, dropout):
    head = nn.Sequential(nn.Flatten(), nn.Linear(bands * patch_size**2, classes))
    return PatchNetwork(
        trunk=nn.Identity(), head=head, bands=bands, classes=classes, patch_size=patch_size,
        receptive_field=1,
    )  # fmt: skip


def attentive_builder(*, bands, classes, patch_size, norm, dropout, attention=None):
    model = plain_builder(
        bands=bands, classes=classes, patch_size=patch_size, norm=norm, dropout=dropout
    )
    if attention is not None:
        model.head.insert(0, attention(bands))
    return model


def test_a_builder_of_ones_own_without_attention_is_asked_for_none(monkeypatch):
    monkeypatch.setattr("hsi.models.registry.MODELS", dict(MODELS))
    register_model("own-plain", plain_builder)
    assert not build_model("own-plain", **SIZES).has_trunk
    with pytest.raises(UsageError, match="network 'own-plain' takes no attention") as caught:
        build_model("own-plain", **SIZES, attention="se")
    assert str(caught.value).count("\n") < 5


def test_a_builder_of_ones_own_is_given_a_function(monkeypatch):
    monkeypatch.setattr("hsi.models.registry.MODELS", dict(MODELS))
    register_model("own-attentive", attentive_builder)
    assert isinstance(build_model("own-attentive", **SIZES).head[0], nn.Flatten)
    model = build_model("own-attentive", **SIZES, attention="se")
    assert isinstance(model.head[0], SqueezeExcitation)
    assert model.head[0].fc1.in_channels == 13


# --- What they cost.


@pytest.mark.parametrize("name", ["hybridsn", "hybridsn-dw", "hybridsn-2d3d", "hybridsn-se"])
def test_multiply_adds_are_those_of_pytorchs_counter_and_need_no_weights(name):
    model = build_model(name, **SIZES).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(2, 13, 11, 11))
    assert macs_per_patch(model) == counter.get_total_flops() // 4
    with shapes_alone():
        shapes = build_model(name, **SIZES)
    assert macs_per_patch(shapes) == macs_per_patch(model)
    assert macs_per_pixel(shapes) == macs_per_pixel(model)


def test_multiply_adds_of_a_map_are_what_a_large_scene_tends_to():
    with shapes_alone():
        model = build_model("hybridsn-dw", **SIZES)
        head = macs_of(model.head, torch.empty(2, 64, 3, 3))
        side = 2000
        trunk = macs_of(model.trunk, torch.empty(1, 13, side, side)) / side**2
    assert macs_per_pixel(model) == pytest.approx(trunk + head, rel=0.01)


def test_without_a_trunk_a_pixel_costs_a_patch():
    model = plain_builder(bands=4, classes=3, patch_size=5, norm="batch", dropout=0.0)
    assert macs_per_patch(model) == macs_per_pixel(model) == 4 * 25 * 3


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_products_of_attention_count_on_every_device(device):
    with torch.device(device):
        block = build_attention("mhsa", channels=16)
        x = torch.zeros(1, 16, 3, 4)
    assert macs_of(block, x) == 12 * 16 * 48 + 2 * 12 * 12 * 16 + 12 * 16 * 16


def test_counting_leaves_each_part_in_its_mode():
    model = build_model("hybridsn-dw", **SIZES, attention="cbam").train()
    model.head[0].eval()
    before = [module.training for module in model.modules()]
    values = {key: value.clone() for key, value in model.state_dict().items()}
    macs_per_patch(model)
    macs_per_pixel(model)
    assert [module.training for module in model.modules()] == before
    assert all(torch.equal(value, values[key]) for key, value in model.state_dict().items())
