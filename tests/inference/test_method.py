"""Which of the two ways a prediction takes, if it may choose."""

import pytest

from hsi.inference.tiled import TiledNetwork
from hsi.models import build_model
from hsi.models.cost import positions_of_patch


def chosen(model, count, rows=20, cols=30):
    return TiledNetwork(model, rows, cols, max_bytes=2**30, count=count).method


def test_a_trunk_that_makes_one_position_of_a_patch_is_computed_once_for_a_map():
    """Of a patch its first layers compute many positions, of a map one for each pixel."""
    model = build_model("cnn3d-li", bands=20, classes=3, patch_size=5)
    positions = positions_of_patch(model)
    assert positions > 2
    enough = int(600 / positions) + 1
    assert chosen(model, 600) == chosen(model, enough) == "dense"
    assert chosen(model, enough - 1) == chosen(model, 1) == "patches"


@pytest.mark.parametrize("name", ["cnn1d-hu", "rnn-mou"])
def test_spectra_are_computed_together_if_all_are_wanted(name):
    """Nothing is computed twice either way, but windows need not be cut."""
    model = build_model(name, bands=20, classes=3, patch_size=1)
    assert chosen(model, 600) == "dense"
    assert chosen(model, 599) == "patches"


def test_of_wide_windows_positions_are_compared():
    model = build_model("hybridsn-dw", bands=13, classes=3, patch_size=11)
    at_once = (20 + 2) * (30 + 2)
    assert chosen(model, at_once // 9 + 1) == "dense"
    assert chosen(model, at_once // 9) == "patches"
