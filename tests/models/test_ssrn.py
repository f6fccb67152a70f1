"""SSRN: sizes, costs, and the network computed once more from the paper's table."""

import pytest
import torch
import torch.nn.functional as F

from hsi.errors import UsageError
from hsi.models import build_model, count_parameters, macs_per_patch, macs_per_pixel
from hsi.models.cost import shapes_alone


def parameters_by_hand(bands, classes):
    """With the biases that all convolutions of the authors' have."""
    left = (bands - 7) // 2 + 1
    norm = 2 * 24
    first = 24 * 7 + 24 + norm
    spectral = 4 * (24 * 24 * 7 + 24 + norm)
    merge = 128 * 24 * left + 128 + 2 * 128
    second = 24 * 128 * 9 + 24 + norm
    spatial = 4 * (24 * 24 * 9 + 24 + norm)
    return first + spectral + merge + second + spatial + 24 * classes + classes


@pytest.mark.parametrize(("bands", "classes"), [(200, 16), (103, 9), (176, 13)])
def test_it_has_the_parameters_of_the_table_but_biases_that_norms_take_away(bands, classes):
    with shapes_alone():
        model = build_model("ssrn", bands=bands, classes=classes, patch_size=7)
    biases = 10 * 24 + 128
    assert count_parameters(model) == parameters_by_hand(bands, classes) - biases


def test_the_table_with_all_biases_has_so_many_for_indian_pines():
    assert parameters_by_hand(200, 16) == 364_168


def test_multiply_adds_are_those_of_the_table():
    with shapes_alone():
        model = build_model("ssrn", bands=200, classes=16, patch_size=7)
    position = 97 * 24 * 7 + 4 * 97 * 24 * 24 * 7 + 128 * 24 * 97
    second = 24 * 128 * 9
    head = 25 * 4 * 24 * 24 * 9 + 24 * 16
    assert macs_per_patch(model) == 49 * position + 25 * second + head
    assert macs_per_pixel(model) == position + second + head


class ByHand:
    """The layers of a network's state, taken one after the other, in evaluation mode."""

    def __init__(self, state):
        names = dict.fromkeys(name.rsplit(".", 1)[0] for name in state)
        self.layers = [
            {name.rsplit(".", 1)[1]: value for name, value in state.items()
             if name.rsplit(".", 1)[0] == layer} for layer in names
        ]  # fmt: skip

    def convolve(self, x, padding, stride=(1, 1, 1)):
        """Convolve ``(N, C, bands, h, w)``."""
        weight = self.layers.pop(0)["weight"]
        weight = weight if weight.ndim == 5 else weight.unsqueeze(2)
        return F.conv3d(x, weight, None, stride, padding)

    def norm_and_relu(self, x):
        layer = self.layers.pop(0)
        return torch.relu(
            F.batch_norm(
                x, layer["running_mean"], layer["running_var"], layer["weight"], layer["bias"]
            )
        )

    def residual_blocks(self, x, padding):
        y = self.convolve(x, padding)
        x = x + self.convolve(self.norm_and_relu(y), padding)
        y = self.convolve(self.norm_and_relu(x), padding)
        return x + self.convolve(self.norm_and_relu(y), padding)


def test_it_is_the_network_of_the_table():
    torch.manual_seed(0)
    model = build_model("ssrn", bands=14, classes=5, patch_size=7).double()
    for value in (*model.parameters(), *model.buffers()):
        if value.is_floating_point() and value.ndim == 1:
            torch.nn.init.uniform_(value, 0.2, 1.2)
    model.eval()
    patches = torch.randn(3, 14, 7, 7, dtype=torch.float64)
    hand = ByHand(model.state_dict())
    with torch.no_grad():
        x = hand.norm_and_relu(hand.convolve(patches[:, None], 0, (2, 1, 1)))
        assert x.shape == (3, 24, 4, 7, 7)
        x = hand.norm_and_relu(hand.residual_blocks(x, (3, 0, 0)))
        x = hand.norm_and_relu(hand.convolve(x, 0))
        assert x.shape == (3, 128, 1, 7, 7)
        # The 128 channels are the depth of the kernels that follow.
        x = hand.norm_and_relu(hand.convolve(x, 0))
        assert x.shape == (3, 24, 1, 5, 5)
        x = hand.norm_and_relu(hand.residual_blocks(x, (0, 1, 1)))
        (last,) = hand.layers
        expected = F.linear(x.mean(dim=(2, 3, 4)), last["weight"], last["bias"])
        torch.testing.assert_close(model(patches), expected, rtol=1e-9, atol=1e-9)


def test_dropout_acts_before_the_last_layer():
    model = build_model("ssrn", bands=14, classes=3, patch_size=7, dropout=0.25)
    (dropout,) = [each for each in model.modules() if isinstance(each, torch.nn.Dropout)]
    assert dropout.p == 0.25
    assert model.head[-2] is dropout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"bands": 6}, "ssrn cannot work on 6 bands or components: it needs at least 7"),
        ({"patch_size": 1}, "odd .* at least 3"),
        ({"patch_size": 8}, "odd"),
        ({"classes": 1}, "at least 2"),
        ({"norm": "none"}, "ssrn has norms of its own and cannot go without\n.*--norm batch"),
        ({"norm": "bach"}, "did you mean 'batch'"),
        ({"dropout": 1.0}, r"\[0, 1\)"),
        ({"attention": "se"}, "'ssrn' takes no attention"),
        ({"weights": "imagenet"}, "'ssrn' starts from fresh weights"),
    ],
)
def test_impossible_networks_are_refused_with_what_would_do(arguments, words):
    usual = {"name": "ssrn", "bands": 20, "classes": 5, "patch_size": 7}
    with shapes_alone(), pytest.raises(UsageError, match=words):
        build_model(**(usual | arguments))
