"""Coverage by counting, and the weighted norm against a plain one on repeated values."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from hsi.layers import TrunkBatchNorm2d, coverage, sampled_patches


@given(
    regions=st.integers(1, 2), rows=st.integers(1, 6), cols=st.integers(1, 6),
    size=st.integers(1, 8), seed=st.integers(0, 99),
)  # fmt: skip
def test_coverage_counts_the_windows_that_contain_a_position(regions, rows, cols, size, seed):
    sampled = np.random.default_rng(seed).integers(0, 4, (regions, rows, cols))
    expected = np.zeros((regions, rows + size - 1, cols + size - 1), dtype=np.int64)
    for region, row, col in np.ndindex(regions, rows, cols):
        expected[region, row : row + size, col : col + size] += sampled[region, row, col]
    assert np.array_equal(coverage(torch.from_numpy(sampled), size).numpy(), expected)


def layer_pair(channels=3):
    torch.manual_seed(0)
    ours, plain = TrunkBatchNorm2d(channels).double(), nn.BatchNorm2d(channels).double()
    for layer in (ours, plain):
        with torch.no_grad():
            layer.weight.copy_(torch.tensor([0.5, -1.0, 2.0]))
            layer.bias.copy_(torch.tensor([0.1, 0.0, -3.0]))
    return ours, plain


def test_it_is_a_plain_batch_norm_outside_of_the_block():
    ours, plain = layer_pair()
    x = torch.randn(4, 3, 5, 6).double() * 3 + 7
    torch.testing.assert_close(ours(x), plain(x))
    assert ours.state_dict().keys() == plain.state_dict().keys()
    torch.testing.assert_close(ours.running_var, plain.running_var)
    ours.eval()
    plain.eval()
    with sampled_patches(ours, torch.ones(4, 5, 6, dtype=torch.int64)):
        torch.testing.assert_close(ours(x), plain(x))


@pytest.mark.parametrize("contiguous", [torch.contiguous_format, torch.channels_last])
def test_weights_are_repetitions(contiguous):
    """A position of weight 3 counts as three of weight 1, for values, gradients and statistics."""
    ours, plain = layer_pair()
    values = (torch.randn(1, 3, 4, 5).double() + 5).requires_grad_()
    sampled = torch.randint(0, 4, (1, 4, 5))
    sampled[0, 0, 0] = 0
    with sampled_patches(ours, sampled):
        found = ours(values.contiguous(memory_format=contiguous))
    times = sampled.flatten()
    repeated = values.flatten(2).repeat_interleave(times, dim=2)[..., None]  # (1, 3, n, 1)
    expected = plain(repeated)
    kept = found.flatten(2).repeat_interleave(times, dim=2)[..., None]
    torch.testing.assert_close(kept, expected)
    torch.testing.assert_close(ours.running_mean, plain.running_mean)
    torch.testing.assert_close(ours.running_var, plain.running_var)
    assert ours.num_batches_tracked == plain.num_batches_tracked == 1

    weight = torch.randn_like(expected)
    (theirs,) = torch.autograd.grad((expected * weight).sum(), values, retain_graph=True)
    (mine,) = torch.autograd.grad((kept * weight).sum(), values, retain_graph=True)
    torch.testing.assert_close(mine, theirs)
    for one, other in zip(ours.parameters(), plain.parameters(), strict=True):
        (mine,) = torch.autograd.grad((kept * weight).sum(), one, retain_graph=True)
        (theirs,) = torch.autograd.grad((expected * weight).sum(), other, retain_graph=True)
        torch.testing.assert_close(mine, theirs)


def test_the_block_ends_with_an_error_too():
    ours, plain = layer_pair()

    def fail():
        with sampled_patches(ours, torch.ones(1, 2, 2, dtype=torch.int64)):
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    x = torch.randn(2, 3, 4, 4).double()
    torch.testing.assert_close(ours(x), plain(x))
