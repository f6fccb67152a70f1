"""Splits of a training that are not drawn: published ones, those of files and runs; folds."""

import json
import shutil
import zipfile

import numpy as np
import pytest
import rasterio
from PIL import Image
from scipy.io import savemat

import hsi
from hsi.cli.main import main
from hsi.errors import RunError, SceneError, UsageError
from hsi.sampling import annealing, arranging
from hsi.scenes import fetch, load_card, load_scene
from hsi.scenes.official import card_ground_truth
from hsi.scenes.scene import Scene
from hsi.workflows import compare_runs, write_report
from hsi.workflows.splitting import prepared, split_for, with_split

CARD = """
title = "A field"

[cube]
name = "cube.npy"

[labels]
name = "truth.npy"

[official]
title = "the maps of a contest"
adds_labels = true

[official.train]
name = "maps.npz"
key = "train"

[official.test]
name = "maps.npz"
key = "test"
"""
FAST = {"patch_size": 9, "components": 13, "epochs": 1, "batch_size": 64, "device": "cpu"}
BARE = FAST | {"report": False}


@pytest.fixture(autouse=True)
def short_search(monkeypatch):
    """Make the searches for blocks and folds short: here, it does not matter how good they are."""
    monkeypatch.setattr(annealing, "STARTS", 1)
    monkeypatch.setattr(annealing, "STEPS", 150)
    monkeypatch.setattr(arranging, "STEPS", 60)
    arranging._arranged.cache_clear()
    yield
    arranging._arranged.cache_clear()


@pytest.fixture
def field(files, tmp_path):
    """Return the path of a card with an official split, which labels what the truth does not."""
    for name in ("cube.npy", "truth.npy"):
        shutil.copy(files / name, tmp_path / name)
    truth = np.load(tmp_path / "truth.npy")
    top = np.arange(len(truth))[:, None] < 17
    np.savez(tmp_path / "maps.npz", train=np.where(top, truth, 0), test=np.where(top, 0, truth))
    np.save(tmp_path / "truth.npy", np.where((truth == 14) & top, 0, truth))
    (tmp_path / "field.toml").write_text(CARD)
    return tmp_path / "field.toml"


def settings_for(scene, **changes):
    return with_split(hsi.Settings(patch_size=5).changed(**changes), scene)


def test_an_official_split_is_trained_tested_and_kept_with_its_labels(field, tmp_path):
    scene = load_scene(field)
    with np.load(field.parent / "maps.npz") as maps:
        train, test = maps["train"], maps["test"]
    run = hsi.train(scene, split="official", out=tmp_path / "run", **FAST)
    valid = scene.valid
    np.testing.assert_array_equal(run.split.train, (train > 0) & valid)
    np.testing.assert_array_equal(run.split.test, (test > 0) & valid)
    np.testing.assert_array_equal(run.split.labels, train + test)
    added = np.count_nonzero((train > 0) & (scene.labels == 0))
    assert added > 20
    assert run.metrics["notes"][:2] == [
        "The official split: the maps of a contest.",
        f"{added:,} pixels of the training map are unlabelled in the ground truth; their labels "
        "are those of the map.",
    ]
    assert run.settings.train == 1.0
    # The class that only the map has in the training is learned, and counts in the test.
    assert [each["id"] for each in run.metrics["per_class"]] == [1, 2, 14]
    assert run.metrics["per_class"][2]["pixels"] == np.count_nonzero((test == 14) & valid)
    with Image.open(run.path / "split.png") as picture:
        assert min(picture.size) > 100
    assert "the maps of a contest" in (run.path / "report.html").read_text()

    # From here on, nothing needs the maps.
    (field.parent / "maps.npz").unlink()
    again = hsi.Run(run.path)
    measured = hsi.evaluate(again, device="cpu")
    assert measured["confusion"] == run.metrics["confusion"]
    assert hsi.evaluate(again, scene, device="cpu")["oa"] == run.metrics["oa"]
    page = write_report(again, device="cpu").read_text()
    assert "the maps of a contest" in page

    # A run that knows the scene's own labels alone is compared where both are tested.
    other = hsi.train(scene, out=tmp_path / "other", **BARE)
    for pair in ((again, other), (other, again)):
        compared = compare_runs(*pair, device="cpu")
        assert compared.test_pixels == np.count_nonzero(run.split.test & other.split.test)
    map_of = {
        name: np.array(Image.open(tmp_path / name / "class_map.tif")) for name in ("run", "other")
    }
    both = run.split.test & other.split.test
    for place, name in enumerate(("other", "run")):
        right = (map_of[name] == scene.labels)[both].mean()
        assert compared.right[place] == pytest.approx(right)


def test_a_run_with_labels_of_its_own_is_not_tested_on_another_scene(field, tmp_path, files):
    scene = load_scene(field)
    run = hsi.train(scene, split="official", out=tmp_path / "run", **BARE)
    np.save(field.parent / "truth.npy", np.roll(np.load(field.parent / "truth.npy"), 3, axis=0))
    with pytest.raises(RunError, match="are not those that"):
        hsi.evaluate(hsi.Run(run.path), device="cpu")


def test_the_config_of_an_official_run_makes_it_again(field, tmp_path, monkeypatch):
    run = hsi.train(load_scene(field), split="official", out=tmp_path / "run", **BARE)
    monkeypatch.chdir(tmp_path)
    command = f"hsi train --config {run.path / 'config.toml'} --out again --device cpu"
    monkeypatch.setattr("sys.argv", command.split())
    main()
    again = hsi.Run(tmp_path / "again")
    assert again.config == run.config
    assert again.metrics["confusion"] == run.metrics["confusion"]
    for name in ("train", "test", "labels"):
        np.testing.assert_array_equal(getattr(again.split, name), getattr(run.split, name))


def test_part_of_an_official_training(field):
    scene = load_scene(field)
    split = split_for(scene, settings_for(scene, split="official", train=4, validation=3))
    assert {row.train for row in split.summary(scene.labels)} == {4}
    assert {row.validation for row in split.summary(scene.labels)} == {3}


def test_a_split_with_labels_can_be_handed_over(field, tmp_path):
    scene = load_scene(field)
    labelled, split = prepared(scene, settings_for(scene, split="official"))
    np.testing.assert_array_equal(labelled.labels, split.labels)
    assert labelled.class_ids.tolist() == [1, 2, 14]
    run = hsi.train(scene, pixels=split, out=tmp_path / "run", **BARE)
    np.testing.assert_array_equal(run.split.labels, split.labels)
    np.testing.assert_array_equal(run.split.train, split.train)


def as_numbers(split):
    return (split.train + 2 * split.validation + 3 * split.test).astype(np.uint8)


def write_npy(path, split):
    np.save(path.with_suffix(".npy"), as_numbers(split))
    return path.with_suffix(".npy")


def write_npz(path, split):
    np.savez(
        path.with_suffix(".npz"), train=split.train, validation=split.validation, test=split.test
    )
    return path.with_suffix(".npz")


def write_mat(path, split):
    masks = {name: getattr(split, name) for name in ("train", "validation", "test")}
    savemat(path.with_suffix(".mat"), masks | {"seed": 3})
    return path.with_suffix(".mat")


def write_single_mat(path, split):
    savemat(path.with_suffix(".mat"), {"sets": as_numbers(split).astype(float)})
    return path.with_suffix(".mat")


def write_tif(path, split):
    numbers = as_numbers(split)
    profile = {"driver": "GTiff", "count": 1, "dtype": "uint8"}
    profile |= {"height": numbers.shape[0], "width": numbers.shape[1]}
    profile |= {"crs": "EPSG:32633", "transform": rasterio.Affine(30, 0, 5e5, 0, -30, 4e6)}
    with rasterio.open(path.with_suffix(".tif"), "w", **profile) as raster:
        raster.write(numbers, 1)
    return path.with_suffix(".tif")


@pytest.mark.parametrize("write", [write_npy, write_npz, write_mat, write_single_mat, write_tif])
def test_masks_in_a_file(scene, run, tmp_path, write):
    path = write(tmp_path / "sets", run.split)
    split = split_for(scene, settings_for(scene, split_file=path))
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(split, name), getattr(run.split, name))
    assert (split.method, split.patch_size) == ("file", 5)
    assert split.notes == ("15 labelled pixels without data are in none of the sets.",)


def test_label_maps_in_a_file(scene, run, tmp_path):
    maps = {name: np.where(getattr(run.split, name), scene.labels, 0) for name in ("train", "test")}
    np.savez(tmp_path / "maps.npz", **maps)
    split = split_for(scene, settings_for(scene, split_file=tmp_path / "maps.npz"))
    np.testing.assert_array_equal(split.train, run.split.train)
    np.testing.assert_array_equal(split.test, run.split.test)
    assert split.labels is None
    np.savez(tmp_path / "part.npz", train=maps["train"])
    rest = split_for(scene, settings_for(scene, split_file=tmp_path / "part.npz"))
    np.testing.assert_array_equal(rest.test, (scene.labels > 0) & scene.valid & ~run.split.train)


def test_masks_on_another_grid_are_brought_to_the_scenes_pixels(scene, run, tmp_path):
    """As labels are: the raster begins two rows further up and one column further left."""
    grid = hsi.scenes.grid.Grid(crs="EPSG:32633", transform=(30, 0, 500030, 0, -30, 3999940))
    placed = Scene(name="placed", cube=scene.cube, labels=scene.labels, grid=grid)
    rows, cols = scene.labels.shape
    numbers = np.zeros((rows + 2, cols + 1), np.uint8)
    numbers[2:, 1:] = as_numbers(run.split)
    profile = {"driver": "GTiff", "count": 1, "dtype": "uint8", "height": rows + 2}
    profile |= {"width": cols + 1, "crs": "EPSG:32633"}
    with rasterio.open(
        tmp_path / "sets.tif", "w", transform=rasterio.Affine(30, 0, 5e5, 0, -30, 4e6), **profile
    ) as raster:
        raster.write(numbers, 1)
    split = split_for(placed, settings_for(placed, split_file=tmp_path / "sets.tif"))
    np.testing.assert_array_equal(split.train, run.split.train)
    np.testing.assert_array_equal(split.test, run.split.test)


def test_the_split_of_another_run(scene, run, tmp_path, monkeypatch):
    """By its folder or its file, named from anywhere; the new run does not need it afterwards."""
    copy = tmp_path / "first"
    shutil.copytree(run.path, copy)
    monkeypatch.chdir(tmp_path)
    for path in ("first", "first/split.npz"):
        settings = settings_for(scene, split_file=path)
        assert settings.split == "file"
        assert settings.split_file == str(tmp_path / path)
        split = split_for(scene, settings)
        np.testing.assert_array_equal(split.train, run.split.train)
        np.testing.assert_array_equal(split.test, run.split.test)
        assert split.notes[0] == (
            f"The split is that of {tmp_path / 'first' / 'split.npz'} (random)."
        )
    again = hsi.train(scene, split_file="first", out=tmp_path / "again", **FAST)
    assert again.settings.split_file == str(copy)
    monkeypatch.chdir("/")
    command = f"hsi train --config {tmp_path}/again/config.toml --out {tmp_path}/third --device cpu"
    monkeypatch.setattr("sys.argv", command.split())
    main()
    assert hsi.Run(tmp_path / "third").metrics["confusion"] == again.metrics["confusion"]
    shutil.rmtree(copy)
    assert hsi.evaluate(hsi.Run(tmp_path / "again"), device="cpu")["oa"] == again.metrics["oa"]
    assert "split.png" in {each.name for each in (tmp_path / "again").iterdir()}


def test_the_split_of_an_official_run_brings_its_labels(field, tmp_path):
    scene = load_scene(field)
    run = hsi.train(scene, split="official", out=tmp_path / "run", **BARE)
    labelled, split = prepared(scene, settings_for(scene, split_file=run.path))
    np.testing.assert_array_equal(labelled.labels, run.split.labels)
    np.testing.assert_array_equal(split.train, run.split.train)
    np.testing.assert_array_equal(split.test, run.split.test)


def test_labels_of_a_split_are_refused_for_another_scene(field, tmp_path, scene):
    run = hsi.train(load_scene(field), split="official", out=tmp_path / "run", **BARE)
    for labels in (np.roll(scene.labels, 1, axis=0), scene.labels[1:]):
        cube = scene.cube[-len(labels) :]
        other = Scene(name="other", cube=cube, labels=np.ascontiguousarray(labels))
        with pytest.raises(UsageError, match="are not those of other: it is another scene"):
            split_for(other, settings_for(other, split_file=run.path))


def test_a_split_of_other_labels_is_said(scene, run):
    other = Scene(
        name="other", cube=scene.cube, labels=np.where(scene.labels == 2, 1, scene.labels)
    )
    split = split_for(other, settings_for(other, split_file=run.path))
    assert split.notes[1].startswith("It was made for other labels than those of other")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path, split: np.save(path, as_numbers(split)[1:]), "is 33 x 40 pixels, the scene"),
        (lambda path, split: np.save(path, as_numbers(split) * 3), "holds 9 at row"),
        (lambda path, split: np.save(path, split.train * 3), "has no training pixel"),
        (lambda path, split: np.save(path, split.train), "has no test pixel"),
        (lambda path, split: np.save(path, np.ones(3)), "could be labels"),
        (lambda path, split: np.save(path, split.train * 0.5), "hold 0.5 at row"),
        (lambda path, split: path.write_bytes(b"no array"), "cannot be used as a .npy file"),
        (lambda path, split: path.touch(), "is empty"),
        (lambda path, split: None, "there is no file"),
        (lambda path, split: path.mkdir(), "holds no split.npz"),
    ],
)
def test_files_that_hold_no_split(scene, run, tmp_path, make, said):
    make(tmp_path / "sets.npy", run.split)
    with pytest.raises((UsageError, SceneError), match=said) as caught:
        split_for(scene, settings_for(scene, split_file=tmp_path / "sets.npy"))
    assert str(caught.value).count("\n") < 5


def test_archives_that_hold_no_split(scene, run, tmp_path):
    path, split = tmp_path / "sets.npz", run.split
    np.savez(path, one=split.train, two=split.test)
    with pytest.raises(UsageError, match="several arrays, none of them called 'train'"):
        split_for(scene, settings_for(scene, split_file=path))
    np.savez(path, test=split.test)
    with pytest.raises(UsageError, match="holds test, but no array train"):
        split_for(scene, settings_for(scene, split_file=path))
    np.savez(path, train=split.train, test=split.test | split.train)
    with pytest.raises(UsageError, match=r"the training and the test map of .* share"):
        split_for(scene, settings_for(scene, split_file=path))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SceneError, match=r"damaged or no \.npz file"):
        split_for(scene, settings_for(scene, split_file=path))
    shutil.copy(run.path / "split.npz", path)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("train.npy")
    # Within the data, which follow a header of 30 bytes, the name and perhaps more.
    content[member.header_offset + 60 + member.compress_size // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises((RunError, SceneError), match="damaged"):
        split_for(scene, settings_for(scene, split_file=path))


def test_folds_are_those_of_the_seed(scene):
    splits = [
        split_for(scene, settings_for(scene, split="folds", folds=3, seed=seed))
        for seed in range(6)
    ]
    labelled = (scene.labels > 0) & scene.valid
    for first in (0, 3):
        tested = sum(split.test.astype(int) for split in splits[first : first + 3])
        np.testing.assert_array_equal(tested, labelled)
    assert any((a.test != b.test).any() for a, b in zip(splits[:3], splits[3:], strict=True))
    assert [split.seed for split in splits] == list(range(6))
    assert "Fold 2 of 3: other folds test the other pixels." in splits[1].notes
    assert all(split.overlap.shares == 0 for split in splits)


@pytest.mark.parametrize("split", ["blocks", "folds"])
def test_the_guard_band_reaches_the_split(scene, split):
    wide = split_for(scene, settings_for(scene, split=split, guard=8))
    assert hsi.overlap_audit(wide.train, wide.test, 9).shares == 0
    narrow = split_for(scene, settings_for(scene, split=split, guard=1))
    assert narrow.overlap.shares > 0
    assert any(note.startswith("The guard band is 1 pixels wide") for note in narrow.notes)


def test_a_run_of_folds(scene, tmp_path):
    run = hsi.train(scene, folds=3, seed=2, out=tmp_path / "run", **FAST)
    assert (run.settings.split, run.settings.folds, run.settings.train) == ("folds", 3, 1.0)
    assert run.metrics["overlap"] == {"contains": 0.0, "shares": 0.0}
    assert hsi.evaluate(hsi.Run(run.path), device="cpu")["oa"] == run.metrics["oa"]
    assert "Fold 3 of 3: other folds" in (run.path / "report.html").read_text()
    assert any("were chosen in blocks, not one" in note for note in run.metrics["area"]["notes"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"split": "file"}, r"needs the file: name a run, .*\(--split-file\)"),
        ({"split": "random", "split_file": "x"}, "split='random' is asked for"),
        ({"split": "random", "guard": 4}, "split='random' keeps none"),
        ({"split": "official", "guard": 4}, "is the distance .* of blocks and folds"),
        ({"split": "scenes"}, "needs scenes that are kept for the test"),
        ({"split": "official"}, "there is no official split of cube"),
        ({"split": "folds", "patch_size": 33}, "too little to train on"),
        ({"split_file": ""}, "split_file is empty"),
        ({"split": "file", "split_file": "nowhere.npz"}, r"there is no file /.*nowhere\.npz"),
        ({"split": "fold"}, "split"),
        ({"folds": 1}, "folds"),
        ({"guard": -1}, "guard"),
    ],
)
def test_what_cannot_be_meant(scene, changes, said):
    with pytest.raises(UsageError, match=said) as caught:
        split_for(scene, settings_for(scene, **changes))
    assert str(caught.value).count("\n") < 5


def test_a_mosaic_with_scenes_for_the_test_is_split_by_them(tmp_path, write_scene):
    folders = [write_scene(tmp_path / str(seed), seed=seed) for seed in (1, 2)]
    one, two = [(folder / "cube.npy", folder / "truth.npy") for folder in folders]
    mosaic = hsi.load_scenes([one], test=[two], gap=8)
    for changes in ({"split": "folds"}, {"split": "official"}, {"split_file": "x"}):
        with pytest.raises(UsageError, match="divides pixels, but scenes are named"):
            with_split(hsi.Settings().changed(**changes), mosaic)


def test_on_the_command_line(files, run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    start = f"hsi train --dataset {files / 'cube.npy'} --labels {files / 'truth.npy'} --device cpu"
    start += " --patch-size 9 --components 13 --epochs 1 --json"
    monkeypatch.setattr("sys.argv", [*start.split(), "--split-file", str(run.path), "--out", "a"])
    main()
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["train_pixels"] == run.metrics["train_pixels"]
    monkeypatch.setattr("sys.argv", [*start.split(), "--folds", "3", "--guard", "6", "--out", "b"])
    main()
    settings = hsi.Run("b").settings
    assert (settings.split, settings.folds, settings.guard) == ("folds", 3, 6)
    monkeypatch.setattr("sys.argv", [*start.split(), "--split", "official"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert "there is no official split of cube" in printed
    assert "pavia_university" in printed


# (training, test) pixels of the published splits, and the shares of the test that see training
# pixels within 25 x 25. Of Indian Pines, 151 training pixels have no label in the ground truth, and
# 10 are of class 7 there, not 11.
@pytest.mark.parametrize(
    ("name", "train", "test", "contains", "shares"),
    [
        ("indian_pines", 5689 - 151 - 10, 10249 - 5528, None, None),
        ("pavia_university", 3921, 40002, 0.4426, 0.7188),
        ("houston_2013", 2832, 12197, None, None),
    ],
)
def test_published_splits_of_real_scenes(real_scene, name, train, test, contains, shares):
    scene = real_scene(name)
    labelled, split = prepared(scene, settings_for(scene, split="official", patch_size=25))
    # Ten pixels of class 7 are in none of the sets.
    dropped = 10 if name == "indian_pines" else 0
    assert (split.train.sum(), split.test.sum()) == (train, test - dropped)
    if contains is not None:
        assert split.overlap.contains == pytest.approx(contains, abs=5e-5)
        assert split.overlap.shares == pytest.approx(shares, abs=5e-5)
    if name == "pavia_university":
        assert np.count_nonzero(labelled.labels) == 42776 + 1147
        assert np.count_nonzero((scene.labels == 0) & (labelled.labels > 0)) == 1147
        np.testing.assert_array_equal(
            labelled.labels[scene.labels > 0], scene.labels[scene.labels > 0]
        )
        assert split.notes[1].startswith("1,147 pixels of the training map are unlabelled in the")
    else:
        assert split.labels is None
    if name == "indian_pines":
        assert split.notes[1] == (
            "Of the 5,689 pixels of the training map, 151 without a label and 10 of another class "
            "in the ground truth are in none of the sets."
        )


@pytest.fixture
def real_scene(monkeypatch):
    """Return a function that gives a scene with real labels and a cube of its shape, but made."""

    def make(name):
        card = load_card(name)
        files = (*card.split_files, *card.files[1:])
        if any(fetch.find_file(card, file) is None for file in files):
            pytest.skip(f"HSI_DATA has no label maps of {name}")
        if card.labels is None:
            labels = card_ground_truth(card, card.official)
        else:
            path = fetch.locate(card, card.labels)
            contents = hsi.scenes.readers.read_file(path, key=card.labels.key, purpose="labels")
            labels = contents.array.astype(np.int32)
        cube = np.ones((*labels.shape, 3), np.float32)
        return Scene(name=name, cube=cube, labels=labels, source={"dataset": name})

    return make
