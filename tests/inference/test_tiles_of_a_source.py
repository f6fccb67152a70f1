"""Scenes that are read tile by tile: what is read, and that nothing changes by it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hsi.errors import UsageError
from hsi.inference import predict_scene, predict_tiles
from hsi.models import PatchNetwork, build_model

BANDS, CLASSES, PATCH = 13, 4, 9
MARGIN = PATCH // 2


class Recorded:
    """An array that notes which rectangles of it are read."""

    def __init__(self, cube):
        self.cube, self.shape, self.dtype, self.read = cube, cube.shape, cube.dtype, []

    def __getitem__(self, key):
        rows, cols = key
        self.read.append((rows.start, rows.stop, cols.start, cols.stop))
        return self.cube[key]


def trunked():
    torch.manual_seed(0)
    return build_model("hybridsn-dw", bands=BANDS, classes=CLASSES, patch_size=PATCH).double()


def patchwise():
    torch.manual_seed(0)
    padded = nn.Sequential(
        nn.Conv2d(BANDS, 5, 3, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(5 * PATCH**2, CLASSES),
    )  # fmt: skip
    return PatchNetwork(
        trunk=nn.Identity(), head=padded, bands=BANDS, classes=CLASSES, patch_size=PATCH,
        receptive_field=1,
    ).double()  # fmt: skip


NETWORKS = {"dense": trunked(), "patches": patchwise()}


def cube_of(rows, cols, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, cols, BANDS))


def collect(tiles, rows, cols):
    """Put tiles together; a pixel in none or in two of them is told."""
    scores, times = np.full((CLASSES, rows, cols), np.nan), np.zeros((rows, cols), int)
    for tile, part in tiles:
        scores[:, *tile.slices] = part
        times[tile.slices] += 1
    assert (times == 1).all()
    return scores


@settings(max_examples=12, deadline=None)
@given(
    method=st.sampled_from(["dense", "patches"]),
    rows=st.integers(1, 23),
    cols=st.integers(1, 23),
    side=st.integers(2, 12),
    seed=st.integers(0, 99),
)
def test_tiles_of_any_side_are_the_scores_of_the_whole(method, rows, cols, side, seed):
    model, cube = NETWORKS[method], cube_of(rows, cols, seed)
    whole = predict_scene(model, cube, method=method, device="cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hsi.inference.dense.TILE", side)
        patch.setattr("hsi.inference.patchwise.PATCH_TILE", side)
        source = Recorded(cube)
        tiles = predict_tiles(model, source, method=method, device="cpu")
        scores = collect(tiles, rows, cols)
    np.testing.assert_allclose(scores, whole, rtol=0, atol=1e-11)
    for top, bottom, left, right in source.read:
        assert 0 < bottom - top <= side + 2 * MARGIN
        assert 0 < right - left <= side + 2 * MARGIN


@pytest.mark.parametrize("method", ["dense", "patches"])
def test_a_tile_is_read_when_it_is_asked_for(method, monkeypatch):
    monkeypatch.setattr("hsi.inference.dense.TILE", 8)
    monkeypatch.setattr("hsi.inference.patchwise.PATCH_TILE", 8)
    source = Recorded(cube_of(16, 16))
    tiles = predict_tiles(NETWORKS[method], source, method=method, device="cpu")
    assert source.read == []
    places = [tile[:2] for tile, _ in (next(tiles), next(tiles), next(tiles))]
    assert places == [(0, 0), (0, 8), (8, 0)]
    assert source.read == [(0, 12, 0, 12), (0, 12, 4, 16), (4, 16, 0, 12)]


def test_gradients_and_modes_are_the_callers_between_tiles(monkeypatch):
    monkeypatch.setattr("hsi.inference.dense.TILE", 8)
    model = trunked().train()
    for _ in predict_tiles(model, cube_of(9, 9), device="cpu"):
        assert model.training
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()


def test_values_that_are_none_are_found_in_the_tile_that_holds_them(monkeypatch):
    monkeypatch.setattr("hsi.inference.dense.TILE", 8)
    cube = cube_of(32, 5)
    cube[28, 2, 3] = np.nan
    tiles = predict_tiles(NETWORKS["dense"], cube, method="dense", device="cpu")
    assert [next(tiles)[0].row for _ in range(3)] == [0, 8, 16]
    with pytest.raises(UsageError, match=r"NaN or infinity .in rows 24 to 31"):
        list(tiles)


@pytest.mark.parametrize("dtype", [">f4", "uint16", "float64", "float16", np.longdouble])
def test_numbers_of_any_type_and_order(dtype):
    model = NETWORKS["dense"]
    cube = np.random.default_rng(0).integers(0, 9, (7, 6, BANDS)).astype(dtype)
    expected = predict_scene(model, cube.astype(np.float64), device="cpu")
    assert np.array_equal(predict_scene(model, cube[::-1], device="cpu"), predict_scene(
        model, cube.astype(np.float64)[::-1].copy(), device="cpu"
    ))  # fmt: skip
    assert np.array_equal(predict_scene(model, cube, device="cpu"), expected)
