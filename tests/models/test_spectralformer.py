"""SpectralFormer: sizes, costs, neighbours and fusion."""

import pytest
import torch
import torch.nn.functional as F

from hsi.errors import UsageError
from hsi.models import build_model, count_parameters, macs_per_patch
from hsi.models.cost import shapes_alone
from hsi.models.spectralformer import GroupwiseEmbedding


@pytest.mark.parametrize(("patch_size", "expected"), [(7, 355_577), (1, 346_361)])
def test_it_has_the_parameters_of_the_authors_code(patch_size, expected):
    """Counted layer by layer, since neither paper nor code tells a sum."""
    embedding = 3 * patch_size**2 * 64 + 64
    tokens = 64 + 201 * 64
    attention = 2 * 64 + 3 * 64 * 64 + 64 * 64 + 64
    perceptron = 2 * 64 + 64 * 8 + 8 + 8 * 64 + 64
    fusion = 201 * 201 * 2 + 201
    last = 2 * 64 + 64 * 16 + 16
    assert embedding + tokens + 5 * (attention + perceptron) + 3 * fusion + last == expected
    with shapes_alone():
        model = build_model("spectralformer", bands=200, classes=16, patch_size=patch_size)
    assert count_parameters(model) == expected


@pytest.mark.parametrize("patch_size", [7, 1])
def test_multiply_adds_are_those_of_the_table(patch_size):
    """Of the last layer, all tokens are keys and values, and the class token alone looks."""
    with shapes_alone():
        model = build_model("spectralformer", bands=200, classes=16, patch_size=patch_size)
    embedding = 200 * 3 * patch_size**2 * 64
    products = 2 * 201 * 64  # for each token that looks: with all keys, and of all values
    of_a_token = 64 * 64 + products + 64 * 64 + 2 * 64 * 8
    keys_and_values = 5 * 201 * 2 * 64 * 64
    looking = (4 * 201 + 1) * of_a_token
    fusion = 3 * 201 * 201 * 2 * 64
    assert macs_per_patch(model) == embedding + keys_and_values + looking + fusion + 64 * 16


@pytest.mark.parametrize("patch_size", [1, 3])
def test_a_token_is_made_of_a_band_and_its_two_neighbours(patch_size):
    torch.manual_seed(0)
    embedding = GroupwiseEmbedding(patch_size, 6).double()
    x = torch.randn(2, 5, patch_size, patch_size, dtype=torch.float64)
    with torch.no_grad():
        before = embedding(x)
        for band in range(5):
            changed = x.clone()
            changed[:, band] += 1
            differ = (embedding(changed) - before).abs().amax(dim=(0, 2)) > 1e-9
            expected = [abs(token - band) <= 1 for token in range(5)]
            assert differ.tolist() == expected, band


def test_the_first_and_the_last_band_stand_in_for_neighbours_that_they_lack():
    torch.manual_seed(0)
    embedding = GroupwiseEmbedding(3, 6).double()
    x = torch.randn(2, 4, 3, 3, dtype=torch.float64)
    longer = torch.cat([x[:, :1], x, x[:, -1:]], dim=1)
    with torch.no_grad():
        torch.testing.assert_close(embedding(x), embedding(longer)[:, 1:-1])


def test_fusion_joins_the_inputs_of_layers_two_apart():
    """The whole transformer once more, with fusion as the convolution of the authors."""
    torch.manual_seed(0)
    model = build_model("spectralformer", bands=6, classes=3, patch_size=3).double().eval()
    transformer = model.head[1]
    patches = torch.randn(2, 6, 3, 3, dtype=torch.float64)
    with torch.no_grad():
        tokens = model.head[0](patches)
        first = transformer.class_token.expand(2, -1, -1)
        x = torch.cat([first, tokens], dim=1) + transformer.positions
        inputs = []
        for number, layer in enumerate(transformer.layers):
            inputs.append(x)
            if number >= 2:
                fusion = transformer.fusions[number - 2]
                kernel = torch.stack(fusion.weight[:, :, 0].split(7, dim=1), dim=2)[:, :, None]
                both = torch.stack([x, inputs[number - 2]], dim=3)  # (N, tokens, C, 2)
                x = F.conv2d(both, kernel, fusion.bias).squeeze(3)
            x = layer(x)
        torch.testing.assert_close(model(patches), transformer.last(x[:, 0]))


def test_its_fusions_and_layers_are_the_papers():
    with shapes_alone():
        transformer = build_model("spectralformer", bands=6, classes=3, patch_size=1).head[1]
    assert (len(transformer.layers), len(transformer.fusions)) == (5, 3)
    assert {layer.heads for layer in transformer.layers} == {4}


@pytest.mark.parametrize("bands", [1, 2])
def test_few_bands_do(bands):
    model = build_model("spectralformer", bands=bands, classes=3, patch_size=1).eval()
    assert model(torch.zeros(2, bands, 1, 1)).shape == (2, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"bands": 0}, "cannot work on 0 bands"),
        ({"patch_size": 2}, "odd"),
        ({"norm": "none"}, "spectralformer has norms of its own and cannot go without"),
        ({"classes": 1}, "at least 2"),
        ({"dropout": -0.1}, r"\[0, 1\)"),
    ],
)
def test_impossible_networks_are_refused_with_what_would_do(arguments, words):
    usual = {"name": "spectralformer", "bands": 20, "classes": 5, "patch_size": 7}
    with shapes_alone(), pytest.raises(UsageError, match=words):
        build_model(**(usual | arguments))
