"""The overlap audit counts what a loop over all pairs of pixels counts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hsi.errors import UsageError
from hsi.sampling import overlap_audit, split_pixels
from hsi.sampling.overlap import within


def chebyshev_to_nearest(test, train):
    """Return the distance of each test pixel to the nearest training pixel, by brute force."""
    a, b = np.argwhere(test), np.argwhere(train)
    if len(b) == 0:
        return np.full(len(a), np.inf)
    return np.abs(a[:, None] - b[None]).max(axis=2).min(axis=1)


def patch_pixels(row, col, patch_size, shape):
    """Return the pixels of the scene that lie in the patch around a pixel."""
    r = patch_size // 2
    return {
        (i, j)
        for i in range(max(0, row - r), min(shape[0], row + r + 1))
        for j in range(max(0, col - r), min(shape[1], col + r + 1))
    }


masks = hnp.array_shapes(min_dims=2, max_dims=2, max_side=9).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.int8, shape, elements=st.sampled_from([0, 0, 0, 0, 1, 2])),
        st.sampled_from([1, 3, 5, 7]),
    )
)


@given(masks)
def test_equals_brute_force(drawn):
    sets, patch_size = drawn
    train, test = sets == 1, sets == 2
    overlap = overlap_audit(train, test, patch_size)
    if not test.any():
        assert math.isnan(overlap.contains)
        assert math.isnan(overlap.shares)
        return
    distance = chebyshev_to_nearest(test, train)
    assert overlap.contains == np.mean(distance <= patch_size // 2)
    assert overlap.shares == np.mean(distance <= patch_size - 1)


@given(masks)
def test_shares_means_that_patches_have_pixels_in_common(drawn):
    sets, patch_size = drawn
    train, test = sets == 1, sets == 2
    if not test.any():
        return
    seen = set()
    for row, col in np.argwhere(train):
        seen |= patch_pixels(row, col, patch_size, sets.shape)
    shared = [
        bool(seen & patch_pixels(row, col, patch_size, sets.shape))
        for row, col in np.argwhere(test)
    ]
    assert overlap_audit(train, test, patch_size).shares == np.mean(shared)


@given(masks)
def test_within_is_a_square_dilation(drawn):
    sets, distance = drawn
    mask = sets == 1
    everywhere = np.ones_like(mask)
    near = (chebyshev_to_nearest(everywhere, mask) <= distance).reshape(mask.shape)
    np.testing.assert_array_equal(within(mask, distance), near)


@pytest.mark.parametrize("seed", range(5))
def test_in_a_random_split_of_indian_pines_every_test_patch_holds_a_training_pixel(
    real_labels, seed
):
    split = split_pixels(real_labels("indian_pines"), train=0.1, seed=seed)
    assert split.overlap.contains == split.overlap.shares == 1.0


def test_official_maps_of_pavia_university_overlap(real_labels):
    train = real_labels("pavia_university_train") > 0
    test = real_labels("pavia_university_test") > 0
    overlap = overlap_audit(train, test, 25)
    assert overlap.contains == pytest.approx(0.4426, abs=5e-5)
    assert overlap.shares == pytest.approx(0.7188, abs=5e-5)


@pytest.mark.parametrize("patch_size", [0, 2, 24, -1, 2.5])
def test_patch_needs_a_centre(patch_size):
    with pytest.raises(UsageError, match="odd"):
        overlap_audit(np.ones((3, 3)), np.ones((3, 3)), patch_size)


def test_masks_must_fit_each_other():
    with pytest.raises(UsageError, match=r"\(3, 3\) and \(3, 4\)"):
        overlap_audit(np.ones((3, 3)), np.ones((3, 4)), 3)
