"""``hsi map``."""

import json
import shutil
import signal
import time
from subprocess import PIPE

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
    assert "Mapped 1,345 pixels (15 more have no data) in" in done.out
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
        "SHA256SUMS", "class_map.json", "class_map.png", "class_map.qml", "class_map.tif",
        "class_map.tif.aux.xml", "map.json",
    ]  # fmt: skip


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


def test_several_scenes_of_which_one_fails(hsi_command, copy, write_scene, tmp_path):
    first, second = (write_scene(tmp_path / f"scene{seed}", seed=seed) for seed in (1, 2))
    broken = tmp_path / "broken.npy"
    broken.write_bytes(b"no array")
    scenes = (first / "cube.npy", broken, second / "cube.npy", tmp_path / "absent.npy")
    done = hsi_command("map", copy, *scenes, "--out", "maps", "--device", "cpu")
    assert done.code == 1
    maps = copy.parent / "here" / "maps"
    assert sorted(each.name for each in maps.iterdir()) == ["cube", "cube-2"]
    for number, seed in (("cube", 1), ("cube-2", 2)):
        alone = hsi.map_scene(
            hsi.Run(copy), hsi.load_scene(tmp_path / f"scene{seed}" / "cube.npy"),
            out=tmp_path / f"alone{seed}", device="cpu",
        )  # fmt: skip
        assert (maps / number / "class_map.tif").read_bytes() == alone.raster.read_bytes()
    assert done.out.count("1,345 pixels (15 more have no data) in") == 2
    last = done.err[done.err.index("2 of 4 scenes failed:") :].splitlines()
    assert len(last) == 3
    assert last[1].startswith(f"  {broken}: ")
    assert last[2].startswith(f"  {tmp_path / 'absent.npy'}: there is no file")
    assert "Traceback" not in done.err


def test_several_scenes_as_json_and_again(hsi_command, copy, write_scene, tmp_path):
    paths = [write_scene(tmp_path / f"scene{seed}", seed=seed) / "cube.npy" for seed in (1, 2)]
    arguments = ("map", copy, *paths, tmp_path / "absent.npy", "--out", "maps", "--device", "cpu")
    done = hsi_command(*arguments, "--json")
    assert done.code == 1
    printed = json.loads(done.out)
    assert [each["raster"] for each in printed["maps"]] == [
        "maps/cube/class_map.tif", "maps/cube-2/class_map.tif",
    ]  # fmt: skip
    assert [each["scene"] for each in printed["failed"]] == [str(tmp_path / "absent.npy")]
    again = hsi_command(*arguments, "--resume")
    assert again.code == 1
    assert again.err.count("the map was complete already") == 2
    done = hsi_command("map", copy, *paths, "--labels", tmp_path / "truth.npy")
    assert done.code == 2
    assert "--labels belong to one scene" in done.err


def test_confidence_scores_and_format(hsi_command, copy):
    done = hsi_command(
        "map", copy, "--out", "map", "--confidence", "--scores", "--format", "envi",
        "--max-memory", "500M", "--device", "cpu", "--json",
    )  # fmt: skip
    assert done.code == 0
    printed = json.loads(done.out)
    assert printed["raster"] == "map/class_map.img"
    for name in ("picture", "raster", "confidence", "scores"):
        assert (copy.parent / "here" / printed[name]).is_file()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals of this kind are POSIX's")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_map_that_is_terminated_says_how_to_go_on(start_hsi, copy, tmp_path, number):
    cube = np.random.default_rng(0).normal(1000, 300, (6000, 40, 20)).astype(np.float32)
    np.save(tmp_path / "long.npy", cube)
    arguments = ("map", copy, "long.npy", "--out", "map", "--device", "cpu")
    process = start_hsi(*arguments, stdout=PIPE, stderr=PIPE, text=True)
    rows = tmp_path / "map" / ".unfinished-map" / "rows"
    while process.poll() is None and not (rows.is_file() and rows.read_text().count("\n") > 1):
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == 128 + number, err
    assert "of 6,000 rows are kept in map" in err
    assert "--resume" in err
    assert "Traceback" not in err
    process = start_hsi(*arguments, "--resume", stdout=PIPE, stderr=PIPE, text=True)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "Note: continued after" in err
    assert "Mapped 240,000 pixels" in out


def test_a_folder_that_cannot_be_made(hsi_command, copy):
    done = hsi_command("map", copy, "--out", "/proc/map", "--device", "cpu")
    assert done.code == 1
    assert done.err.startswith("Error: cannot write the map into /proc/map: ")
    assert len(done.err.splitlines()) == 1


def test_a_program_of_pytorch_is_not_taken_for_a_run(hsi_command, tmp_path):
    (tmp_path / "model.pt2").write_bytes(b"PK")
    done = hsi_command("map", tmp_path / "model.pt2", "synthetic")
    assert done.code == 2
    assert "export it with --format onnx" in done.err
