"""SSFTT: sizes, costs, and what its tokens are."""

import pytest
import torch

from hsi.errors import UsageError
from hsi.models import build_model, count_parameters, macs_per_patch, macs_per_pixel
from hsi.models.cost import shapes_alone
from hsi.models.ssftt import GaussianTokenizer


@pytest.mark.parametrize("classes", [16, 9])
def test_it_has_the_parameters_of_the_authors_code_but_biases_that_norms_take_away(classes):
    """Counted layer by layer, since neither paper nor code tells a sum."""
    convolutions = (8 * 27 + 8 + 2 * 8) + (64 * 8 * 28 * 9 + 64 + 2 * 64)
    tokenizer = 4 * 64 + 64 * 64
    tokens = 64 + 5 * 64
    attention = 2 * 64 + 3 * 64 * 64 + 3 * 64 + 64 * 64 + 64
    perceptron = 2 * 64 + 64 * 8 + 8 + 8 * 64 + 64
    authors = convolutions + tokenizer + tokens + attention + perceptron + 64 * classes + classes
    with shapes_alone():
        model = build_model("ssftt", bands=30, classes=classes, patch_size=13)
    assert count_parameters(model) == authors - 8 - 64


def test_multiply_adds_are_those_of_the_table():
    with shapes_alone():
        model = build_model("ssftt", bands=30, classes=16, patch_size=13)
    spectral, spatial = 28 * 8 * 27, 64 * 8 * 28 * 9
    tokenizer = 81 * 64 * 4 + 4 * 81 * 64 + 4 * 64 * 64
    # The class token alone looks at the five.
    attention = 64 * 64 + 5 * 2 * 64 * 64 + 2 * 5 * 64 + 64 * 64
    head = tokenizer + attention + 2 * 64 * 8 + 64 * 16
    assert macs_per_patch(model) == 121 * spectral + 81 * spatial + head
    assert macs_per_pixel(model) == spectral + spatial + head


def test_tokens_are_weighted_means_of_the_values_of_positions():
    torch.manual_seed(0)
    tokenizer = GaussianTokenizer(6, tokens=4).double()
    x = torch.randn(2, 6, 3, 5, dtype=torch.float64)
    with torch.no_grad():
        tokens = tokenizer(x)
        for sample, token in torch.cartesian_prod(torch.arange(2), torch.arange(4)).tolist():
            places = x[sample].reshape(6, 15)
            scores = torch.exp(tokenizer.to_weights.weight[token] @ places)
            values = tokenizer.to_values.weight @ places
            expected = (values * scores).sum(1) / scores.sum()
            torch.testing.assert_close(tokens[sample, token], expected)


def test_tokens_do_not_know_where_a_position_lies():
    torch.manual_seed(0)
    tokenizer = GaussianTokenizer(6, tokens=4).double()
    x = torch.randn(1, 6, 3, 5, dtype=torch.float64)
    shuffled = x.flatten(2)[:, :, torch.randperm(15)].unflatten(2, (3, 5))
    torch.testing.assert_close(tokenizer(x), tokenizer(shuffled))


def test_each_token_gathers_others():
    torch.manual_seed(0)
    model = build_model("ssftt", bands=6, classes=3, patch_size=9)
    first, second = model.head[0](torch.randn(5, 64, 5, 5))[:, :2].unbind(1)
    assert not torch.allclose(first, second, atol=1e-2)


def test_scores_are_divided_by_the_root_of_the_length_of_a_heads_keys():
    """In double precision, the class token by hand, one head after the other."""
    torch.manual_seed(0)
    model = build_model("ssftt", bands=6, classes=3, patch_size=9).double().eval()
    classifier = model.head[1]
    layer = classifier.encoder
    tokens = torch.randn(1, 4, 64, dtype=torch.float64)
    with torch.no_grad():
        x = torch.cat([classifier.class_token, tokens], dim=1) + classifier.positions
        normed = layer.norm1(x)[0]
        query = layer.to_query(normed)[0]
        key, value = layer.to_key_and_value(normed).split(64, dim=1)
        found = []
        for head in range(8):
            part = slice(8 * head, 8 * head + 8)
            weights = torch.softmax(key[:, part] @ query[part] / 8**0.5, dim=0)
            found.append(weights @ value[:, part])
        y = x[0, 0] + layer.mix(torch.cat(found))
        y = y + layer.perceptron(layer.norm2(y))
        torch.testing.assert_close(classifier(tokens)[0], classifier.linear(y))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"bands": 2}, "ssftt cannot work on 2 bands or components: it needs at least 3"),
        ({"patch_size": 3}, "odd .* at least 5"),
        ({"norm": "none"}, "ssftt has norms of its own and cannot go without"),
        ({"classes": 1}, "at least 2"),
    ],
)
def test_impossible_networks_are_refused_with_what_would_do(arguments, words):
    usual = {"name": "ssftt", "bands": 30, "classes": 5, "patch_size": 13}
    with shapes_alone(), pytest.raises(UsageError, match=words):
        build_model(**(usual | arguments))
