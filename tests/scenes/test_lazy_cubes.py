"""Cubes that are read when indexed behave like the arrays they stand for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hsi.scenes import lazy
from hsi.scenes.cube import bands_with_data
from hsi.scenes.lazy import BandSelection, LazyCube, ScaledCube

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


class Recording(LazyCube):
    """Remembers how much was read at once."""

    def __init__(self, cube):
        super().__init__(cube.shape, cube.dtype)
        self.cube, self.largest = cube, 0

    def read(self, rows, cols, bands):
        assert all(0 <= each.start <= each.stop and each.step is None for each in (rows, cols))
        assert (np.diff(bands) > 0).all()
        block = self.cube[rows, cols, bands]
        self.largest = max(self.largest, block.nbytes)
        return block


TALL = np.random.default_rng(2).normal(size=(40, 5, 6))


@given(key=hnp.basic_indices(TALL.shape, allow_newaxis=False))
@settings(deadline=None, max_examples=300)
def test_blocks_of_rows_are_put_together(key):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lazy, "BLOCK_BYTES", 3 * 5 * 6 * 8)
        cube = Recording(TALL)
        np.testing.assert_array_equal(cube[key], TALL[key])
    assert cube.largest <= 3 * 5 * 6 * 8


@given(
    key=st.one_of(
        hnp.integer_array_indices(TALL.shape, result_shape=hnp.array_shapes(max_dims=2)),
        hnp.arrays(np.bool_, (40, 5)),
        hnp.arrays(np.bool_, 40),
        st.tuples(hnp.arrays(np.bool_, (40, 5)), st.slices(6)),
    )
)
@settings(deadline=None, max_examples=200)
def test_scattered_pixels_are_read_in_blocks(key):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lazy, "BLOCK_BYTES", 3 * 5 * 6 * 8)
        cube = Recording(TALL)
        np.testing.assert_array_equal(cube[key], TALL[key])
    assert cube.largest <= 3 * 5 * 6 * 8


def test_stored_values_become_physical_ones():
    stored = np.array([[[-32768, 100], [250, -32768]]], dtype=np.int16)
    cube = ScaledCube(stored, scale=[1e-4, 1e-2], offset=[0, 1], nodata=-32768)
    assert cube.dtype == np.float32
    np.testing.assert_allclose(cube[:], [[[np.nan, 2.0], [0.025, np.nan]]], rtol=1e-6)
    np.testing.assert_allclose(cube[0, :, 1], [2.0, np.nan], rtol=1e-6)
    assert ScaledCube(stored.astype(np.float64), scale=0.5).dtype == np.float64


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
