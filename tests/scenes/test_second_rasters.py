"""Another raster of the same place: on the scene's pixels, or brought to them."""

import numpy as np
import pytest

from hsi.errors import SceneError
from hsi.scenes import Scene
from hsi.scenes.grid import Grid
from hsi.scenes.second import colour_composite, on_pixels_of

UTM = "EPSG:32633"


def made(values, *, transform=None, crs=UTM, **about):
    grid = None if transform is None else Grid(crs=crs, transform=transform)
    return Scene(name="raster", cube=np.asarray(values), grid=grid, **about)


@pytest.fixture
def scene():
    """6 x 8 pixels of 10 m."""
    return made(np.zeros((6, 8, 5), np.float32), transform=(10, 0, 1000, 0, -10, 5000))


def test_a_finer_raster_is_read_where_the_centres_lie(scene):
    rows, cols = np.meshgrid(np.arange(30), np.arange(40), indexing="ij")
    fine = made(np.dstack([rows, cols]), transform=(2, 0, 1000, 0, -2, 5000))
    placed = on_pixels_of(scene, fine)
    assert placed.shape == (6, 8, 2)
    # The centre of a pixel of 10 m lies in the third of five pixels of 2 m.
    np.testing.assert_array_equal(placed.cube[:, 0, 0], 5 * np.arange(6) + 2)
    np.testing.assert_array_equal(placed.cube[0, :, 1], 5 * np.arange(8) + 2)
    assert placed.grid == scene.grid


def test_what_it_does_not_reach_or_hold_has_no_data(scene):
    values = np.arange(48, dtype=np.int16).reshape(6, 8, 1)
    shifted = made(values, transform=(10, 0, 1030, 0, -10, 5000), nodata=9.0)
    placed = on_pixels_of(scene, shifted)
    expected = np.zeros((6, 8), bool)
    expected[:, 3:] = True
    expected[1, 4] = False  # where the value is 9
    np.testing.assert_array_equal(placed.valid, expected)
    np.testing.assert_array_equal(placed.cube[0, 3:, 0], np.arange(5))


def test_the_same_pixels_stay_as_they_are(scene):
    values = np.arange(48.0).reshape(6, 8, 1)
    labels = np.ones((6, 8), np.int32)
    for transform in ((10, 0, 1000, 0, -10, 5000), None):
        placed = on_pixels_of(scene, made(values, transform=transform, labels=labels))
        assert placed.cube is values
        assert placed.labels is None
    # Of as many pixels, but elsewhere: the georeference goes before.
    moved = on_pixels_of(scene, made(values, transform=(10, 0, 1010, 0, -10, 5000)))
    assert np.isnan(moved.cube[:, 0]).all()


def test_other_sizes_without_georeference_are_refused(scene):
    for transform, crs in ((None, None), ((10, 0, 1000, 0, -10, 5000), None)):
        other = made(np.zeros((7, 8, 1)), transform=transform, crs=crs)
        with pytest.raises(SceneError, match="7 rows and 8 columns, raster has 6 and 8"):
            on_pixels_of(scene, other)


def test_another_place_is_refused(scene):
    elsewhere = made(np.zeros((6, 8, 1)), transform=(10, 0, 90000, 0, -10, 5000))
    with pytest.raises(SceneError, match="do not overlap") as refused:
        on_pixels_of(scene, elsewhere)
    assert str(refused.value).count("\n") < 5


def test_a_composite_is_the_picture_of_the_scene_with_its_gaps(scene):
    cube = np.random.default_rng(0).normal(size=(6, 8, 5)).astype(np.float32)
    cube[2, 3] = np.nan
    whole = made(
        cube, transform=(10, 0, 1000, 0, -10, 5000), wavelengths=np.arange(400.0, 900, 100)
    )
    found = colour_composite(whole)
    assert found.grid == whole.grid
    np.testing.assert_array_equal(found.valid, whole.valid)
    np.testing.assert_array_equal(found.cube[whole.valid], whole.composite()[whole.valid])
    assert found.wavelengths.tolist() == [600, 500, 500]
