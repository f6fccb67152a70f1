import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from hsi.report.explorer.packing import pack, unpack

SHAPES = array_shapes(min_dims=1, max_dims=3, max_side=9)


@given(st.sampled_from([np.uint8, np.uint16]).flatmap(lambda dtype: arrays(dtype, SHAPES)))
def test_whole_numbers_come_back_unchanged(array):
    back = unpack(pack(array))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@given(arrays(np.float32, SHAPES))
def test_floats_come_back_unchanged_nan_too(array):
    np.testing.assert_array_equal(unpack(pack(array)), array)


def test_the_bytes_are_as_the_script_reads_them():
    """Low bytes of all values come first; differences 0, -1, 1, -2, ... are 0, 1, 2, 3, ..."""
    content = zlib.decompress(
        pack(np.array([[300, 299, 299], [1, 0, 65535]], dtype=np.uint16)).data
    )
    low, high = np.frombuffer(content, dtype=np.uint8).reshape(2, 6).astype(int)
    assert (low + 256 * high).tolist() == [600, 1, 0, 2, 1, 1]


def test_smooth_pictures_become_small():
    ramp = np.add.outer(np.arange(200), np.arange(300)).astype(np.uint16)
    assert len(pack(ramp).data) < ramp.nbytes / 100


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="int64"):
        pack(np.zeros(3, dtype=np.int64))
