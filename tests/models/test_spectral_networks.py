"""The networks of single spectra: sizes, what they compute, and what it costs."""

import numpy as np
import pytest
import torch

from hsi.errors import UsageError
from hsi.models import build_model, count_parameters, macs_per_patch, macs_per_pixel
from hsi.models.cnn1d_hu import SpectralMaxPool
from hsi.models.rnn_mou import PRetanhGRU


def spectral(name, bands, classes, **changes):
    return build_model(name, bands=bands, classes=classes, patch_size=1, **changes)


def by_the_papers_formula(k1, n3, n5):
    """Hu et al., section 3.1, with 20 kernels and 100 hidden units."""
    return 20 * (k1 + 1) + (20 * n3 + 1) * 100 + (100 + 1) * n5


def test_hu_has_the_papers_parameters():
    """81,408 for Indian Pines with 220 bands and 8 classes, by kernels of 24 and 40 values."""
    assert by_the_papers_formula(24, 40, 8) == 81_408
    assert count_parameters(spectral("cnn1d-hu", 220, 8)) == 81_408


@pytest.mark.parametrize(
    ("bands", "kernel", "pooled"), [(224, 24, 41), (103, 11, 31), (30, 3, 28), (5, 1, 5), (1, 1, 1)]
)
def test_hu_fits_its_kernel_and_pooling_to_the_bands(bands, kernel, pooled):
    model = spectral("cnn1d-hu", bands, 9)
    assert count_parameters(model) == by_the_papers_formula(kernel, pooled, 9)


def test_hu_equals_numpy():
    torch.manual_seed(0)
    model = spectral("cnn1d-hu", 200, 5).double().eval()
    w = {name: value.detach().numpy() for name, value in model.named_parameters()}
    spectrum = np.random.default_rng(0).standard_normal(200)
    kernels = w["trunk.1.weight"][:, 0, :, 0, 0]  # (20, 22)
    windows = np.lib.stride_tricks.sliding_window_view(spectrum, 22)
    convolved = kernels @ windows.T + w["trunk.1.bias"][:, None]  # (20, 179)
    pooled = np.stack([convolved[:, n : n + 5].max(1) for n in range(0, 179, 5)])
    hidden = np.tanh(w["head.1.weight"] @ np.tanh(pooled).ravel() + w["head.1.bias"])
    scores = w["head.4.weight"] @ hidden + w["head.4.bias"]
    found = model(torch.from_numpy(spectrum).view(1, 200, 1, 1))[0].detach().numpy()
    np.testing.assert_allclose(found, scores, rtol=1e-12, atol=1e-12)


def test_the_last_window_of_a_pooling_may_be_partly_empty():
    x = torch.arange(7.0).view(1, 1, 7, 1, 1)
    assert SpectralMaxPool(3)(x).flatten().tolist() == [2, 5, 6]


def test_hus_multiply_adds_by_hand():
    model = spectral("cnn1d-hu", 200, 16)
    assert macs_per_patch(model) == 179 * 20 * 22 + 20 * 36 * 100 + 100 * 16
    assert macs_per_pixel(model) == macs_per_patch(model)


def gru_of(bands, *, hidden=4):
    torch.manual_seed(0)
    unit = PRetanhGRU(hidden).double()
    with torch.no_grad():
        unit.slope.uniform_(-0.5, 0.5)
        # Weights so large that candidates of either sign come.
        unit.weight_band.uniform_(-2, 2)
        unit.weight_state.uniform_(-2, 2)
    return unit, np.random.default_rng(0).standard_normal(bands)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_the_gated_unit_equals_numpy():
    unit, spectrum = gru_of(6)
    w = {name: value.detach().numpy() for name, value in unit.named_parameters()}
    of_band = w["weight_band"][:, 0].reshape(3, 4)
    of_state, bias = w["weight_state"].reshape(3, 4, 4), w["bias"].reshape(3, 4)
    state, states = np.zeros(4), []
    for value in spectrum:
        update = sigmoid(of_band[0] * value + of_state[0] @ state + bias[0])
        reset = sigmoid(of_band[1] * value + of_state[1] @ state + bias[1])
        candidate = np.tanh(of_band[2] * value + of_state[2] @ (reset * state) + bias[2])
        candidate = np.where(candidate > 0, candidate, w["slope"] * candidate)
        state = (1 - update) * state + update * candidate
        states.append(state)
    found = unit(torch.from_numpy(spectrum).view(1, 6, 1, 1))
    np.testing.assert_allclose(found.detach().numpy().ravel(), np.ravel(states), rtol=1e-12)


def test_with_slopes_of_one_it_is_pytorchs_gru_but_for_where_the_reset_acts():
    """PyTorch resets what the recurrent weights make of the state; with r = 1 that is the same."""
    unit, spectrum = gru_of(9)
    theirs = torch.nn.GRU(1, 4, batch_first=True).double()
    with torch.no_grad():
        unit.slope.fill_(1)
        unit.bias[4:8] = 50.0  # r = 1
        # Theirs are r, z, n, and z keeps the old state.
        u, r, c = unit.weight_band.chunk(3)
        theirs.weight_ih_l0.copy_(torch.cat([r, -u, c]))
        u, r, c = unit.weight_state.chunk(3)
        theirs.weight_hh_l0.copy_(torch.cat([r, -u, c]))
        u, r, c = unit.bias.chunk(3)
        theirs.bias_ih_l0.copy_(torch.cat([r, -u, c]))
        theirs.bias_hh_l0.zero_()
        x = torch.from_numpy(spectrum)
        expected, _ = theirs(x.view(1, 9, 1))
        torch.testing.assert_close(unit(x.view(1, 9, 1, 1)).view(1, 9, 4), expected)


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_mous_parameters_by_hand(norm):
    """Three gates of 64 units with one band, the states and a bias each, and slopes."""
    model = spectral("rnn-mou", 103, 9, norm=norm)
    of_unit = 3 * 64 * (1 + 64 + 1) + 64
    of_norm = 2 * 64 * 103 if norm == "batch" else 0
    assert count_parameters(model) == of_unit + of_norm + 64 * 103 * 9 + 9


def test_mous_multiply_adds_by_hand():
    model = spectral("rnn-mou", 20, 3)
    each_band = 3 * 64 * 1 + 3 * 64 * 64
    assert macs_per_patch(model) == 20 * each_band + 20 * 64 * 3
    assert macs_per_pixel(model) == macs_per_patch(model)


@pytest.mark.parametrize("name", ["cnn1d-hu", "rnn-mou"])
def test_more_than_a_pixel_is_refused(name):
    with pytest.raises(UsageError, match="spectrum of one pixel: patch_size can only be 1, not 5"):
        build_model(name, bands=20, classes=3, patch_size=5)
