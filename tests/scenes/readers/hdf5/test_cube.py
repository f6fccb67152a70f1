"""How a cube in an HDF5 file is read: never much at once, and no chunk twice."""

from pathlib import Path

import numpy as np
import pytest

from hsi.scenes.readers.hdf5_cube import Hdf5Cube


class Stored:
    """Stands for a dataset, and remembers what was asked of it."""

    def __init__(self, values, chunks):
        self.values, self.chunks = values, chunks
        self.shape, self.dtype, self.asked = values.shape, values.dtype, []

    def __getitem__(self, key):
        self.asked.append(key)
        return self.values[key]


VALUES = np.random.default_rng(4).integers(0, 99, (50, 60, 7), dtype=np.int16)


@pytest.mark.parametrize("chunks", [None, (6, 60, 2), (40, 10, 2)])
def test_blocks_are_small_and_end_between_chunks(chunks, monkeypatch):
    most = 20 * 60 * 7 * 2
    monkeypatch.setattr("hsi.scenes.readers.hdf5_cube.BLOCK_BYTES", most)
    stored = Stored(VALUES, chunks)
    cube = Hdf5Cube(stored, path=Path("cube"), axes=(0, 2, 1))
    assert cube.shape == (50, 7, 60)
    read = cube.read(slice(2, 47), slice(0, 7), np.arange(60))
    np.testing.assert_array_equal(read, VALUES[2:47].transpose(0, 2, 1))
    sizes = [stored.values[key].nbytes for key in stored.asked]
    assert max(sizes) <= most
    assert len(sizes) == 3
    if chunks == (6, 60, 2):
        assert [key[0].start for key in stored.asked] == [2, 18, 36]


@pytest.mark.parametrize(
    ("bands", "ranges"),
    [
        ([3], [(3, 4)]),
        ([3, 4, 9], [(3, 10)]),
        ([0, 40, 41, 59], [(0, 1), (40, 42), (59, 60)]),
    ],
)
def test_bands_far_apart_are_read_on_their_own(bands, ranges):
    stored = Stored(VALUES, None)
    cube = Hdf5Cube(stored, path=Path("cube"), axes=(0, 2, 1))
    np.testing.assert_array_equal(
        cube.read(slice(0, 5), slice(1, 3), np.array(bands)),
        VALUES[:5, bands, 1:3].transpose(0, 2, 1),
    )
    assert [(key[1].start, key[1].stop) for key in stored.asked] == ranges
