"""The strips of a scene that is open on a worker."""

from types import SimpleNamespace

import numpy as np
import pytest

from hsi.errors import SceneError
from hsi.mapping.tiles import MapTile
from hsi.scenes.tiles import tiles_of
from hsi.workflows.cluster.strip import SceneOfStrips

ROWS, COLS, SIDE = 30, 24, 8


class Tiles:
    """Remembers what was computed, and what was begun anew."""

    def __init__(self):
        self.computed, self.begun, self.broken = [], [], None

    def from_row(self, row):
        self.begun.append(row)
        for tile in tiles_of(ROWS, COLS, SIDE):
            if tile.row < row:
                continue
            if tile.row == self.broken:
                raise SceneError("cannot be read")
            self.computed.append(tile)
            rows, cols = np.mgrid[tile.slices]
            yield MapTile(tile, {"class_map": 100 * rows + cols})


@pytest.fixture
def tiles():
    return Tiles()


@pytest.fixture
def scene(tiles):
    return SceneOfStrips(SimpleNamespace(scene={"size": [ROWS, COLS, 5]}), tiles)


def starts():
    return sorted({tile.row for tile in tiles_of(ROWS, COLS, SIDE)})


def test_strips_that_follow_each_other_are_begun_once_and_nothing_is_computed_twice(scene, tiles):
    found = np.concatenate([scene.strip(row)["class_map"] for row in starts()])
    rows, cols = np.mgrid[:ROWS, :COLS]
    np.testing.assert_array_equal(found, 100 * rows + cols)
    assert tiles.begun == [0]
    assert tiles.computed == list(tiles_of(ROWS, COLS, SIDE))


def test_in_any_order_they_are_the_same(scene, tiles):
    for row in reversed(starts()):
        assert scene.strip(row)["class_map"][0, -1] == 100 * row + COLS - 1
    assert len(tiles.computed) == len(list(tiles_of(ROWS, COLS, SIDE)))


def test_what_failed_is_begun_anew(scene, tiles):
    first, second = starts()[:2]
    scene.strip(first)
    tiles.broken = second
    with pytest.raises(SceneError):
        scene.strip(second)
    tiles.broken = None
    assert scene.strip(second)["class_map"].shape == (8, COLS)
    assert tiles.begun == [first, second]
