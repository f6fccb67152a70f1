"""Scenes in another unit than the one that a classifier learned from."""

import dataclasses

import numpy as np
import pytest

import hsi
from hsi.errors import SceneError
from hsi.sampling import BandPCA
from hsi.scenes.levels import FACTOR, few_pixels, level_notes

RNG = np.random.default_rng(3)
CUBE = RNG.normal(2000, 300, (20, 30, 6)).astype(np.float32)
FITTED = BandPCA(6).fit(CUBE.reshape(-1, 6))


def scene_of(cube, **known):
    return hsi.Scene(name="other", cube=cube.astype(np.float32), **known)


@pytest.mark.parametrize("factor", [1, 10, 0.1, 0.9 * FACTOR])
def test_what_another_day_or_place_may_do_is_nothing_to_note(factor):
    assert level_notes(scene_of(factor * CUBE), FITTED) == ()


@pytest.mark.parametrize("factor", [1e-4, 1e-2, 1e4])
def test_another_unit_is_noted_with_both_sizes(factor):
    [note] = level_notes(scene_of(factor * CUBE), FITTED)
    own = np.median(np.sqrt((few_pixels(scene_of(factor * CUBE)) ** 2).mean(axis=1)))
    assert f"five pixels: {own:.3g}" in note
    assert f"there {np.sqrt((CUBE**2).mean()):.3g}" in note


def test_one_pixel_of_the_size_of_the_training_is_enough():
    cube = 1e-4 * CUBE
    cube[10 - 1, 15 - 1] = CUBE[0, 0]
    assert level_notes(scene_of(cube), FITTED) == ()


def test_pixels_without_data_say_nothing():
    cube = CUBE.copy()
    corners = np.ix_([0, -1], [0, -1])
    cube[corners] = np.nan
    assert level_notes(scene_of(cube), FITTED) == ()
    cube[corners] = 0
    assert level_notes(scene_of(cube), FITTED) == ()
    assert level_notes(scene_of(np.zeros_like(CUBE)), FITTED) == ()
    cube[corners] = -9999
    assert level_notes(scene_of(cube), FITTED) == ()
    assert level_notes(scene_of(np.where(cube == -9999, cube, 1e-4 * cube)), FITTED) != ()


def test_values_around_zero_have_a_size_too():
    centred = CUBE - CUBE.mean(axis=(0, 1))
    fitted = BandPCA(6).fit(centred.reshape(-1, 6))
    assert level_notes(scene_of(centred), fitted) == ()
    assert level_notes(scene_of(1e-3 * centred), fitted) != ()


def test_a_map_and_a_page_say_so(run, scene, tmp_path):
    # A millionth: what is larger would lie as far from the training pixels as fill values do.
    other = dataclasses.replace(scene, cube=np.asarray(scene.cube) * 1e-6, source={}, name="other")
    saved = hsi.map_scene(run, other, out=tmp_path / "map", device="cpu")
    assert any("of another size" in note for note in saved.notes)
    own = hsi.map_scene(
        run, dataclasses.replace(scene, source={}), out=tmp_path / "o", device="cpu"
    )
    assert not any("of another size" in note for note in own.notes)


def test_values_far_too_large_are_not_taken_for_a_fill_value(run, scene, tmp_path):
    cube = np.asarray(scene.cube).astype(np.float64) * 1e8
    cube[:2] = 0  # nobody said that this is no data
    cube[5:9, 5:9] *= 1e-8  # some are as those of the training
    other = dataclasses.replace(scene, cube=cube, source={}, name="other")
    with pytest.raises(SceneError, match="seem to be in another unit"):
        hsi.map_scene(run, other, out=tmp_path / "map", device="cpu")


def test_a_rectangle_of_one_fill_value_is_one(run, scene, tmp_path):
    cube = np.full(scene.shape, -1e9)
    other = dataclasses.replace(scene, cube=cube, source={}, name="other")
    with pytest.raises(SceneError, match="looks like a fill value"):
        hsi.map_scene(run, other, out=tmp_path / "map", device="cpu")
