"""`hsi.map_scene`: a class for every pixel with data, in files that others open."""

import dataclasses
import shutil

import numpy as np
import pytest
from PIL import Image

import hsi
from hsi.errors import RunError, UsageError
from hsi.scenes import Scene


def raster(path):
    with Image.open(path) as image:
        return np.array(image)


@pytest.fixture
def copy(run, tmp_path):
    """A copy of the run to write into."""
    shutil.copytree(run.path, tmp_path / "run")
    return hsi.Run(tmp_path / "run")


def test_every_pixel_with_data_gets_a_class(copy, scene):
    saved = hsi.map_scene(copy, device="cpu")
    assert saved.class_map.shape == (34, 40)
    assert np.array_equal(saved.class_map == 0, ~scene.valid)
    assert (~scene.valid).sum() == 15
    assert set(np.unique(saved.class_map)) <= {0, 1, 2, 14}
    unlabelled = (scene.labels == 0) & scene.valid
    assert unlabelled.sum() > 100
    assert (saved.class_map[unlabelled] > 0).all()


@pytest.mark.parametrize("known", [False, True])
def test_bands_of_which_only_the_number_was_compared_are_said(copy, scene, tmp_path, known):
    centres = np.linspace(450, 2400, scene.bands) if known else None
    other = dataclasses.replace(scene, source={}, wavelengths=centres)
    said = "only the number of bands of cube was compared: the run knows no band centres"
    for resume in (False, True):  # also of a map that is complete already
        saved = hsi.map_scene(copy, other, out=tmp_path / "map", resume=resume, device="cpu")
        assert (said in saved.notes) == known


@pytest.mark.parametrize(
    ("name", "what"), [("bench.toml", "a benchmark"), ("search.json", "a search")]
)
def test_the_folder_of_something_else_is_refused(copy, tmp_path, name, what):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).touch()
    with pytest.raises(RunError, match=f"is the folder of {what}"):
        hsi.map_scene(copy, out=tmp_path / "out", device="cpu")
    assert [each.name for each in (tmp_path / "out").iterdir()] == [name]


def test_the_map_of_the_own_scene_replaces_that_in_the_run_with_the_same(copy):
    before = raster(copy.path / "class_map.tif")
    saved = hsi.map_scene(copy, device="cpu")
    assert (saved.picture, saved.raster) == (
        copy.path / "class_map.png", copy.path / "class_map.tif",
    )  # fmt: skip
    assert np.array_equal(saved.class_map, before)
    assert np.array_equal(raster(saved.raster), before)


def test_the_picture_has_the_class_colours_on_every_pixel(copy, tmp_path):
    saved = hsi.map_scene(copy, out=tmp_path / "map", device="cpu")
    with Image.open(saved.picture) as image:
        shown = {color for _, color in image.convert("RGB").getcolors(2**24)}
    ids = set(np.unique(saved.class_map).tolist()) - {0}
    assert {copy.classifier.class_colors[each] for each in ids} <= shown


def test_both_methods_give_the_same_map(copy, tmp_path):
    maps = [
        hsi.map_scene(copy, out=tmp_path / method, method=method, device="cpu").class_map
        for method in ("dense", "patches")
    ]
    assert np.array_equal(*maps)


def test_another_scene_is_mapped_beside_the_own(copy, tmp_path, write_scene):
    before = (copy.path / "class_map.tif").read_bytes()
    folder = write_scene(tmp_path / "other", seed=5)
    other = hsi.load_scene(folder / "cube.npy")
    saved = hsi.map_scene(copy, other, device="cpu")
    assert saved.raster == copy.path / "maps" / "cube" / "class_map.tif"
    assert np.array_equal(saved.class_map > 0, other.valid)
    assert (copy.path / "class_map.tif").read_bytes() == before


def test_a_label_that_the_run_does_not_know_is_still_shown(copy, tmp_path, scene):
    labels = np.where(scene.labels == 2, 200, scene.labels).astype(np.int32)
    other = Scene(name="other", cube=scene.cube, labels=labels)
    saved = hsi.map_scene(copy, other, out=tmp_path / "map", device="cpu")
    assert saved.picture.is_file()


def test_other_bands_are_refused_and_nothing_is_written(copy, tmp_path, write_scene):
    folder = write_scene(tmp_path / "other", bands=21)
    other = hsi.load_scene(folder / "cube.npy")
    with pytest.raises(UsageError, match="has 21 bands; this classifier was trained on 20"):
        hsi.map_scene(copy, other, out=tmp_path / "map")
    assert not (tmp_path / "map").exists()


def test_a_folder_that_cannot_be_written(copy, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="file is a file, where a folder is to be"):
        hsi.map_scene(copy, out=tmp_path / "file", device="cpu")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"method": "denze"}, "did you mean 'dense'"), ({"device": "gpu"}, "cannot be used")],
)
def test_misspelt_arguments(copy, tmp_path, arguments, words):
    with pytest.raises(UsageError, match=words):
        hsi.map_scene(copy, out=tmp_path / "map", **arguments)
    assert not (tmp_path / "map").exists()


@pytest.fixture
def drop_bands(tmp_path, scene):
    """Return a function that writes the scene with bands (of 24) without data and opens it."""
    wide = np.concatenate([np.asarray(scene.cube), 900 + 7 * np.asarray(scene.cube)[..., :4]], 2)

    def write(name, empty):
        cube = wide.copy()
        cube[:, :, empty] = np.nan
        np.save(tmp_path / f"{name}.npy", cube)
        np.save(tmp_path / "truth.npy", scene.labels)
        return hsi.load_scene(tmp_path / f"{name}.npy", labels=tmp_path / "truth.npy")

    return write


def test_bands_that_the_scene_of_the_run_lacked_are_left_out(drop_bands, tmp_path, small):
    own, fuller = drop_bands("own", [2, 20]), drop_bands("fuller", [20])
    copy = hsi.train(own, out=tmp_path / "run", **small | {"epochs": 1})
    saved = hsi.map_scene(hsi.Run(copy.path), fuller, out=tmp_path / "map", device="cpu")
    assert np.array_equal(saved.class_map, raster(copy.path / "class_map.tif"))


def test_a_scene_with_as_many_but_other_bands_is_refused(drop_bands, tmp_path, small):
    own, other = drop_bands("own", [2, 20]), drop_bands("other", [5, 20])
    copy = hsi.train(own, out=tmp_path / "run", **small | {"epochs": 1})
    with pytest.raises(UsageError, match=r"other lacks band 6 of its 24"):
        hsi.map_scene(copy, other, out=tmp_path / "map")


def test_a_file_with_as_many_bands_but_of_more_is_refused(drop_bands, copy, tmp_path):
    with pytest.raises(UsageError, match="20 of the 24 bands of its file"):
        hsi.map_scene(copy, drop_bands("other", [0, 3, 9, 20]), out=tmp_path / "map")


def test_scenes_of_one_name_do_not_replace_each_others_maps(copy, tmp_path, write_scene):
    paths = []
    for seed in (5, 6):
        folder = write_scene(tmp_path / f"other{seed}", seed=seed)
        other = hsi.load_scene(folder / "cube.npy")
        paths.append(hsi.map_scene(copy, other, device="cpu").raster)
    assert paths == [
        copy.path / "maps" / "cube" / "class_map.tif",
        copy.path / "maps" / "cube-2" / "class_map.tif",
    ]
    assert not np.array_equal(*map(raster, paths))


@pytest.mark.parametrize(
    ("name", "folder"),
    [("../../evil", "evil"), ("/abs/olute", "abs-olute"), ("..", "scene"), ("a\\b\n", "a-b")],
)
def test_the_name_of_a_scene_does_not_lead_out_of_the_run(copy, scene, name, folder):
    other = Scene(name=name, cube=scene.cube)
    saved = hsi.map_scene(copy, other, device="cpu")
    assert saved.picture.parent == copy.path / "maps" / folder


def test_a_very_long_name(copy, scene):
    other = Scene(name="\N{LATIN SMALL LETTER E WITH ACUTE}" * 300, cube=scene.cube)
    assert hsi.map_scene(copy, other, device="cpu").picture.is_file()


def test_a_map_in_bfloat16_does_not_replace_that_of_the_run(copy):
    before = (copy.path / "class_map.tif").read_bytes()
    saved = hsi.map_scene(copy, precision="bf16", device="cpu")
    assert saved.raster.parent.parent == copy.path / "maps"
    assert saved.raster.parent.name.endswith("-bf16")
    assert (copy.path / "class_map.tif").read_bytes() == before
    assert (saved.class_map == raster(copy.path / "class_map.tif")).mean() > 0.99
