"""Patches are the squares around pixels of the cube, cut without a copy of it."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from hsi.errors import UsageError
from hsi.sampling import PatchDataset

IDS = [1, 10, 11, 12, 13, 14]


def scene(rows, cols, bands=3, seed=0):
    rng = np.random.default_rng(seed)
    cube = rng.normal(size=(rows, cols, bands)).astype(np.float32)
    labels = rng.choice([0, *IDS], size=(rows, cols))
    labels.ravel()[: len(IDS)] = IDS[: labels.size]
    return cube, labels


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 5, 7, 21]))
def test_patches_equal_those_of_the_padded_scene(rows, cols, patch_size):
    cube, labels = scene(rows, cols)
    mask = labels > 0
    data = PatchDataset(cube, labels, mask, patch_size=patch_size)
    r = patch_size // 2
    padded = np.pad(cube, ((r, r), (r, r), (0, 0)))
    assert len(data) == np.count_nonzero(mask)
    np.testing.assert_array_equal(data.pixels, np.argwhere(mask))
    for i, (row, col) in enumerate(np.argwhere(mask)):
        patch, target = data[i]
        expected = padded[row : row + patch_size, col : col + patch_size].transpose(2, 0, 1)
        np.testing.assert_array_equal(patch.numpy(), expected)
        assert isinstance(target, int)
        assert data.ids[target] == labels[row, col]


def test_training_and_test_agree_on_targets():
    cube, labels = scene(12, 12)
    first, rest = labels == 14, (labels > 0) & (labels != 14)
    train, test = (PatchDataset(cube, labels, mask, patch_size=3) for mask in (first, rest))
    assert train.ids.tolist() == test.ids.tolist() == IDS
    assert {target for _, target in train} == {5}
    assert {target for _, target in test} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("workers", [0, 2])
def test_data_loader(workers):
    cube, labels = scene(9, 8)
    data = PatchDataset(cube, labels, labels > 0, patch_size=5)
    batches = list(DataLoader(data, batch_size=16, num_workers=workers))
    patches, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
    assert patches.dtype == torch.float32
    assert patches.shape == (len(data), 3, 5, 5)
    assert targets.dtype == torch.int64
    np.testing.assert_array_equal(patches[:, :, 2, 2], cube[labels > 0])
    np.testing.assert_array_equal(data.ids[targets], labels[labels > 0])


class Reader:
    """The least that a cube must be: a shape, and slices of rows and columns."""

    def __init__(self, cube):
        self.cube, self.shape = cube, cube.shape

    def __getitem__(self, key):
        rows, cols = key
        assert rows.stop - rows.start <= 5
        assert cols.stop - cols.start <= 5
        return self.cube[key]


@pytest.mark.parametrize("dtype", [">u2", "int16", "float64"])
def test_anything_that_slices_will_do(dtype):
    cube, labels = scene(9, 8)
    cube = (cube * 100 + 1000).astype(dtype)
    data = PatchDataset(Reader(cube), labels, labels > 0, patch_size=5)
    patch, _ = data[len(data) // 2]
    row, col = data.pixels[len(data) // 2]
    assert patch.dtype == torch.float32
    np.testing.assert_array_equal(patch[:, 2, 2], cube[row, col].astype(np.float32))


def test_a_patch_is_the_callers_own():
    cube, labels = scene(9, 8)
    before = cube.copy()
    data = PatchDataset(cube, labels, labels > 0, patch_size=5)
    data[0][0].fill_(7)
    np.testing.assert_array_equal(cube, before)
    with pytest.raises(IndexError):
        data[len(data)]


def test_memory_grows_with_the_scene_not_with_the_patches():
    # All 207,400 patches of this scene would take 7.8 GB, a padded copy of it 14 MB.
    cube = np.zeros((610, 340, 15), np.float32)
    labels = np.ones((610, 340), np.uint8)
    mask = labels > 0
    tracemalloc.start()
    data = PatchDataset(cube, labels, mask, patch_size=25)
    for i in range(0, len(data), 1000):
        data[i]
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(data) == 207_400
    assert held < 8e6  # row, column and target of each pixel: 24 bytes
    assert peak < 16e6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"patch_size": 24}, "odd"),
        ({"mask": np.ones((6, 7), bool)}, r"have no label; use mask & \(labels > 0\)"),
        ({"mask": np.ones((7, 6), bool)}, r"do not fit: \(6, 7, 3\), \(6, 7\), \(7, 6\)"),
        ({"mask": np.ones((6, 7), int)}, "boolean"),
        ({"labels": np.ones((7, 6), int)}, "do not fit"),
        ({"cube": np.ones((6, 7))}, "do not fit"),
    ],
)
def test_what_does_not_fit_is_told(changes, said):
    cube, labels = scene(6, 7)
    arguments = {"cube": cube, "labels": labels, "mask": labels > 0, "patch_size": 5} | changes
    with pytest.raises(UsageError, match=said):
        PatchDataset(**arguments)
