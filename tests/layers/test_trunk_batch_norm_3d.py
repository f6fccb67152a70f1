"""The norm of maps with bands: a plain one, and one of values that are repeated."""

import pytest
import torch
from torch import nn

from hsi.layers import TrunkBatchNorm3d, sampled_patches


def layer_pair():
    ours, plain = TrunkBatchNorm3d(3).double(), nn.BatchNorm3d(3).double()
    for layer in (ours, plain):
        with torch.no_grad():
            layer.weight.copy_(torch.tensor([0.5, -1.0, 2.0]))
            layer.bias.copy_(torch.tensor([0.1, 0.0, -3.0]))
    return ours, plain


def assert_same_state(ours, plain):
    for (name, value), other in zip(ours.state_dict().items(), plain.state_dict().values(),
                                    strict=True):  # fmt: skip
        torch.testing.assert_close(value, other, msg=name)


def assert_same_gradients(ours, plain, found, expected, values):
    weight = torch.randn_like(expected)
    got = torch.autograd.grad((found * weight).sum(), [values, *ours.parameters()])
    want = torch.autograd.grad((expected * weight).sum(), [values, *plain.parameters()])
    for one, other in zip(got, want, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (0, 3, 4, 2, 1)])
def test_it_is_a_plain_batch_norm_outside_of_the_block(order):
    torch.manual_seed(0)
    ours, plain = layer_pair()
    back = [order.index(axis) for axis in range(5)]
    x = (torch.randn(4, 3, 6, 5, 7, dtype=torch.float64) * 3 + 7).requires_grad_()
    found = ours(x.permute(order).contiguous().permute(back))
    expected = plain(x)
    torch.testing.assert_close(found, expected)
    assert_same_gradients(ours, plain, found, expected, x)
    assert_same_state(ours, plain)
    ours.eval()
    plain.eval()
    with sampled_patches(ours, torch.ones(4, 5, 7, dtype=torch.int64)):
        torch.testing.assert_close(ours(x), plain(x))


def test_positions_count_as_often_as_patches_contain_them_and_bands_all_the_same():
    torch.manual_seed(0)
    ours, plain = layer_pair()
    values = (torch.randn(1, 3, 6, 4, 5, dtype=torch.float64) + 5).requires_grad_()
    sampled = torch.randint(0, 4, (1, 4, 5))
    sampled[0, 0, 0] = 0
    with sampled_patches(ours, sampled):
        found = ours(values)
    times = sampled.flatten()
    repeated = values.flatten(3).repeat_interleave(times, dim=3)[..., None]  # (1, 3, 6, n, 1)
    expected = plain(repeated)
    kept = found.flatten(3).repeat_interleave(times, dim=3)[..., None]
    torch.testing.assert_close(kept, expected)
    assert_same_gradients(ours, plain, kept, expected, values)
    assert_same_state(ours, plain)
