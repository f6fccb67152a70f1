"""``hsi map``."""

import json
import shutil

import numpy as np
import pytest

import hsi


@pytest.fixture
def copy(run, tmp_path):
    """The folder of a run to write into."""
    return shutil.copytree(run.path, tmp_path / "run")


def test_it_says_what_it_found_and_where_it_is(hsi_command, copy):
    done = hsi_command("map", copy, "--device", "cpu")
    assert done.code == 0
    assert "no data" in done.out
    assert "Mapped 1,360 pixels in" in done.out
    assert f"Map:    {copy / 'class_map.png'}\nRaster: {copy / 'class_map.tif'}\n" in done.out
    assert done.err == ""


def test_json(hsi_command, copy, scene):
    done = hsi_command("map", copy, "--out", "map", "--json", "--device", "cpu")
    printed = json.loads(done.out)
    assert printed.keys() == {"picture", "raster", "seconds", "classes"}
    assert printed["raster"] == "map/class_map.tif"
    pixels = {each["id"]: each["pixels"] for each in printed["classes"]}
    assert pixels[0] == 15
    assert sum(pixels.values()) == scene.rows * scene.cols
    assert printed["classes"][0]["name"] == "no data"
    assert {each["name"] for each in printed["classes"][1:]} <= {"class 1", "class 2", "class 14"}


def test_another_scene(hsi_command, copy, write_scene, tmp_path):
    folder = write_scene(tmp_path / "other", seed=2)
    done = hsi_command("map", copy, "--scene", folder / "cube.npy", "--device", "cpu", "--json")
    assert done.code == 0
    assert json.loads(done.out)["picture"] == str(copy / "maps" / "cube" / "class_map.png")
    done = hsi_command(
        "map", copy, "--scene", folder / "cube.npy", "--labels", folder / "truth.npy",
        "--out", "map", "--method", "patches", "--device", "cpu",
    )  # fmt: skip
    assert done.code == 0
    assert sorted(each.name for each in (copy.parent / "here" / "map").iterdir()) == [
        "class_map.json", "class_map.png", "class_map.qml", "class_map.tif",
        "class_map.tif.aux.xml", "map.json",
    ]  # fmt: skip


def test_labels_alone_are_refused(hsi_command, copy, files):
    done = hsi_command("map", copy, "--labels", files / "truth.npy")
    assert done.code == 2
    assert "add --scene" in done.err


def test_an_unfinished_run_maps_with_its_checkpoint_and_says_so(hsi_command, copy):
    (copy / "checkpoint").mkdir()
    (copy / "model.safetensors").rename(copy / "checkpoint" / "model.safetensors")
    before = hsi.Run(copy).classifier
    done = hsi_command("map", copy, "--out", "map", "--device", "cpu", "--json")
    assert done.code == 0
    assert "did not finish; using its checkpoint" in done.err
    json.loads(done.out)
    assert np.array_equal(before.class_ids, [1, 2, 14])


def test_a_run_that_learned_nothing_yet(hsi_command, copy):
    (copy / "model.safetensors").unlink()
    done = hsi_command("map", copy, "--out", "map")
    assert done.code == 1
    assert "checkpoint" in done.err
    assert "Traceback" not in done.err
