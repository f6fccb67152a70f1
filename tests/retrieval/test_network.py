"""Two branches, one space: what is shared, and what is not."""

import pytest
import torch
from torch import nn

from hsi.retrieval import cross_modal_network

SIZES = {"first_bands": 6, "second_bands": 3, "dimensions": 5, "classes": 4}


@pytest.mark.parametrize("patch_size", [1, 3, 5, 7, 11])
def test_shapes(patch_size):
    network = cross_modal_network(**SIZES, patch_size=patch_size)
    first, second = (torch.randn(7, bands, patch_size, patch_size) for bands in (6, 3))
    u, v, predicted_u, predicted_v = network(first, second)
    assert u.shape == v.shape == (7, 5)
    assert predicted_u.shape == predicted_v.shape == (7, 4)
    assert torch.equal(network.embed("second", second), v)


def test_the_last_two_linear_layers_are_those_of_both_modalities():
    network = cross_modal_network(**SIZES, patch_size=3)
    first, second = torch.randn(2, 6, 3, 3), torch.randn(2, 3, 3, 3)
    _, _, predicted_u, predicted_v = network(first, second)
    with torch.no_grad():
        network.to_space.weight.zero_()
        network.to_space.bias.zero_()
    u, v, _, _ = network(first, second)
    assert not u.any()
    assert not v.any()
    with torch.no_grad():
        network.to_classes.bias += 1
    _, _, changed_u, changed_v = network(first, second)
    assert torch.equal(changed_u, changed_v)
    assert not torch.equal(changed_u, predicted_u)
    assert not torch.equal(changed_v, predicted_v)


def test_branches_are_their_own():
    network = cross_modal_network(**SIZES, patch_size=3)
    first, second = torch.randn(2, 6, 3, 3), torch.randn(2, 3, 3, 3)
    before = network(first, second)
    with torch.no_grad():
        for weight in network.branches["first"].parameters():
            weight.zero_()
    after = network(first, second)
    assert not torch.equal(before[0], after[0])
    assert torch.equal(before[1], after[1])


def test_vectors_go_through_one_linear_layer_as_in_the_paper():
    branch = cross_modal_network(**SIZES, patch_size=1).branches["first"]
    assert [type(layer) for layer in branch] == [nn.Flatten, nn.Linear, nn.ReLU]
