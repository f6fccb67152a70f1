"""A lazy choice of bands behaves like the array it stands for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hsi.scenes.cube import BandSelection, bands_with_data

CUBE = np.random.default_rng(1).normal(size=(4, 5, 6))
BANDS = [5, 0, 3]


@given(key=hnp.basic_indices((4, 5, 3), allow_newaxis=False))
@settings(deadline=None, max_examples=200)
def test_basic_indexing_is_that_of_the_array(key):
    np.testing.assert_array_equal(BandSelection(CUBE, BANDS)[key], CUBE[:, :, BANDS][key])


MASK = CUBE[:, :, 0] > 0


@pytest.mark.parametrize(
    "key",
    [
        MASK, (MASK, 1), (MASK, slice(1, None)), (MASK, ...), (..., [2, 0]), [0, 3], (1, [2, 2]),
        (np.array([0, 1, 2]), np.array([4, 0, 1])), ([0, 1], [2, 3], [1, 2]), MASK[:, 0],
        (slice(None), MASK[0], 2), (slice(1, 3), 2, -1), (..., np.array([True, False, True])),
        (3, slice(None), slice(0, 2)), (np.arange(4)[:, None], np.arange(5)),
    ],
    ids=str,
)  # fmt: skip
def test_index_arrays_and_masks(key):
    np.testing.assert_array_equal(BandSelection(CUBE, BANDS)[key], CUBE[:, :, BANDS][key])


def test_it_becomes_an_array():
    selection = BandSelection(CUBE, BANDS)
    np.testing.assert_array_equal(np.asarray(selection), CUBE[:, :, BANDS])
    assert np.asarray(selection, dtype=np.float32).dtype == np.float32
    assert (selection.shape, selection.ndim, len(selection)) == ((4, 5, 3), 3, 4)
    assert [row.shape for row in selection] == [(5, 3)] * 4


def test_too_many_indices():
    for key in ((0, 0, 0, 0), (MASK, 0, 0), None, (0, MASK[:, :3])):
        with pytest.raises(IndexError):
            BandSelection(CUBE, BANDS)[key]


@given(cube=hnp.arrays(np.float32, (3, 2, 4), elements=st.sampled_from([1, -1, np.nan, np.inf])))
@settings(deadline=None)
def test_bands_with_data_are_those_with_a_valid_pixel(cube):
    valid = np.isfinite(cube) & (cube != -1)
    expected = np.flatnonzero(valid.any(axis=(0, 1)))
    np.testing.assert_array_equal(bands_with_data(cube, -1.0), expected)


def test_rows_without_any_data_at_the_top_do_not_decide():
    cube = np.full((3, 512, 600), -1, dtype=np.float32)  # more than a block for each row
    cube[2, 5, 7:] = 0
    np.testing.assert_array_equal(bands_with_data(cube, -1.0), np.arange(7, 600))
