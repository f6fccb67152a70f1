"""The first layer of a head on all windows: each way against plain products, and the choice."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hsi.errors import UsageError
from hsi.inference import heads, predict_scene
from hsi.inference.dense import DenseNetwork, folded
from hsi.inference.heads import DirectLinear, FourierLinear
from hsi.inference.memory import free_memory, memory_budget, reusing_memory
from hsi.inference.plan import HeadPlan, estimate, first_linear, plan_head
from hsi.layers import SpectralSpatialConv
from hsi.models import PatchNetwork, build_model
from hsi.scenes.tiles import tiles_of

CPU = torch.device("cpu")


def reference(linear, features, size):
    """Cut each window, flatten it and multiply, in float64."""
    windows = features.double().unfold(1, size, 1).unfold(2, size, 1)  # (C, rows, cols, k, k)
    flat = windows.permute(1, 2, 0, 3, 4).flatten(2)
    return flat @ linear.weight.double().T + linear.bias.double()


@settings(max_examples=60)
@given(
    channels=st.integers(1, 5),
    outputs=st.integers(1, 4),
    size=st.integers(1, 6),
    rows=st.integers(1, 20),
    cols=st.integers(1, 20),
    more=st.integers(0, 12),
    block=st.sampled_from([1, 2000, 2**22]),
    memory=st.sampled_from([1, 20_000, 2**30]),
)
def test_spectra_give_what_windows_give(channels, outputs, size, rows, cols, more, block, memory):
    """Odd and even squares, one or many, in one block or many, in one group or many."""
    torch.manual_seed(0)
    linear = nn.Linear(channels * size**2, outputs).double()
    features = torch.randn(channels, rows + size - 1, cols + size - 1).double()
    before = heads.BLOCK_BYTES["cpu"]
    heads.BLOCK_BYTES["cpu"] = block
    try:
        layer = FourierLinear(linear, size, side=size + more, max_bytes=memory)
        kept = FourierLinear(linear, size, side=size + more, max_bytes=memory, again=True)
    finally:
        heads.BLOCK_BYTES["cpu"] = before
    with torch.no_grad():
        found, expected = layer(features), reference(linear, features, size)
        again = [kept(features), kept(features)]
        direct = DirectLinear(linear, size)(features)
    assert found.shape == (rows, cols, outputs)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-11)
    torch.testing.assert_close(direct, expected, rtol=0, atol=1e-11)
    assert torch.equal(*again)
    torch.testing.assert_close(again[0], expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("side", [17, 37, 45, 64, 96])
def test_spectra_are_as_exact_as_float32_allows(side):
    """At the size of HybridSN: far below the tolerance of the contract."""
    torch.manual_seed(0)
    linear = nn.Linear(64 * 17**2, 32)
    features = torch.randn(64, 70, 60).relu().permute(1, 2, 0).contiguous().permute(2, 0, 1)
    with torch.no_grad():
        found = FourierLinear(linear, 17, side=side, max_bytes=2**28)(features)
        expected = reference(linear, features, 17)
    spread = expected.max() - expected.min()
    assert (found - expected).abs().max() <= 5e-6 * spread


def test_layers_without_a_bias():
    linear = nn.Linear(2 * 9, 3, bias=False).double()
    features = torch.randn(2, 7, 8).double()
    with torch.no_grad():
        found = FourierLinear(linear, 3, side=5, max_bytes=2**20)(features)
        torch.testing.assert_close(found, DirectLinear(linear, 3)(features))


@pytest.mark.parametrize("way", ["fourier", "direct", "windows"])
@pytest.mark.parametrize("name", ["hybridsn", "hybridsn-dw", "hybridsn-2d3d"])
def test_each_way_gives_the_scores_of_the_patches(name, way, monkeypatch):
    torch.manual_seed(0)
    model = build_model(name, bands=13, classes=3, patch_size=11).double()
    cube = np.random.default_rng(0).standard_normal((9, 14, 13))
    expected = predict_scene(model, cube, method="patches", device="cpu")
    plan = HeadPlan(way, 7 if way == "fourier" else 0)
    monkeypatch.setattr("hsi.inference.dense.plan_head", lambda *_: plan)
    found = predict_scene(model, cube, method="dense", device="cpu")
    assert np.abs(found - expected).max() <= 1e-9 * np.ptp(expected)


def test_a_head_that_begins_otherwise_gets_windows():
    model = build_model("hybridsn-dw", bands=13, classes=3, patch_size=11)
    linear = first_linear(model)
    assert linear is model.head[1]
    model.head = nn.Sequential(nn.ReLU(), *model.head)
    assert first_linear(model) is None
    assert plan_head(model, 99, 99, "cpu") == HeadPlan("windows")


class Scaled(nn.Linear):
    def forward(self, x):
        return 3 * super().forward(x)


@pytest.mark.parametrize(
    "head",
    [
        [nn.Flatten(), Scaled(8 * 49, 3)],
        [nn.Flatten(2), nn.Linear(49, 5), nn.Flatten(), nn.Linear(40, 3)],
        [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)],
        [nn.Identity(), nn.Flatten(), nn.Linear(8 * 49, 3)],
    ],
)
def test_heads_that_only_look_like_a_linear_layer_on_windows(head):
    torch.manual_seed(0)
    model = PatchNetwork(
        trunk=nn.Conv2d(5, 8, 3), head=nn.Sequential(*head), bands=5, classes=3, patch_size=9,
        receptive_field=3,
    ).double()  # fmt: skip
    cube = np.random.default_rng(0).standard_normal((12, 13, 5))
    dense, patches = (
        predict_scene(model, cube, method=method, device="cpu") for method in ("dense", "patches")
    )
    assert np.abs(dense - patches).max() <= 1e-9 * np.ptp(patches)


def test_hooks_on_the_first_layer_are_heeded():
    torch.manual_seed(0)
    model = build_model("hybridsn-dw", bands=13, classes=3, patch_size=11).double()
    model.head[1].register_forward_hook(lambda _layer, _args, out: 2 * out)
    cube = np.random.default_rng(0).standard_normal((12, 13, 13))
    dense, patches = (
        predict_scene(model, cube, method=method, device="cpu") for method in ("dense", "patches")
    )
    assert np.abs(dense - patches).max() <= 1e-9 * np.ptp(patches)


@pytest.mark.parametrize("device", ["cpu", "cuda", "mps"])
def test_large_windows_are_transformed_and_small_ones_are_not(device):
    large = build_model("hybridsn-dw", bands=30, classes=16)
    assert plan_head(large, 145, 145, device).way == "fourier"
    assert plan_head(large, 1, 1, device).way != "fourier"
    small = build_model("hybridsn-dw", bands=30, classes=16, patch_size=9)  # windows of 1 x 1
    assert plan_head(small, 145, 145, device).way != "fourier"


def test_impossible_squares_are_never_chosen():
    cost = estimate(
        HeadPlan("fourier", 4), channels=2, outputs=2, size=5, rows=9, cols=9, device="cpu"
    )
    assert cost == math.inf


@given(rows=st.integers(1, 400), cols=st.integers(1, 400), side=st.integers(1, 200))
def test_tiles_cover_each_pixel_once(rows, cols, side):
    covered = np.zeros((rows, cols), dtype=int)
    for tile in tiles_of(rows, cols, side):
        assert 1 <= tile.rows <= side
        assert 1 <= tile.cols <= side
        covered[tile.slices] += 1
    assert (covered == 1).all()


@pytest.mark.parametrize("method", ["dense", "patches"])
def test_a_smaller_memory_gives_the_same_map(method):
    torch.manual_seed(0)
    model = build_model("hybridsn-dw", bands=13, classes=3, patch_size=11)
    cube = np.random.default_rng(0).standard_normal((40, 50, 13)).astype(np.float32)
    free = predict_scene(model, cube, method=method, device="cpu")
    network = DenseNetwork(model.eval(), 40, 50, max_bytes=6 * 10**6)
    assert network.side < 40
    tight = predict_scene(model, cube, method=method, device="cpu", max_memory=6 * 10**6)
    assert np.abs(free - tight).max() <= 1e-5 * np.ptp(free)
    assert (free.argmax(0) == tight.argmax(0)).all()


@pytest.mark.parametrize("method", ["dense", "patches"])
def test_too_little_memory_is_refused_with_what_it_takes(method):
    model = build_model("hybridsn-dw", bands=13, classes=3, patch_size=11)
    cube = np.zeros((40, 50, 13), dtype=np.float32)
    with pytest.raises(UsageError, match=r"too small, by at least [\d,]+ bytes: .* takes [\d,]+"):
        predict_scene(model, cube, method=method, device="cpu", max_memory="100k")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (1000, 1000),
        ("1000", 1000),
        ("2k", 2048),
        ("1.5 MB", 1572864),
        ("2GiB", 2**31),
        ("1T", 2**40),
    ],
)
def test_amounts_of_memory(text, expected):
    assert memory_budget(text, CPU) == expected


@pytest.mark.parametrize("text", ["", "much", "-1", "0", "1X", True, "1e9"])
def test_what_is_no_amount_of_memory(text):
    with pytest.raises(UsageError, match="max_memory must be a number of bytes"):
        memory_budget(text, CPU)


def test_a_quarter_of_what_is_free_by_default():
    assert 2**20 < memory_budget(None, CPU) <= free_memory(CPU) / 3


def test_memory_is_reused_in_nested_blocks_and_errors_end_them():
    def fail():
        with reusing_memory(), reusing_memory():
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    with reusing_memory():
        assert torch.ones(2**22).sum() == 2**22


def test_norms_are_folded_into_a_copy():
    torch.manual_seed(0)
    model = build_model("hybridsn-2d3d", bands=6, classes=3, patch_size=11).double().eval()
    for module in model.trunk.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.bias)
    copy = folded(model.trunk)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in copy.modules())
    assert any(isinstance(module, nn.BatchNorm2d) for module in model.trunk.modules())
    x = torch.randn(2, 6, 11, 11).double()
    with torch.no_grad():
        torch.testing.assert_close(copy(x), model.trunk(x))


@pytest.mark.parametrize(("rows", "bands"), [(9, 3), (10, 4), (3, 5)])
def test_small_3d_convolutions_are_cut_in_halves_that_fit(rows, bands):
    """As a batch of two they take PyTorch's quick way; the result is that of the plain layer."""
    torch.manual_seed(0)
    layer = SpectralSpatialConv(2, 3, bands=3, size=3).double()
    x = torch.randn(1, 2, bands, rows, 6).double()
    with torch.no_grad():
        torch.testing.assert_close(layer(x), nn.Conv3d.forward(layer, x))


class Pairs(nn.Module):
    """A head that compares all positions of a window in its forward method, where no hook sees."""

    def __init__(self, channels, classes):
        super().__init__()
        self.last = nn.Linear(channels, classes)
        self.batches = []

    def forward(self, windows):
        self.batches.append(len(windows))
        x = windows.flatten(2).transpose(1, 2)  # (N, k k, C)
        return self.last((torch.softmax(x @ x.transpose(1, 2), dim=2) @ x).mean(1))


@pytest.mark.parametrize("method", ["dense", "patches"])
def test_batches_leave_room_for_what_a_head_makes_of_a_window(method, monkeypatch):
    torch.manual_seed(0)
    model = PatchNetwork(
        trunk=nn.Conv2d(2, 4, 3), head=Pairs(4, 3), bands=2, classes=3, patch_size=15,
        receptive_field=3,
    )  # fmt: skip
    cube = np.random.default_rng(0).standard_normal((20, 20, 2)).astype(np.float32)
    pairs = 13**4  # values of one window of 13 x 13
    monkeypatch.setattr("hsi.inference.dense.WINDOW_VALUES", 10 * pairs)
    scores = predict_scene(model, cube, method=method, device="cpu", max_memory=5_000_000)
    largest = max(model.head.batches)
    assert largest > 1
    assert largest * pairs * 4 <= 5_000_000
    expected = predict_scene(model.double(), cube, method="patches", device="cpu")
    assert np.abs(scores - expected).max() <= 1e-4 * np.ptp(expected)


def test_a_batch_is_no_larger_than_the_tile():
    """Batches are filled up, and that many windows may take long."""
    model = PatchNetwork(
        trunk=nn.Conv2d(2, 4, 3), head=Pairs(4, 3), bands=2, classes=3, patch_size=3,
        receptive_field=3,
    )  # fmt: skip
    predict_scene(model, np.zeros((3, 5, 2), np.float32), method="dense", device="cpu")
    assert max(model.head.batches) <= 15
