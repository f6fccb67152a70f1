"""Every attention block: its size by the formula, what it keeps, and what it refuses."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import hsi
from hsi.errors import UsageError
from hsi.layers.attention import ATTENTIONS, attention_factory, build_attention
from hsi.layers.attention.eca import kernel_size


def count(block):
    return sum(weight.numel() for weight in block.parameters())


# C is the number of channels, each formula that of the block's docstring.
FORMULAS = {
    "se": lambda C, H: 2 * C * H + H + C,
    "eca": lambda C, H: kernel_size(C),
    "cbam": lambda C, H: 2 * C * H + H + C + 2 * 7 * 7 + 2,
    "sk": lambda C, H: (
        2 * (9 * C * C // math.gcd(C, 32) + 2 * C) + 3 * C * max(32, C // 16) + 2 * max(32, C // 16)
    ),
    "da": lambda C, H: 2 * (C + 1) * max(1, C // 8) + C * C + C + 2,
    "ca": lambda C, H: 3 * C * max(8, C // 32) + 2 * max(8, C // 32) + 2 * C,
    "mhsa": lambda C, H: 4 * (C * C + C),
    "se-var1": lambda C, H: 0,
    "se-var2": lambda C, H: C,
    "se-var3": lambda C, H: C * C,
}


@pytest.mark.parametrize("name", ATTENTIONS)
@pytest.mark.parametrize("channels", [1, 3, 8, 24, 64, 512])
def test_parameters_are_those_of_the_formula(name, channels):
    block = build_attention(name, channels=channels)
    assert count(block) == FORMULAS[name](channels, max(1, channels // 16))


def test_sizes_with_options():
    assert count(build_attention("se", channels=64, reduction=8)) == 2 * 64 * 8 + 8 + 64
    assert count(build_attention("se", channels=64, units=3)) == 2 * 64 * 3 + 3 + 64
    assert count(build_attention("eca", channels=64, gamma=1)) == 7
    sk = build_attention("sk", channels=64, groups=4, reduction=2, smallest=8)
    assert count(sk) == 2 * (9 * 64 * 16 + 128) + 3 * 64 * 32 + 64
    assert count(build_attention("ca", channels=64, reduction=4)) == 3 * 64 * 16 + 32 + 128
    assert build_attention("mhsa", channels=12, heads=3).heads == 3


# (blocks, channels of a block's output) of ResNet-50 and its 25,557,032 parameters
RESNET_50 = ((3, 256), (4, 512), (6, 1024), (3, 2048))


@pytest.mark.parametrize(("name", "published"), [("se", 28_088_024), ("cbam", 28_089_624)])
def test_in_each_bottleneck_of_resnet_50_they_make_the_published_networks(name, published):
    added = sum(n * count(build_attention(name, channels=width)) for n, width in RESNET_50)
    assert 25_557_032 + added == published


def test_selective_kernels_make_the_published_sk_resnet_50():
    total, before = 3 * 64 * 49 + 2 * 64, 64
    for blocks, width in RESNET_50:
        inner = width // 2
        total += before * width + 2 * width  # the projection of the shortcut
        for _ in range(blocks):
            total += before * inner + 2 * inner + inner * width + 2 * width
            total += count(build_attention("sk", channels=inner, groups=32))
            before = width
    assert total + 2048 * 1000 + 1000 == 27_479_784


def test_kernel_sizes_of_the_paper():
    """Wang et al. (2020), section 3.2: k = |log2(C) / 2 + 1 / 2|, the nearest odd number."""
    for channels in (*range(1, 300), 512, 1024, 2048):
        exact = (math.log2(channels) + 1) / 2
        size = kernel_size(channels)
        assert size % 2 == 1
        assert abs(size - exact) <= 1
    assert [kernel_size(2**n) for n in range(12)] == [1, 1, 1, 3, 3, 3, 3, 5, 5, 5, 5, 7]


@pytest.mark.parametrize("name", ATTENTIONS)
@settings(max_examples=12)
@given(
    images=st.integers(1, 3),
    channels=st.sampled_from([1, 2, 5, 16, 33]),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
)
def test_the_shape_is_kept_and_each_image_is_on_its_own(
    drawn, image, name, images, channels, height, width
):
    block = drawn(name, channels)
    x = image(images, channels, height, width)
    before = x.clone()
    with torch.no_grad():
        y = block(x)
        alone = torch.cat([block(each[None]) for each in x])
    assert y.shape == x.shape
    assert y.isfinite().all()
    assert torch.equal(x, before)
    torch.testing.assert_close(y, alone, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ATTENTIONS)
def test_it_is_repeatable_and_does_not_mind_the_order_in_memory(drawn, image, name):
    one, other = drawn(name, 16, seed=3), drawn(name, 16, seed=3)
    x = image(2, 16, 5, 6)
    with torch.no_grad():
        y = one(x)
        assert torch.equal(y, other(x))
        last = x.contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(one(last), y, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ATTENTIONS)
def test_gradients_are_right_and_reach_every_weight(drawn, image, name):
    block = drawn(name, 4)
    x = image(2, 4, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(block, (x,))
    block(x).square().sum().backward()
    without = [key for key, weight in block.named_parameters() if not weight.grad.any()]
    # A shift of all keys shifts all fits of a query alike, which a softmax does not see.
    assert without in ([], ["key.bias"])


@pytest.mark.parametrize("name", ATTENTIONS)
def test_it_trains(image, name):
    torch.manual_seed(0)
    block = build_attention(name, channels=16).train()
    x = image(4, 16, 5, 5).float().requires_grad_()
    block(x).square().mean().backward()
    assert x.grad.isfinite().all()
    assert x.grad.abs().max() > 0


# --- What only one of them does.


def test_dual_attention_starts_as_the_identity_and_its_scales_learn_first():
    torch.manual_seed(0)
    block = build_attention("da", channels=16)
    x = torch.randn(2, 16, 4, 5)
    assert torch.equal(block(x), x)
    block(x).square().sum().backward()
    assert block.position_scale.grad.abs() > 0
    assert block.channel_scale.grad.abs() > 0


class Largest(TorchDispatchMode):
    """Notes the most values that an operation gives."""

    values = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for each in out if isinstance(out, tuple) else (out,):
            if isinstance(each, torch.Tensor):
                self.values = max(self.values, each.numel())
        return out


@pytest.mark.parametrize("shape", [(2, 3, 3, 64), (2, 1, 1, 64)])
def test_dual_attention_keeps_no_matrix_of_channels_for_each_image(drawn, shape):
    """With a thousand channels and windows it would be gigabytes."""
    block = drawn("da", 64)
    x = torch.randn(shape, dtype=torch.float64).permute(0, 3, 1, 2)
    with torch.no_grad(), Largest() as largest:
        block(x)
    assert largest.values < 2 * 64 * 64


def test_self_attention_does_not_know_the_order_of_positions(drawn, image):
    block = drawn("mhsa", 16)
    x = image(2, 16, 4, 5)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        y = block(x).flatten(2)
        shuffled = block(x.flatten(2)[:, :, order].view_as(x)).flatten(2)
    torch.testing.assert_close(shuffled, y[:, :, order], rtol=1e-12, atol=1e-12)


def test_self_attention_equals_that_of_pytorch(drawn, image):
    block = drawn("mhsa", 24, heads=8)
    theirs = nn.MultiheadAttention(24, 8, batch_first=True).double().eval()
    theirs.load_state_dict(
        {
            "in_proj_weight": block.to_parts.weight, "in_proj_bias": block.to_parts.bias,
            "out_proj.weight": block.mix.weight, "out_proj.bias": block.mix.bias,
        }
    )  # fmt: skip
    x = image(2, 24, 3, 5)
    places = x.flatten(2).transpose(1, 2)
    with torch.no_grad():
        expected = x + theirs(places, places, places)[0].transpose(1, 2).view_as(x)
        torch.testing.assert_close(block(x), expected, rtol=1e-12, atol=1e-12)


def test_coordinate_attention_tells_rows_from_columns(drawn, image):
    block = drawn("ca", 8)
    block.of_rows.weight.data.zero_()
    x = image(1, 8, 6, 5).abs() + 1
    with torch.no_grad():
        weights = block(x) / x
    # The rows now all weigh the same; columns differ.
    torch.testing.assert_close(weights, weights[:, :, :1].expand_as(weights))
    assert (weights[0, 0, 0] - weights[0, 0, 0, 0]).abs().max() > 1e-6


def test_selective_kernels_can_be_strided():
    block = build_attention("sk", channels=8, stride=2).eval()
    assert block(torch.zeros(2, 8, 7, 9)).shape == (2, 8, 4, 5)


def test_squeeze_and_excitation_takes_another_activation(drawn, image):
    plain, other = drawn("se", 16), drawn("se", 16, activation=nn.SiLU)
    x = image(1, 16, 3, 3)
    hidden = F.silu(plain.fc1(x.mean((2, 3), keepdim=True)))
    torch.testing.assert_close(other(x), x * torch.sigmoid(plain.fc2(hidden)))


# --- Building by name.


def test_the_public_name_is_this_function():
    assert hsi.build_attention is build_attention


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "ecaa"}, "unknown attention 'ecaa'; did you mean 'eca'?"),
        ({"ratio": 8}, r"attention 'se' has no option 'ratio'\nIt takes: reduction, units"),
        ({"name": "se-var1", "reduction": 8}, "no option 'reduction'\nIt takes: channels alone"),
        ({"channels": 0}, "channels must be a whole number of at least 1, not 0"),
        ({"channels": 2.0}, "channels must be a whole number of at least 1, not 2.0"),
        ({"channels": True}, "channels must be a whole number"),
        ({"reduction": 0}, "reduction must be a whole number of at least 1, not 0"),
        ({"reduction": "16"}, "reduction must be a whole number of at least 1, not '16'"),
        ({"units": 0}, "units must be"),
        ({"name": "eca", "gamma": 0}, "gamma must be positive"),
        ({"name": "sk", "groups": 5}, r"64 channels .* groups=5\nThese can: 1, 2, 4, 8, 16, 32"),
        ({"name": "sk", "smallest": 0}, "smallest must be"),
        ({"name": "sk", "stride": 0}, "stride must be"),
        ({"name": "mhsa", "heads": 6}, "64 channels cannot be divided evenly into heads=6"),
        ({"name": "mhsa", "heads": -1}, "heads must be a whole number"),
    ],
)  # fmt: skip
def test_impossible_blocks_are_refused(arguments, words):
    with pytest.raises(UsageError, match=words):
        build_attention(**({"name": "se", "channels": 64} | arguments))


@pytest.mark.parametrize("name", ATTENTIONS)
def test_no_block_of_nothing(name):
    for channels in (0, -3):
        with pytest.raises(UsageError, match="channels must be"):
            build_attention(name, channels=channels)


def test_a_factory_is_a_name_or_what_it_is():
    assert attention_factory(None) is None
    assert attention_factory(nn.BatchNorm2d) is nn.BatchNorm2d
    assert count(attention_factory("se")(32)) == 2 * 32 * 2 + 2 + 32
    with pytest.raises(UsageError, match="did you mean 'cbam'"):
        attention_factory("cbm")
