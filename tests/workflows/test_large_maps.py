"""Maps that are made in strips: what is kept of them, and that they come out the same."""

import json
import os
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest
import rasterio

import hsi
from hsi.errors import RunError, SceneError, UsageError
from hsi.inference import predict_scene
from hsi.mapping.unfinished import FOLDER, UnfinishedMap
from hsi.scenes import join_scenes
from hsi.scenes.synthetic import synthetic_scene

SIDE = 16
EVERYTHING = {"method": "dense", "confidence": True, "scores": True, "device": "cpu"}
PRODUCTS = (
    "class_map.tif", "class_map.tif.aux.xml", "class_map.qml", "class_map.json", "class_map.png",
    "confidence.tif", "scores.tif",
)  # fmt: skip

# Maps a scene in tiles of 16 pixels; the process is killed when so many arrays were written.
DYING = f"""
import os, signal, sys
import hsi
from hsi.mapping.unfinished import UnfinishedMap
import hsi.inference.dense
hsi.inference.dense.TILE = {SIDE}
run, scene, out, left = sys.argv[1:]
left = int(left)
write = UnfinishedMap.write

def dying(self, *arguments):
    global left
    write(self, *arguments)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

UnfinishedMap.write = dying
hsi.map_scene(
    hsi.Run(run), hsi.load_scene(scene), out=out, resume=True, method="dense",
    confidence=True, scores=True, device="cpu",
)
"""


class Stop(KeyboardInterrupt):
    """Ctrl-C at a known place."""


def stop_at(row):
    def progress(done, total):
        if done >= row:
            raise Stop

    return progress


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    monkeypatch.setattr("hsi.inference.dense.TILE", SIDE)
    monkeypatch.setattr("hsi.inference.patchwise.PATCH_TILE", SIDE)


@pytest.fixture(scope="module")
def write_large(tmp_path_factory):
    """Return a function that writes a scene of 70 x 45 pixels with holes."""

    def write(name="large", *, seed=0, change=None):
        cube = synthetic_scene(rows=70, cols=45, bands=20, classes=3, seed=seed)
        cube = cube.cube.astype(np.float32)
        cube[np.random.default_rng(seed).random((70, 45)) < 0.1] = np.nan
        if change is not None:
            change(cube)
        path = tmp_path_factory.mktemp("scenes") / f"{name}.npy"
        np.save(path, cube)
        return path

    return write


@pytest.fixture(scope="module")
def large(write_large):
    return write_large()


def bands_of(path):
    """Return the bands of a raster and their descriptions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path) as file:
            return file.read(), file.descriptions


def contents(folder, names=PRODUCTS):
    return {name: (folder / name).read_bytes() for name in names}


def test_the_files_hold_what_the_network_says(run, large, tmp_path):
    scene, classifier = hsi.load_scene(large), run.classifier
    saved = hsi.map_scene(run, scene, out=tmp_path / "map", **EVERYTHING)
    reduced = classifier.reduction.transform(scene.cube, valid=scene.valid)
    scores = predict_scene(classifier.network, reduced, method="patches", device="cpu")
    spread = np.ptp(scores)
    first, second = np.sort(scores, axis=0)[[-1, -2]]
    clear = first - second > 1e-4 * spread
    expected = np.where(scene.valid, classifier.class_ids[scores.argmax(axis=0)], 0)
    assert np.array_equal(saved.class_map[clear], expected[clear])
    written, descriptions = bands_of(saved.scores)
    assert descriptions == ("class 1", "class 2", "class 14")
    assert np.isnan(written[:, ~scene.valid]).all()
    assert np.abs(written - scores)[:, scene.valid].max() < 1e-4 * spread
    share = np.exp(scores - first) / np.exp(scores - first).sum(axis=0)
    percent = bands_of(saved.confidence)[0][0]
    assert np.array_equal(percent == 255, ~scene.valid)
    assert np.abs(percent - 100 * share.max(axis=0))[scene.valid].max() < 1.01
    assert saved.counts == dict(zip(*np.unique(saved.class_map, return_counts=True), strict=True))
    assert sorted(each.name for each in (tmp_path / "map").iterdir()) == sorted(
        [*PRODUCTS, "map.json", "SHA256SUMS"]
    )
    record = json.loads((tmp_path / "map" / "map.json").read_text())
    assert sum(each["pixels"] for each in record["classes"]) == 70 * 45
    assert record["plan"]["side"] == SIDE


@pytest.mark.slow
def test_a_map_that_was_killed_again_and_again_comes_out_the_same(run, large, tmp_path, counted):
    hsi.map_scene(run, hsi.load_scene(large), out=tmp_path / "whole", **EVERYTHING)
    out = tmp_path / "killed"
    rows = []
    # 3 tiles of 3 arrays in each of 5 rows: in the first, between two rows, in the middle of one.
    for writes in (4, 18, 13, 999):
        done = subprocess.run(
            [sys.executable, "-c", DYING, run.path, large, out, str(writes)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if writes < 999:
            assert done.returncode == -signal.SIGKILL, done.stderr
            assert not (out / "class_map.tif").exists()
            lines = (out / FOLDER / "rows").read_text().split()
            rows.append(int(lines[-2]) if lines else 0)
    assert done.returncode == 0, done.stderr
    assert rows == [0, 14, 28]
    assert contents(out) == contents(tmp_path / "whole")
    assert not (out / FOLDER).exists()
    counted("resume", "maps killed, and gone on with", 3)


@pytest.mark.parametrize("held", [True, False])
def test_an_interrupted_map_says_what_is_kept_and_is_continued(
    run, large, tmp_path, held, monkeypatch
):
    monkeypatch.setattr("hsi.training.scene_tiles.FOR_ROWS", 0.35 if held else 0)
    monkeypatch.setattr("hsi.training.components.READ_BYTES", 9_000)
    scene = hsi.load_scene(large)
    whole = hsi.map_scene(run, scene, out=tmp_path / "whole", **EVERYTHING)
    out = tmp_path / "map"
    for row, kept in ((20, 14), (50, 42)):
        with pytest.raises(Stop) as stopped:
            hsi.map_scene(run, scene, out=out, resume=True, progress=stop_at(row), **EVERYTHING)
        note = " ".join(stopped.value.__notes__)
        assert f"{kept} of 70 rows are kept in {out}" in note
        assert "--resume" in note
        assert [each.name for each in out.iterdir()] == [FOLDER]
    saved = hsi.map_scene(run, scene, out=out, resume=True, **EVERYTHING)
    assert saved.notes == ("continued after 42 of 70 rows",)
    assert saved.counts == whole.counts
    assert contents(out) == contents(tmp_path / "whole")


def test_what_was_interrupted_before_a_row_was_done_leaves_nothing(run, large, tmp_path):
    with pytest.raises(Stop):
        hsi.map_scene(
            run, hsi.load_scene(large), out=tmp_path / "a" / "b", progress=stop_at(0), device="cpu"
        )
    assert list(tmp_path.iterdir()) == []


def test_the_map_that_is_there_stays_until_the_new_one_is_complete(
    run, large, write_large, tmp_path
):
    out = tmp_path / "map"
    hsi.map_scene(run, hsi.load_scene(large), out=out, **EVERYTHING)
    before = contents(out)
    other = hsi.load_scene(write_large("other", seed=1))
    with pytest.raises(Stop):
        hsi.map_scene(run, other, out=out, progress=stop_at(40), device="cpu")
    assert contents(out) == before

    def fill(cube):
        cube[69, 44] = -1e7

    broken = hsi.load_scene(write_large("broken", change=fill))
    with pytest.raises(SceneError, match="row 69, column 44"):
        hsi.map_scene(run, broken, out=out, device="cpu")
    assert contents(out) == before
    assert not (out / FOLDER).exists()
    # Of another scene: what is not written anew would be false beside it.
    hsi.map_scene(run, other, out=out, device="cpu")
    assert not (out / "confidence.tif").exists()
    assert not (out / "scores.tif").exists()


def test_of_the_same_scene_other_products_stay(run, large, tmp_path):
    scene = hsi.load_scene(large)
    hsi.map_scene(run, scene, out=tmp_path, **EVERYTHING)
    before = (tmp_path / "scores.tif").read_bytes()
    hsi.map_scene(run, scene, out=tmp_path, device="cpu")
    assert (tmp_path / "scores.tif").read_bytes() == before


def begin(run, path, out, **options):
    with pytest.raises(Stop):
        hsi.map_scene(
            run, hsi.load_scene(path), out=out, progress=stop_at(30), device="cpu", **options
        )


def test_without_resume_it_is_begun_anew_and_said(run, large, tmp_path):
    begin(run, large, tmp_path)
    saved = hsi.map_scene(run, hsi.load_scene(large), out=tmp_path, device="cpu")
    assert "begun anew" in saved.notes[0]
    assert not (tmp_path / FOLDER).exists()


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("scene", r"scene: pixels was \w+, is \w+"),
        ("time", r"scene: time of its file was \d+, is \d+"),
        ("weights", r"classifier: weights was \w+, is \w+"),
        ("options", r"options: confidence was False, is True"),
        ("precision", r"options: precision was full, is bf16"),
        ("memory", r"options: max_memory was not given, is 512M"),
    ],
)
def test_what_was_begun_with_something_else_is_not_continued(
    run, large, write_large, tmp_path, what, words, monkeypatch
):
    path = write_large()
    begin(run, path, tmp_path)
    options = {"device": "cpu"}
    if what == "scene":
        cube = np.load(path)
        cube[35 - 1, 22] = 7
        np.save(path, cube)
    elif what == "time":
        os.utime(path, (1, 1))
    elif what == "weights":
        run = hsi.Run(run.path)
        next(run.classifier.network.parameters()).data[0] += 1
    else:
        options |= {
            "options": {"confidence": True},
            "precision": {"precision": "bf16"},
            "memory": {"max_memory": "512M"},
        }[what]
    with pytest.raises(RunError, match=words) as refused:
        hsi.map_scene(run, hsi.load_scene(path), out=tmp_path, resume=True, **options)
    assert len(str(refused.value).splitlines()) <= 5
    assert (tmp_path / FOLDER).is_dir()


@pytest.mark.parametrize("damage", ["cut off", "other", "no rows"])
def test_a_damaged_journal(run, large, tmp_path, damage):
    begin(run, large, tmp_path)
    journal = tmp_path / FOLDER / "journal.json"
    if damage == "cut off":
        journal.write_text(journal.read_text()[:50])
    elif damage == "other":
        journal.write_text('{"format": 99}')
    else:
        (tmp_path / FOLDER / "rows").unlink()
    with pytest.raises(RunError, match="cannot be continued: it is damaged"):
        hsi.map_scene(run, hsi.load_scene(large), out=tmp_path, resume=True, device="cpu")
    hsi.map_scene(run, hsi.load_scene(large), out=tmp_path, device="cpu")


def test_a_line_that_was_cut_off_counts_for_nothing(run, large, tmp_path):
    begin(run, large, tmp_path / "map")
    rows = tmp_path / "map" / FOLDER / "rows"
    assert [line.split()[0] for line in rows.read_text().splitlines()] == ["14", "28"]
    rows.write_text(rows.read_text()[:-1])
    saved = hsi.map_scene(
        run, hsi.load_scene(large), out=tmp_path / "map", resume=True, device="cpu"
    )
    assert saved.notes == ("continued after 14 of 70 rows",)


def test_two_processes_do_not_work_on_one_map(run, large, tmp_path):
    begin(run, large, tmp_path)
    scene = hsi.load_scene(large)
    with UnfinishedMap(tmp_path):
        for resume in (True, False):
            with pytest.raises(RunError, match="another process is mapping"):
                hsi.map_scene(run, scene, out=tmp_path, resume=resume, device="cpu")
    hsi.map_scene(run, scene, out=tmp_path, resume=True, device="cpu")


def test_a_complete_map_is_left_alone(run, large, write_large, tmp_path):
    scene = hsi.load_scene(large)
    first = hsi.map_scene(run, scene, out=tmp_path, device="cpu")
    times = {each: each.stat().st_mtime_ns for each in tmp_path.iterdir()}
    again = hsi.map_scene(run, scene, out=tmp_path, resume=True, device="cpu")
    assert again.notes == ("the map was complete already",)
    assert (again.counts, again.seconds) == (first.counts, pytest.approx(first.seconds, abs=1e-3))
    assert {each: each.stat().st_mtime_ns for each in tmp_path.iterdir()} == times
    more = hsi.map_scene(run, scene, out=tmp_path, resume=True, confidence=True, device="cpu")
    assert more.notes == (
        "the map that was there is not of the same, and is replaced "
        "(options: confidence was False, is True)",
    )
    assert more.confidence.is_file()
    other = hsi.map_scene(
        run, hsi.load_scene(write_large(seed=1)), out=tmp_path, resume=True, device="cpu"
    )
    assert "is replaced (scene: " in other.notes[0]
    assert (tmp_path / "class_map.tif").stat().st_mtime_ns not in times.values()


def test_in_the_run_an_unfinished_map_is_found_again(run, large, write_large, tmp_path):
    import shutil

    copy = hsi.Run(shutil.copytree(run.path, tmp_path / "run"))
    other = write_large(seed=1)  # another file of the same name
    begin(copy, large, None)
    assert (copy.path / "maps" / "large" / FOLDER).is_dir()
    begin(copy, other, None, resume=True)
    assert (copy.path / "maps" / "large-2" / FOLDER).is_dir()
    for path, folder in ((other, "large-2"), (large, "large")):
        saved = hsi.map_scene(copy, hsi.load_scene(path), resume=True, device="cpu")
        assert saved.raster == copy.path / "maps" / folder / "class_map.tif"
        assert "continued" in saved.notes[0]
    saved = hsi.map_scene(copy, hsi.load_scene(large), device="cpu")
    assert saved.raster.parent.name == "large-3"


def test_envi_classification(run, large, tmp_path):
    scene = hsi.load_scene(large)
    tif = hsi.map_scene(run, scene, out=tmp_path / "tif", device="cpu")
    envi = hsi.map_scene(run, scene, out=tmp_path / "envi", format="envi", device="cpu")
    assert envi.raster.name == "class_map.img"
    assert np.array_equal(envi.class_map, tif.class_map)
    assert np.array_equal(bands_of(envi.raster)[0][0], tif.class_map)
    with pytest.raises(UsageError, match="did you mean 'tif'"):
        hsi.map_scene(run, scene, out=tmp_path, format="tiff")


def test_the_picture_of_a_large_scene_shows_some_of_its_pixels(run, large, tmp_path, monkeypatch):
    monkeypatch.setattr("hsi.mapping.products.PREVIEW", 20)
    seen = []
    figure = hsi.mapping.products.class_map_figure

    def noting(class_map, **arguments):
        seen.append((class_map, arguments["step"]))
        return figure(class_map, **arguments)

    monkeypatch.setattr("hsi.mapping.products.class_map_figure", noting)
    saved = hsi.map_scene(run, hsi.load_scene(large), out=tmp_path, device="cpu")
    ((shown, step),) = seen
    assert step == 4
    assert np.array_equal(shown, saved.class_map[::4, ::4])


def test_a_small_memory_gives_the_same_map(run, large, tmp_path):
    scene = hsi.load_scene(large)
    first = hsi.map_scene(run, scene, out=tmp_path / "a", device="cpu")
    second = hsi.map_scene(run, scene, out=tmp_path / "b", max_memory="150M", device="cpu")
    assert (first.class_map == second.class_map).mean() > 0.999
    with pytest.raises(UsageError, match="too small, by at least"):
        hsi.map_scene(run, scene, out=tmp_path / "c", max_memory="1M", device="cpu")
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("after", [0, 30])
def test_a_disk_that_is_full(run, large, tmp_path, monkeypatch, after):
    out = tmp_path / "map"
    hsi.map_scene(run, hsi.load_scene(large), out=out, **EVERYTHING)
    before = contents(out)
    code = f"""
import resource, sys
import hsi
import hsi.inference.dense
hsi.inference.dense.TILE = {SIDE}
run, scene, out = sys.argv[1:]
limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
run, scene = hsi.Run(run), hsi.load_scene(scene)
if {after} == 0:
    limit()
def progress(done, total):
    if done >= {after}:
        limit()
try:
    hsi.map_scene(run, scene, out=out, method="dense", device="cpu", progress=progress)
except hsi.HsiError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, run.path, large, out], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.stdout.startswith(f"cannot write the map into {out}: "), done.stderr
    assert len(done.stdout.splitlines()) <= 5
    assert "Traceback" not in done.stderr
    assert contents(out) == before
    if after == 0:
        assert not (out / FOLDER).exists()
    else:
        assert "rows are kept" in done.stdout
        saved = hsi.map_scene(
            run, hsi.load_scene(large), out=out, method="dense", resume=True, device="cpu"
        )
        assert "continued after" in saved.notes[0]
        assert (out / "class_map.tif").read_bytes() == before["class_map.tif"]


def test_of_a_mosaic_each_scene_is_mapped_by_itself_too(run, large, write_large, tmp_path):
    scenes = [hsi.load_scene(large), hsi.load_scene(write_large("other", seed=1))]
    mosaic = join_scenes(scenes)
    saved = hsi.map_scene(run, mosaic, out=tmp_path, **EVERYTHING)
    for part in mosaic.parts:
        raster = tmp_path / "maps" / part.name / "class_map.tif"
        assert np.array_equal(bands_of(raster)[0][0], saved.class_map[part.rows, part.cols])
