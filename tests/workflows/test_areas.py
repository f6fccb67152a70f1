"""Areas of a run are in square metres wherever the size of a pixel is known."""

import dataclasses

import pytest

import hsi
from hsi.errors import UsageError
from hsi.scenes.grid import Grid


def placed(scene, side, row=0):
    grid = Grid(crs="EPSG:32633", transform=(side, 0, 400_000, 0, -side, 5_800_000 - row))
    return dataclasses.replace(scene, grid=grid)


@pytest.mark.parametrize(("sides", "unit"), [((30, 30), "ha"), ((30, 20), "pixels")])
def test_scenes_with_pixels_of_one_size_have_areas(scene, tmp_path, small, sides, unit):
    scenes = [placed(scene, side, row) for side, row in zip(sides, (0, 5_000), strict=True)]
    both = hsi.join_scenes(scenes, gap=8)
    run = hsi.train(both, out=tmp_path / "run", **(small | {"epochs": 1}))
    area = run.metrics["area"]
    assert area["unit"] == unit
    assert area["pixel_m2"] == (900 if unit == "ha" else None)


def test_a_scene_is_no_path(run):
    for call in (run.map, lambda scene: hsi.map_scene(run, scene)):
        with pytest.raises(UsageError, match=r"is a str; expected a Scene.*hsi\.load_scene"):
            call("cube.tif")
