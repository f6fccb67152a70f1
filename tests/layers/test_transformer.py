"""The encoder layer against PyTorch's own."""

import pytest
import torch
from torch import nn

from hsi.layers.transformer import EncoderLayer


def layer_pair(bias):
    torch.manual_seed(0)
    ours = EncoderLayer(12, heads=3, hidden=7, dropout=0.0, bias=bias).double()
    theirs = nn.TransformerEncoderLayer(
        12, 3, 7, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    ).double()
    for weight in ours.parameters():
        nn.init.uniform_(weight, -0.5, 0.8)
    with torch.no_grad():
        both = (ours.to_query, ours.to_key_and_value)
        theirs.self_attn.in_proj_weight.copy_(torch.cat([each.weight for each in both]))
        if bias:
            theirs.self_attn.in_proj_bias.copy_(torch.cat([each.bias for each in both]))
        for one, other in (
            (ours.mix, theirs.self_attn.out_proj), (ours.norm1, theirs.norm1),
            (ours.norm2, theirs.norm2), (ours.perceptron[0], theirs.linear1),
            (ours.perceptron[3], theirs.linear2),
        ):  # fmt: skip
            other.load_state_dict(one.state_dict())
    return ours, theirs


@pytest.mark.parametrize("bias", [True, False])
def test_it_is_pytorchs_with_the_norms_first(bias):
    ours, theirs = layer_pair(bias)
    tokens = torch.randn(4, 6, 12, dtype=torch.float64)
    torch.testing.assert_close(ours(tokens), theirs(tokens), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("wanted", [1, 3, 6])
def test_tokens_that_are_wanted_are_those_of_all(wanted):
    ours, _ = layer_pair(bias=True)
    tokens = torch.randn(4, 6, 12, dtype=torch.float64)
    every, some = ours(tokens), ours(tokens, wanted=wanted)
    assert some.shape == (4, wanted, 12)
    torch.testing.assert_close(some, every[:, :wanted], rtol=1e-10, atol=1e-12)


def test_dropout_acts_in_both_residuals():
    layer = EncoderLayer(12, heads=3, hidden=7, dropout=0.5)
    assert [each.p for each in layer.modules() if isinstance(each, nn.Dropout)] == [0.5] * 3
    tokens = torch.randn(4, 6, 12)
    assert not torch.equal(layer(tokens), layer(tokens))
    layer.eval()
    assert torch.equal(layer(tokens), layer(tokens))
