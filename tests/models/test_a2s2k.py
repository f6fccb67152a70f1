"""A2S2K-ResNet: sizes, costs, and the choice between two kernels."""

import pytest
import torch
import torch.nn.functional as F

from hsi.errors import UsageError
from hsi.models import build_model, count_parameters, macs_per_patch
from hsi.models.a2s2k import ChosenKernels
from hsi.models.cost import shapes_alone


def parameters_of_the_authors_code(bands, classes):
    """Counted layer by layer, since neither paper nor code tells a sum."""
    left, norm = (bands - 7) // 2 + 1, 2 * 24
    kernels = (24 * 7 + 24 + norm) + (24 * 7 * 9 + 24 + norm)
    hidden = bands // 2
    choice = (24 * hidden + hidden) + (hidden * 24 + 24)
    spectral, spatial, recalibration = 24 * 24 * 7 + 24, 24 * 24 * 9 + 24, 9
    # Three norms in each block but the first; two of them are never called.
    blocks = 4 * (spectral + spatial + recalibration) + (2 + 3 + 3 + 3) * norm
    merge = 128 * 24 * left + 128 + 2 * 128
    second = 24 * 128 * 9 + 24 + norm
    return kernels + choice + blocks + merge + second + 24 * classes + classes


@pytest.mark.parametrize(("bands", "classes"), [(200, 16), (103, 9)])
def test_it_has_the_parameters_of_the_authors_code_but_for_what_the_docstring_tells(bands, classes):
    with shapes_alone():
        model = build_model("a2s2k", bands=bands, classes=classes, patch_size=9)
    own_weights_of_the_second_kernel = bands // 2 * 24 + 24
    norms_never_called = 2 * 2 * 24
    weights_on_zeros = 4 * 6
    biases_before_norms = 9 * 24 + 128 - 24
    expected = parameters_of_the_authors_code(bands, classes) + own_weights_of_the_second_kernel
    expected -= norms_never_called + weights_on_zeros + biases_before_norms
    assert count_parameters(model) == expected


def test_multiply_adds_are_those_of_the_table():
    with shapes_alone():
        model = build_model("a2s2k", bands=200, classes=16, patch_size=9)
    kernels = 97 * 24 * 7 + 97 * 24 * 63
    spectral = 4 * 97 * 24 * 24 * 7 + 128 * 24 * 97
    choice = 24 * 100 + 100 * 48
    spatial = 24 * 128 * 9 + 4 * 24 * 24 * 9
    recalibration = 4 * 24 * 3
    expected = 81 * (kernels + spectral) + choice + 49 * spatial + recalibration + 24 * 16
    assert macs_per_patch(model) == expected


def chosen_kernels():
    torch.manual_seed(0)
    layer = ChosenKernels(24, hidden=10).double().eval()
    for norm in (layer.spectral[1], layer.spatial[2]):
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        torch.nn.init.uniform_(norm.bias, -0.2, 0.2)
    return layer


def test_kernels_are_mixed_by_weights_that_follow_from_the_mean_of_both():
    layer = chosen_kernels()
    x = torch.randn(4, 1, 14, 5, 5, dtype=torch.float64)
    with torch.no_grad():
        spectral = layer.spectral[1](F.conv3d(x, layer.spectral[0].weight, None, (2, 1, 1)))
        spatial = F.conv3d(x, layer.spatial[1].weight, None, (2, 1, 1), (0, 1, 1))
        spectral, spatial = torch.relu(spectral), torch.relu(layer.spatial[2](spatial))
        means = (spectral + spatial).mean(dim=(2, 3, 4))
        scores = layer.excite(torch.relu(layer.squeeze(means)))
        share = torch.sigmoid(scores[:, :24] - scores[:, 24:])[:, :, None, None, None]
        expected = share * spectral + (1 - share) * spatial
        torch.testing.assert_close(layer(x), expected)
        assert expected.shape == (4, 24, 4, 5, 5)


def test_the_choice_differs_between_patches_and_channels():
    """In the authors' code it is one half, whatever comes."""
    layer = chosen_kernels()
    x = torch.randn(4, 1, 14, 5, 5, dtype=torch.float64)
    x *= torch.arange(1, 5).view(4, 1, 1, 1, 1)
    with torch.no_grad():
        means = layer.spectral(x).mean(dim=(2, 3, 4)) + layer.spatial(x).mean(dim=(2, 3, 4))
        scores = layer.excite(torch.relu(layer.squeeze(means))).unflatten(1, (2, 24))
        shares = scores.softmax(dim=1)[:, 0]
    assert shares.std(dim=0).min() > 1e-6
    assert shares.std(dim=1).min() > 1e-6


def test_the_mean_is_over_all_positions():
    """Of a network with 9x9 patches, the last layer sees the lower right corner as well."""
    torch.manual_seed(0)
    model = build_model("a2s2k", bands=14, classes=3, patch_size=9).eval()
    pooled = []
    model.head[-3].register_forward_hook(lambda _module, _args, out: pooled.append(out))
    before = []
    model.head[-4].register_forward_hook(lambda _module, args, _out: before.append(args[0]))
    with torch.no_grad():
        model(torch.randn(2, 14, 9, 9))
    (x,), (found,) = before, pooled
    assert x.shape == (2, 24, 7, 7)
    torch.testing.assert_close(found, x.mean(dim=(2, 3)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"bands": 6}, "a2s2k cannot work on 6 bands or components: it needs at least 7"),
        ({"patch_size": 1}, "odd .* at least 3"),
        ({"norm": "none"}, "a2s2k has norms of its own and cannot go without"),
        ({"classes": 1}, "at least 2"),
    ],
)
def test_impossible_networks_are_refused_with_what_would_do(arguments, words):
    usual = {"name": "a2s2k", "bands": 20, "classes": 5, "patch_size": 9}
    with shapes_alone(), pytest.raises(UsageError, match=words):
        build_model(**(usual | arguments))
