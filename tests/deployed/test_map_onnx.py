"""A map by an exported classifier is the map of its run, and needs no PyTorch."""

import json
import subprocess
import sys

import numpy as np
import pytest
import rasterio

import hsi
from hsi.deployed import OnnxClassifier
from hsi.errors import RunError, SceneError, UsageError
from hsi.scenes import Scene

WITHOUT_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ImportError("there is no PyTorch here")

sys.meta_path.insert(0, NoTorch())
"""


@pytest.fixture(scope="module")
def classifier(exported):
    return OnnxClassifier(exported.path)


def rasters(folder, *names):
    found = []
    for name in names:
        with rasterio.open(folder / f"{name}.tif") as file:
            found.append(file.read())
    return found


def assert_equal_maps(one, other):
    """All pixels, but those whose two best classes are closer than rounding."""
    (classes, sure, scores), (classes2, sure2, scores2) = (
        rasters(each, "class_map", "confidence", "scores") for each in (one, other)
    )
    assert np.array_equal(np.isnan(scores), np.isnan(scores2))
    assert np.nanmax(np.abs(scores - scores2)) < 1e-4 * np.nanmax(np.abs(scores))
    first, second = np.sort(scores, axis=0)[:-3:-1]
    clear = ~(first - second < 1e-4)
    assert clear.mean() > 0.99
    assert np.array_equal(classes[0][clear], classes2[0][clear])
    # Percent, where a probability may lie between two of them.
    assert np.abs(sure.astype(int) - sure2.astype(int)).max() <= 1


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_all_files_are_those_of_the_run(run, scene, exported, tmp_path):
    options = {"confidence": True, "scores": True}
    hsi.map_scene(run, scene, out=tmp_path / "run", device="cpu", **options)
    saved = hsi.map_onnx(exported.path, scene, out=tmp_path / "onnx", **options)
    assert_equal_maps(tmp_path / "run", tmp_path / "onnx")
    assert saved.counts[0] == 15
    names = [sorted(each.name for each in (tmp_path / k).iterdir()) for k in ("run", "onnx")]
    assert names[0] == names[1]
    for name in ("class_map.json", "class_map.qml", "class_map.tif.aux.xml"):
        assert (tmp_path / "run" / name).read_text() == (tmp_path / "onnx" / name).read_text()
    record = json.loads((tmp_path / "onnx" / "map.json").read_text())
    assert record["classifier"]["file"] == OnnxClassifier(exported.path).sha256[:16]
    weights = json.loads((tmp_path / "run" / "map.json").read_text())["classifier"]["weights"]
    assert record["classifier"]["weights"] == weights


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_real_scene_borders_included(real_data, tmp_path, small):
    salinas = hsi.load_scene("salinas_a")
    run = hsi.train(salinas, out=tmp_path / "run", **small | {"epochs": 1, "train": 0.05})
    done = hsi.export_run(run, out=tmp_path / "model.onnx")
    assert done.difference < 1e-4
    assert (done.random_tiles, done.real_tiles) == (4, 3)
    options = {"confidence": True, "scores": True}
    hsi.map_scene(run, salinas, out=tmp_path / "a", device="cpu", **options)
    # Tiles that are smaller than the scene.
    hsi.map_onnx(done.path, salinas, out=tmp_path / "b", max_memory="12M", **options)
    side = json.loads((tmp_path / "b" / "map.json").read_text())["plan"]["side"]
    assert side < 60
    assert_equal_maps(tmp_path / "a", tmp_path / "b")


def test_without_pytorch(files, exported, tmp_path):
    code = WITHOUT_TORCH + (
        "from hsi.cli.main import main\n"
        f"sys.argv = ['hsi', 'map', {str(exported.path)!r}, '--scene', "
        f"{str(files / 'cube.npy')!r}, '--out', {str(tmp_path / 'map')!r}, '--json']\n"
        "main()\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {each["id"] for each in json.loads(done.stdout)["classes"]} <= {0, 1, 2, 14}
    assert (tmp_path / "map" / "class_map.tif").is_file()


def test_tiles_do_not_change_the_scores(classifier, scene):
    wide = Scene(name="wide", cube=np.tile(scene.cube, (1, 3, 1)))

    def scores(scene, tiles):
        whole = np.full((3, *scene.shape[:2]), np.nan, dtype=np.float32)
        for each in tiles.from_row(0):
            whole[:, *each.tile.slices] = each.scores
        return whole

    whole = scores(wide, classifier.tiles(wide))
    for memory, by_rows in (("2M", True), ("300k", False)):
        tiles = classifier.tiles(wide, max_memory=memory)
        assert tiles.by_rows is by_rows
        assert tiles.side < 120
        np.testing.assert_allclose(scores(wide, tiles), whole, rtol=0, atol=1e-5)


def test_an_interrupted_map_goes_on_to_the_same_bytes(
    exported, scene, tmp_path, monkeypatch, classifier
):
    options = {"max_memory": "300k", "confidence": True}
    hsi.map_onnx(classifier, scene, out=tmp_path / "whole", **options)

    def interrupt(done, total):
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hsi.map_onnx(classifier, scene, out=tmp_path / "map", progress=interrupt, **options)
    saved = hsi.map_onnx(classifier, scene, out=tmp_path / "map", resume=True, **options)
    assert any("continued after" in note for note in saved.notes)
    for name in ("class_map.tif", "confidence.tif"):
        assert (tmp_path / "map" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    again = hsi.map_onnx(classifier, scene, out=tmp_path / "map", resume=True, **options)
    assert again.notes == ("the map was complete already",)


def test_a_run_does_not_go_on_with_the_map_of_its_export(run, classifier, scene, tmp_path):
    def interrupt(done, total):
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hsi.map_onnx(classifier, scene, out=tmp_path / "map", progress=interrupt, max_memory="300k")
    with pytest.raises(RunError, match="is not of the same:\nclassifier: file was"):
        hsi.map_scene(run, scene, out=tmp_path / "map", resume=True, device="cpu")


def test_a_fill_value_that_nobody_declared(classifier, scene):
    cube = np.array(scene.cube)
    cube[20, 30] = -1e9
    other = Scene(name="other", cube=cube)
    with pytest.raises(SceneError, match=r"holds -1e\+09 at row 20, column 30 ") as one:
        for _ in classifier.tiles(other).from_row(0):
            pass
    assert "--nodata" in str(one.value)


def test_a_value_beyond_float32_is_no_missing_one(classifier, scene):
    cube = np.array(scene.cube, dtype=np.float64)
    cube[20, 30, 3] = 1e200
    with pytest.raises(SceneError, match="beyond float32"):
        next(classifier.tiles(Scene(name="other", cube=cube)).from_row(0))


def test_declared_fill_values_are_no_data(classifier, scene):
    cube = np.nan_to_num(scene.cube, nan=-9999).astype(np.int16)
    (each,) = classifier.tiles(Scene(name="other", cube=cube, nodata=-9999)).from_row(0)
    assert np.array_equal(each.valid, scene.valid)
    assert np.array_equal(classifier.ids(each) == 0, ~scene.valid)


def test_other_bands_are_refused(classifier, scene, tmp_path):
    other = Scene(name="other", cube=scene.cube[:, :, 1:])
    with pytest.raises(UsageError, match="has 19 bands; this classifier was trained on 20"):
        hsi.map_onnx(classifier, other, out=tmp_path / "map")
    with pytest.raises(UsageError, match="expected a Scene"):
        hsi.map_onnx(classifier, np.array(scene.cube), out=tmp_path / "map")
    assert not (tmp_path / "map").exists()


def test_too_little_memory(classifier, scene):
    with pytest.raises(UsageError, match=r"\(--max-memory\) is too small: one pixel"):
        classifier.tiles(scene, max_memory=1000)
