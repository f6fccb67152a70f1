"""A step on whole regions against the same patches, one by one."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from hsi.layers import TrunkBatchNorm2d, gather_windows, pad_scene
from hsi.layers.attention import ATTENTIONS
from hsi.models import build_model
from hsi.sampling import turned
from hsi.training.batches import Batch, Crops, Patches, Region, batch_count, plan_batches
from hsi.training.step import batch_loss, batch_scores, region_scores

CPU = torch.device("cpu")


def network(name, norm, *, patch_size=11):
    """Return a network in float64 whose scales, shifts and biases are not at their start."""
    torch.manual_seed(0)
    return prepared(
        build_model(name, bands=14, classes=4, patch_size=patch_size, norm=norm, dropout=0.0)
    )


def prepared(model):
    for weight in model.parameters():
        if weight.ndim == 1:
            nn.init.uniform_(weight, -0.3, 0.9)
    return model.double().train()


def scene(rows, cols, seed=0, bands=14):
    rng = np.random.default_rng(seed)
    cube = torch.from_numpy(rng.standard_normal((bands, rows, cols)))
    return cube, rng.integers(0, 4, (rows, cols))


def patchwise(model, padded, rows, cols, symmetry):
    """Return the scores of patches that are cut, turned and convolved on their own."""
    p = model.patch_size
    patches = [padded[:, r : r + p, c : c + p] for r, c in zip(rows, cols, strict=True)]
    return model(torch.stack([turned(patch, symmetry) for patch in patches]))


def assert_same_step(one, other, scores, expected, batch):
    loss = batch_loss(scores, batch, label_smoothing=0.1)
    reference = batch_loss(expected, batch, label_smoothing=0.1)
    loss.backward()
    reference.backward()
    assert float((loss - reference).detach().abs()) <= 1e-9 * float(reference.detach())
    for (name, weight), twin in zip(one.named_parameters(), other.parameters(), strict=True):
        largest = twin.grad.abs().max()
        assert largest > 0, name
        assert (weight.grad - twin.grad).abs().max() <= 1e-9 * largest, name
    for (name, value), twin in zip(one.named_buffers(), other.buffers(), strict=True):
        torch.testing.assert_close(value, twin, rtol=1e-9, atol=1e-12, msg=name)


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_loss_gradients_and_statistics_are_those_of_the_patches(small_trunk, norm):
    if not small_trunk.takes(norm):
        return
    torch.manual_seed(0)
    compare_steps(prepared(small_trunk.build(norm=norm, dropout=0.0)))


def compare_steps(model):
    twin = copy.deepcopy(model)
    cube, targets = scene(17, 13, bands=model.bands)
    padded = pad_scene(cube, model.patch_size)
    rng = np.random.default_rng(1)
    # Some pixels twice, as crops may give them.
    pixels = np.stack([rng.integers(0, 17, 30), rng.integers(0, 13, 30)], axis=1)
    for symmetry in (0, 3, 6):
        model.zero_grad()
        twin.zero_grad()
        batch = next(
            Region(pixels, targets, batch_size=30, class_balance=0.0, device=CPU).epoch(
                torch.Generator().manual_seed(symmetry)
            )
        )
        corner = batch.corners[0]
        rows, cols = (batch.rows + corner[0]).tolist(), (batch.cols + corner[1]).tolist()
        scores = region_scores(model, padded, batch, symmetry=symmetry)
        assert_same_step(model, twin, scores, patchwise(twin, padded, rows, cols, symmetry), batch)


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("name", ["hybridsn-dw", "hybridsn-2d3d"])
def test_attention_learns_the_same_from_regions_and_patches(name, attention):
    """Its batch norms see the windows of the batch either way."""
    torch.manual_seed(0)
    model = build_model(
        name, bands=14, classes=4, patch_size=11, dropout=0.0, attention=attention
    ).double()
    for weight in model.head[0].parameters():
        if weight.ndim < 2:
            nn.init.uniform_(weight, 0.2, 0.9)
    twin = copy.deepcopy(model)
    cube, targets = scene(12, 9)
    padded = pad_scene(cube, 11)
    pixels = np.random.default_rng(1).integers(0, 9, (8, 2))
    batches = Region(pixels, targets, batch_size=8, class_balance=0.0, device=CPU)
    batch = next(batches.epoch(torch.Generator().manual_seed(0)))
    corner = batch.corners[0]
    rows, cols = (batch.rows + corner[0]).tolist(), (batch.cols + corner[1]).tolist()
    scores = region_scores(model, padded, batch, symmetry=3)
    expected = patchwise(twin, padded, rows, cols, 3)
    torch.testing.assert_close(scores, expected, rtol=1e-9, atol=1e-9)
    batch_loss(scores, batch, label_smoothing=0.0).backward()
    batch_loss(expected, batch, label_smoothing=0.0).backward()
    largest = max(float(weight.grad.abs().max()) for weight in twin.parameters())
    for (key, weight), other in zip(model.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(weight.grad, other.grad, rtol=1e-9, atol=1e-9 * largest, msg=key)
    for (key, value), other in zip(model.named_buffers(), twin.buffers(), strict=True):
        torch.testing.assert_close(value, other, rtol=1e-9, atol=1e-12, msg=key)


@pytest.mark.parametrize("symmetry", range(8))
def test_several_crops_make_one_batch(symmetry):
    """Batch norm sees all crops together, and class weights are those of the loss."""
    model = network("hybridsn-dw", "batch")
    twin = copy.deepcopy(model)
    cube, targets = scene(90, 70)
    padded = pad_scene(cube, 11)
    pixels = np.argwhere(np.random.default_rng(2).random((90, 70)) < 0.01)
    crops = Crops(pixels, targets, batch_size=20, class_balance=0.0, device=CPU)
    batch = next(crops.epoch(torch.Generator().manual_seed(3)))
    assert len(batch.corners) >= 2
    corners = batch.corners[batch.regions]
    rows, cols = (batch.rows + corners[:, 0]).tolist(), (batch.cols + corners[:, 1]).tolist()
    assert {(r, c) for r, c in zip(rows, cols, strict=True)} <= set(map(tuple, pixels.tolist()))
    assert batch.truth.tolist() == targets[rows, cols].tolist()
    scores = region_scores(model, padded, batch, symmetry=symmetry)
    assert_same_step(model, twin, scores, patchwise(twin, padded, rows, cols, symmetry), batch)


@pytest.mark.parametrize("value", [1e22, np.inf, np.nan])
def test_what_no_patch_sees_does_not_matter(value):
    """Not even through 0 times infinity."""
    model = network("hybridsn-dw", "batch")
    twin = copy.deepcopy(model)
    cube, targets = scene(40, 40)
    cube[:, 20, 20] = value
    padded = pad_scene(cube, 11)
    pixels = np.array([[0, 0], [3, 39], [39, 2], [36, 36], [39, 39], [1, 1]])
    batches = Region(pixels, targets, batch_size=30, class_balance=0.0, device=CPU)
    batch = next(batches.epoch(torch.Generator().manual_seed(0)))
    scores = region_scores(model, padded, batch)
    rows, cols = batch.rows.tolist(), batch.cols.tolist()
    assert_same_step(model, twin, scores, patchwise(twin, padded, rows, cols, 0), batch)


def test_without_coverage_the_statistics_would_differ(monkeypatch):
    """The test above can fail: a plain batch norm over the region is another one."""
    monkeypatch.setattr(TrunkBatchNorm2d, "forward", nn.BatchNorm2d.forward)
    with pytest.raises(AssertionError):
        compare_steps(network("hybridsn-dw", "batch"))


def test_each_symmetry_is_used_and_pixels_keep_their_targets():
    model = network("hybridsn-dw", "none").eval()
    cube, targets = scene(14, 12)
    padded = pad_scene(cube, 11)
    pixels = np.argwhere(np.ones((14, 12), dtype=bool))[::5]
    batch = next(
        Region(pixels, targets, batch_size=99, class_balance=0.0, device=CPU).epoch(
            torch.Generator()
        )
    )
    corner = batch.corners[0]
    rows, cols = (batch.rows + corner[0]).tolist(), (batch.cols + corner[1]).tolist()
    with torch.no_grad():
        by_hand = [patchwise(model, padded, rows, cols, symmetry) for symmetry in range(8)]
        seen = set()
        generator = torch.Generator().manual_seed(0)
        for _ in range(60):
            scores = batch_scores(
                model, padded, batch, augmentation="dihedral", generator=generator
            )
            apart = [float((scores - each).abs().max()) for each in by_hand]
            assert min(apart) < 1e-9
            seen.add(int(np.argmin(apart)))
    assert seen == set(range(8))


@pytest.mark.parametrize("kind", [Patches, Region])
def test_an_epoch_sees_each_pixel_once(kind):
    _, targets = scene(20, 30)
    pixels = np.argwhere(np.random.default_rng(0).random((20, 30)) < 0.3)
    batches = kind(pixels, targets, batch_size=32, class_balance=0.0, device=CPU)
    seen = []
    for batch in batches.epoch(torch.Generator().manual_seed(1)):
        corner = (0, 0) if batch.corners is None else batch.corners[0].tolist()
        rows, cols = batch.rows + corner[0], batch.cols + corner[1]
        assert batch.truth.tolist() == targets[rows, cols].tolist()
        seen += list(zip(rows.tolist(), cols.tolist(), strict=True))
    assert sorted(seen) == sorted(map(tuple, pixels.tolist()))


def test_crops_keep_the_balance_of_classes():
    """Classes that lie in different corners of a scene all take part, each with its weight."""
    rng = np.random.default_rng(0)
    targets = np.zeros((400, 400), dtype=np.int64)
    targets[:, 200:] = 1
    targets[:40, :40] = 2  # 1 % of the scene
    pixels = np.argwhere(rng.random((400, 400)) < 0.03)
    batches = Crops(pixels, targets, batch_size=256, class_balance=0.0, device=CPU)
    shares = np.bincount(targets[tuple(pixels.T)]) / len(pixels)
    counts, weighted = np.zeros(3), np.zeros(3)
    for batch in batches.epoch(torch.Generator().manual_seed(0)):
        assert 128 <= len(batch.truth) <= 300
        got = np.bincount(batch.truth.numpy(), minlength=3)
        counts += got
        weighted += got * batch.class_weights.numpy()
    assert counts[2] > 0
    np.testing.assert_allclose(counts / counts.sum(), shares, atol=0.05)
    np.testing.assert_allclose(weighted / weighted.sum(), shares, atol=0.01)


@pytest.mark.parametrize("kind", [Patches, Region, Crops])
def test_classes_may_weigh_the_same_however_few_their_pixels(kind):
    targets = np.zeros((80, 80), dtype=np.int64)
    targets[:, 60:] = 1
    targets[:4, :4] = 3  # class 2 has no pixel
    pixels = np.argwhere(np.random.default_rng(0).random((80, 80)) < 0.5)
    counts = np.bincount(targets[tuple(pixels.T)], minlength=4)
    for balance, power in ((0.0, 1.0), (0.5, 0.5), (1.0, 0.0)):
        batches = kind(pixels, targets, batch_size=10**6, class_balance=balance, device=CPU)
        batch = next(batches.epoch(torch.Generator().manual_seed(0)))
        got = np.bincount(batch.truth.numpy(), minlength=4) * batch.class_weights.numpy()
        expected = np.where(counts, np.maximum(counts, 1.0) ** power, 0.0)
        np.testing.assert_allclose(got / got.sum(), expected / expected.sum(), rtol=1e-5)


def test_a_step_costs_no_more_in_a_larger_scene():
    rng = np.random.default_rng(0)
    positions = []
    for side in (400, 1200):
        targets = rng.integers(0, 3, (side, side))
        pixels = np.argwhere(rng.random((side, side)) < 0.05)
        batch = next(
            Crops(pixels, targets, batch_size=512, class_balance=0.0, device=CPU).epoch(
                torch.Generator()
            )
        )
        positions.append(len(batch.corners) * batch.size[0] * batch.size[1])
    assert positions[0] == positions[1]


@pytest.mark.parametrize(
    ("side", "share", "batch_size", "kind"),
    [
        (145, 0.05, 512, Region),  # Indian Pines at 10 % of its labelled pixels
        (145, 0.05, 32, Patches),  # few windows are cheaper one by one
        (145, 0.002, 512, Patches),
        (400, 0.05, 512, Crops),
        (1200, 0.0001, 512, Patches),  # crops would be empty but for their anchors
    ],
)
def test_the_cheaper_way_is_taken(side, share, batch_size, kind):
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, (side, side))
    pixels = np.argwhere(rng.random((side, side)) < share)
    model = build_model("hybridsn-dw", bands=14, classes=3)
    planned = plan_batches(
        model, pixels, targets, batch_size=batch_size, class_balance=0.0, device=CPU
    )
    assert type(planned) is kind


@pytest.mark.parametrize("pixels", [2, 3, 64, 65, 700, 1027])
@pytest.mark.parametrize("batch_size", [2, 64, 512])
def test_no_batch_is_a_single_pixel_nor_far_from_the_size_asked_for(pixels, batch_size):
    count = batch_count(pixels, batch_size)
    sizes = [len(part) for part in np.array_split(np.arange(pixels), count)]
    assert min(sizes) >= 2
    assert max(sizes) <= 1.5 * batch_size + 1


def test_a_batch_says_what_it_needs():
    batch = Batch(
        rows=torch.tensor([1]),
        cols=torch.tensor([2]),
        truth=torch.tensor([0]),
        class_weights=torch.ones(1),
    )
    assert batch.corners is None
    windows = gather_windows(torch.arange(20.0).view(1, 4, 5), batch.rows, batch.cols, 2)
    assert windows.flatten().tolist() == [7, 8, 12, 13]
