"""`hsi export`, and `hsi map` with what it wrote."""

import json

import pytest


def test_it_says_how_it_compares_and_where_it_is(hsi_command, run, monkeypatch, exported):
    monkeypatch.setattr("hsi.workflows.export.export_run", lambda run, **options: exported)
    done = hsi_command("export", run.path)
    assert (done.code, done.err) == (0, "")
    assert "hybridsn-dw, dense: 20 bands, 3 classes, 9x9 patches." in done.out
    assert "on 4 random tiles and 3 of its scene: " in done.out
    assert f"File: {exported.path}\n" in done.out
    told = json.loads(hsi_command("export", run.path, "--json").out)
    assert told["file"] == str(exported.path)
    assert (told["form"], told["bands"], told["difference"]) == ("dense", 20, exported.difference)
    assert [each["id"] for each in told["classes"]] == [1, 2, 14]


def test_a_map_by_a_file(hsi_command, exported, files, tmp_path):
    arguments = ("map", exported.path, "--scene", files / "cube.npy", "--out", tmp_path / "map")
    done = hsi_command(*arguments)
    assert done.code == 0, done.err
    assert "no data" in done.out
    assert f"Raster: {tmp_path / 'map' / 'class_map.tif'}" in done.out
    again = hsi_command(*arguments, "--resume", "--device", "cpu")
    assert "the map was complete already" in again.err


def test_maps_lie_beside_the_file_and_several_scenes_are_mapped(hsi_command, exported, files):
    done = hsi_command("map", exported.path, files / "cube.npy", "--json")
    raster = json.loads(done.out)["raster"]
    assert raster == str(exported.path.parent / "maps" / "cube" / "class_map.tif")
    several = hsi_command(
        "map", exported.path, files / "cube.npy", "nowhere.npy", "--out", "maps", "--json"
    )
    assert several.code == 1
    told = json.loads(several.out)
    assert [each["scene"] for each in told["maps"]] == [str(files / "cube.npy")]
    assert [each["scene"] for each in told["failed"]] == ["nowhere.npy"]


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--device", "cuda", "onnxruntime computes it on processors"),
        ("--precision", "bf16", "the run's own type"),
        ("--method", "patches", "the one way"),
    ],
)
def test_options_that_a_file_settles(hsi_command, exported, files, option, value, reason):
    done = hsi_command("map", exported.path, "--scene", files / "cube.npy", option, value)
    assert done.code == 2
    assert f"{option} {value} cannot be had of a file of ONNX" in done.err
    assert reason in done.err


def test_a_file_has_no_scene_of_its_own(hsi_command, exported):
    done = hsi_command("map", exported.path)
    assert done.code == 2
    assert "has no scene of its own" in done.err
