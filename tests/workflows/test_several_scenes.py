"""One model of several scenes."""

import csv
import json
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

import hsi
from hsi.cli.main import main
from hsi.errors import UsageError
from hsi.inference import predict_scene
from hsi.scenes.grid import Grid
from hsi.scenes.synthetic import synthetic_scene
from hsi.workflows.splitting import split_for, with_split

TIMES = ("train_seconds", "map_seconds", "test_first_used")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two scenes of other sizes with their labels, as ENVI and NumPy files."""
    folder = tmp_path_factory.mktemp("several")
    made = synthetic_scene(rows=64, cols=64, bands=20, classes=3)
    corners = [(0, 0, 30, 26), (0, 28, 22, 34), (32, 0, 18, 20)]
    for place, (top, left, rows, cols) in enumerate(corners):
        window = slice(top, top + rows), slice(left, left + cols)
        cube = np.ascontiguousarray(made.cube[window], dtype=np.float32)
        cube[2:4, 3] = np.nan
        name = f"scene{place}"
        np.save(folder / f"{name}_truth.npy", made.labels[window])
        cube.tofile(folder / name)
        (folder / f"{name}.hdr").write_text(
            f"ENVI\nsamples = {cols}\nlines = {rows}\nbands = 20\nheader offset = 0\n"
            "data type = 4\ninterleave = bip\nbyte order = 0\nwavelength units = nanometers\n"
            f"wavelength = {{{', '.join(map(str, made.wavelengths))}}}\n"
            f"map info = {{UTM, 1, 1, {366975 + 3000 * place}, 5807085, 30, 30, 33, North, "
            "WGS-84}\n"
        )
    return [(folder / f"scene{n}", folder / f"scene{n}_truth.npy") for n in range(3)]


@pytest.fixture(scope="module")
def several(files, tmp_path_factory):
    """A finished run on two scenes, tested on a third."""
    mosaic = hsi.load_scenes(files[:2], test=files[2], gap=8)
    out = tmp_path_factory.mktemp("runs") / "run"
    run = hsi.train(
        mosaic, out=out, patch_size=9, components=13, epochs=2, batch_size=64, device="cpu"
    )
    return run, mosaic


def test_the_split_is_by_scenes(several, files):
    run, mosaic = several
    assert run.settings.split == "scenes"
    assert run.settings.train == 1.0
    counts = [np.count_nonzero(np.load(truth)) for _, truth in files]
    lost = [np.count_nonzero(np.load(truth)[2:4, 3]) for _, truth in files]
    assert run.metrics["train_pixels"] == counts[0] + counts[1] - lost[0] - lost[1]
    assert run.metrics["test_pixels"] == counts[2] - lost[2]
    assert run.metrics["overlap"] == {"contains": 0.0, "shares": 0.0}
    assert not run.split.validation.any()
    part = mosaic.parts[2]
    assert run.split.test[part.rows, part.cols].sum() == run.split.test.sum()


def test_every_scene_is_mapped_by_itself_in_its_own_place(several, files):
    run, mosaic = several
    assert sorted(each.name for each in (run.path / "maps").iterdir()) == [
        "scene0", "scene1", "scene2",
    ]  # fmt: skip
    with Image.open(run.path / "class_map.tif") as raster:
        whole = np.array(raster)
    for part, (image, labels) in zip(mosaic.parts, files, strict=True):
        scene = hsi.load_scene(image, labels=labels)
        with rasterio.open(run.path / "maps" / part.name / "class_map.tif") as raster:
            alone = raster.read(1)
            grid = Grid(crs=raster.crs.to_wkt(), transform=raster.transform[:6])
        assert grid.is_like(scene.grid, scene.rows, scene.cols)
        np.testing.assert_array_equal(alone, whole[part.rows, part.cols])
        np.testing.assert_array_equal(alone == 0, ~scene.valid)


@pytest.mark.parametrize("method", ["dense", "patches"])
@pytest.mark.parametrize("gap", [4, 8])
def test_scores_in_a_mosaic_are_those_of_each_scene_alone(several, files, method, gap):
    run, _ = several
    scenes = [hsi.load_scene(image, labels=labels) for image, labels in files]
    classifier = run.classifier
    mosaic = hsi.join_scenes(scenes, gap=gap)
    together = predict_scene(
        classifier.network, classifier.components(mosaic), method=method, device="cpu"
    )
    for scene, part in zip(scenes, mosaic.parts, strict=True):
        alone = predict_scene(
            classifier.network, classifier.components(scene), method=method, device="cpu"
        )
        apart = np.abs(together[:, part.rows, part.cols] - alone).max()
        assert apart <= 1e-4 * np.ptp(alone)
    # What the gap is for: scenes that touch see each other.
    touching = hsi.join_scenes(scenes, gap=0)
    scores = predict_scene(
        classifier.network, classifier.components(touching), method=method, device="cpu"
    )
    part = touching.parts[0]
    alone = predict_scene(
        classifier.network, classifier.components(scenes[0]), method=method, device="cpu"
    )
    assert np.abs(scores[:, part.rows, part.cols] - alone).max() > 1e-3 * np.ptp(alone)


def test_its_config_makes_it_again_and_it_can_be_evaluated(several, tmp_path, monkeypatch, capsys):
    run, _ = several
    measured = hsi.evaluate(hsi.Run(run.path), device="cpu")
    assert {name: run.metrics[name] for name in measured} == json.loads(json.dumps(measured))
    monkeypatch.setattr(
        "sys.argv",
        ["hsi", "train", "--config", str(run.path / "config.toml"), "--out",
         str(tmp_path / "again"), "--device", "cpu"],
    )  # fmt: skip
    with suppress(SystemExit):
        main()
    again = hsi.Run(tmp_path / "again")
    assert again.config == run.config
    for name, value in run.metrics.items():
        if name not in TIMES:
            assert again.metrics[name] == value, name


def test_without_scenes_for_the_test_pixels_of_all_are_split(files):
    mosaic = hsi.load_scenes(files[:2], gap=8)
    settings = with_split(hsi.Settings(patch_size=9, components=13), mosaic)
    assert (settings.split, settings.train) == ("random", 0.1)
    split = split_for(mosaic, settings)
    for part in mosaic.parts:
        assert split.train[part.rows, part.cols].any()
        assert split.test[part.rows, part.cols].any()
    blocks = with_split(settings.changed(split="blocks"), mosaic)
    assert split_for(mosaic, blocks).overlap.shares == 0


def test_a_gap_that_patches_reach_across_is_refused(files):
    mosaic = hsi.load_scenes(files[:2], gap=7)
    with pytest.raises(UsageError, match=r"7 pixels apart .* of 9x9 pixels need 8\nJoin .*gap=8"):
        split_for(mosaic, with_split(hsi.Settings(patch_size=9), mosaic))
    with pytest.raises(UsageError, match=r"a patch of 35x35 .* scene \(30x26\)"):
        split_for(mosaic, with_split(hsi.Settings(patch_size=35), mosaic))


def test_another_split_than_the_scenes_are_for_is_refused(files):
    tested = hsi.load_scenes(files[:1], test=files[1])
    with pytest.raises(UsageError, match="split='blocks' divides pixels"):
        with_split(hsi.Settings(split="blocks"), tested)
    with pytest.raises(UsageError, match="split='random' divides pixels"):
        with_split(hsi.Settings(), tested, asked="random")
    with pytest.raises(UsageError, match="needs scenes that are kept for the test"):
        with_split(hsi.Settings(split="scenes"), hsi.load_scene(files[0][0]))
    assert with_split(hsi.Settings(train=5), tested).train == 5


def test_scenes_of_the_same_ground_and_bands_left_out_are_said(files):
    one = hsi.load_scene(files[0][0], labels=files[0][1], drop_bands="1-2")
    mosaic = hsi.join_scenes([one, one], roles=["train", "test"])
    notes = split_for(mosaic, with_split(hsi.Settings(patch_size=9), mosaic)).notes
    assert notes[-2:] == (
        "scene0 and scene0 show partly the same ground: what is learned in one may be tested in "
        "the other, which the overlap does not count.",
        "2 bands of the file are left out: 2 were dropped.",
    )


@pytest.fixture
def tiles():
    """Return the folder of the EnMAP tiles."""
    folder = Path(os.environ.get("HSI_DATA", "nowhere")) / "enmap_potsdam"
    if not folder.is_dir():
        pytest.skip("needs enmap_potsdam in the folder that HSI_DATA names")
    return folder


def labelled(folder, name):
    """Return how many labelled pixels the tiles of a list have, and how many tiles there are."""
    with (folder / name).open(newline="") as file:
        masks = [folder / row["mask"] for row in csv.DictReader(file)]
    total = 0
    for path in masks:
        with rasterio.open(path) as raster:
            total += np.count_nonzero(raster.read(1))
    return total, len(masks)


def test_real_tiles_with_their_lists(tiles, tmp_path):
    lists = [f"{which}_files.csv" for which in ("train", "validation", "test")]
    mosaic = hsi.load_scenes(
        tiles / lists[0], validation=tiles / lists[1], test=tiles / lists[2], gap=8
    )
    assert len(mosaic.parts) == 18
    assert mosaic.bands == 218
    assert mosaic.valid.sum() == 18 * 32 * 32
    assert mosaic.rows * mosaic.cols < 18 * 40 * 40
    run = hsi.train(
        mosaic, out=tmp_path / "run", patch_size=9, components=13, steps=2, batch_size=64,
        device="cpu",
    )  # fmt: skip
    for name, which in zip(lists, ("train", "validation", "test"), strict=True):
        assert run.metrics[f"{which}_pixels"] == labelled(tiles, name)[0]
    assert run.metrics["overlap"] == {"contains": 0.0, "shares": 0.0}
    assert len(list((run.path / "maps").iterdir())) == 18
    assert "6 bands of the file are left out: 6 hold no value." in run.metrics["notes"]
    assert not any("same ground" in note for note in run.metrics["notes"])
    name = mosaic.parts[3].name
    with (
        rasterio.open(tiles / "images" / f"{name}.tif") as own,
        rasterio.open(run.path / "maps" / name / "class_map.tif") as made,
    ):
        assert made.transform.almost_equals(own.transform)
        assert made.crs == own.crs
