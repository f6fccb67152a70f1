"""Official splits: what cards say of them, and how their maps are read."""

import numpy as np
import pytest

from hsi.errors import DownloadError, SceneError, UsageError
from hsi.scenes import fetch, load_card, load_scene
from hsi.scenes.official import card_ground_truth, official_maps
from hsi.scenes.scene import Scene

CARD = """
title = "A field"

[cube]
name = "image.npy"

[labels]
name = "truth.npy"

[official]
title = "the maps of a contest"
relabel = [0, 9, 3]

[official.train]
name = "sets.npz"
key = "train"

[official.test]
name = "sets.npz"
key = "test"

[[classes]]
id = 3
name = "Oats"
color = "#ff8000"

[[classes]]
id = 9
name = "Rye"
color = "#0000c0"
"""
TRUTH = np.array([[3, 3, 9, 9], [3, 0, 9, 0], [0, 0, 0, 0]], np.uint8)
TRAIN = np.array([[2, 0, 1, 0], [0, 2, 0, 0], [0, 0, 0, 0]], np.uint8)
TEST = np.array([[0, 2, 0, 1], [2, 0, 1, 0], [0, 0, 0, 0]], np.uint8)


@pytest.fixture
def field(tmp_path, bare_machine):
    """Return the path of a user's card, with its files beside it."""
    np.save(tmp_path / "image.npy", np.arange(60, dtype=np.float32).reshape(3, 4, 5))
    np.save(tmp_path / "truth.npy", TRUTH)
    np.savez(tmp_path / "sets.npz", train=TRAIN, test=TEST)
    (tmp_path / "field.toml").write_text(CARD)
    return tmp_path / "field.toml"


def changed(field, old, new):
    assert old in CARD
    field.write_text(CARD.replace(old, new))
    return field


def test_maps_have_the_ids_of_the_ground_truth(field):
    maps = official_maps(load_scene(field))
    numbers = np.array([0, 9, 3])
    np.testing.assert_array_equal(maps.train, numbers[TRAIN])
    np.testing.assert_array_equal(maps.test, numbers[TEST])
    assert (maps.title, maps.card, maps.adds_labels) == ("the maps of a contest", "field", False)


def test_without_a_test_map_there_is_none(field):
    changed(field, '[official.test]\nname = "sets.npz"\nkey = "test"', "")
    assert official_maps(load_scene(field)).test is None


def test_without_relabelling_ids_are_as_they_are(field):
    np.savez(field.parent / "sets.npz", train=TRAIN * 3, test=TEST)
    changed(field, "relabel = [0, 9, 3]", "")
    np.testing.assert_array_equal(official_maps(load_scene(field)).train, TRAIN * 3)


def test_a_scene_without_labels_of_its_own_has_those_of_the_maps(field):
    (field.parent / "truth.npy").unlink()
    changed(field, '[labels]\nname = "truth.npy"\n', "")
    card = load_card(field)
    assert [file.name for file in card.files] == ["image.npy", "sets.npz"]
    assert card.split_files == ()
    scene = load_scene(field)
    np.testing.assert_array_equal(scene.labels, np.array([0, 9, 3])[TRAIN + TEST])
    assert scene.class_names == {3: "Oats", 9: "Rye"}
    np.save(field.parent / "own.npy", TRUTH)
    own = load_scene(field, labels=field.parent / "own.npy")
    np.testing.assert_array_equal(own.labels, TRUTH)


def test_maps_that_share_a_pixel_are_no_ground_truth(field):
    changed(field, '[labels]\nname = "truth.npy"\n', "")
    np.savez(field.parent / "sets.npz", train=TRAIN, test=TRAIN)
    with pytest.raises(SceneError, match="do not fit each other"):
        load_scene(field)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("relabel = [0, 9, 3]", "relabel = [0, -9, 3]", r"official\.relabel\.1"),
        ("relabel = [0, 9, 3]", "relable = [0, 9, 3]", r"official\.relable: Extra inputs"),
        ("relabel = [0, 9, 3]", "adds_labels = 3", r"official\.adds_labels"),
        ('title = "the maps of a contest"', "", r"official\.title: Field required"),
        ('[official.train]\nname = "sets.npz"\nkey = "train"', "", r"official\.train: Field req"),
        ("relabel = [0, 9, 3]", "relabel = [0, 9]", r"(?s)holds the class 2.*0\.\.1 only"),
        ('key = "train"', 'key = "trian"', "did you mean 'train'"),
        ('key = "train"', "", "2 arrays that could be the labels"),
        ('name = "sets.npz"\nkey = "train"', 'name = "set.npz"', r"set\.npz of field was not"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(field, old, new, words):
    changed(field, old, new)
    with pytest.raises((SceneError, UsageError), match=words) as caught:
        official_maps(load_scene(field))
    assert str(caught.value).count("\n") < 5


@pytest.mark.parametrize(
    "source",
    [{"dataset": "salinas"}, {"dataset": "/nowhere/cube.mat"}, {}, {"parts": [], "gap": 1}],
)
def test_a_scene_without_an_official_split_is_told_which_have_one(source):
    scene = Scene(name="some", cube=np.ones((3, 4, 5)), source=source)
    with pytest.raises(UsageError) as caught:
        official_maps(scene)
    what = "salinas" if source.get("dataset") == "salinas" else "some"
    assert str(caught.value).startswith(f"there is no official split of {what}: no card says")
    assert "houston_2013, indian_pines, pavia_university" in str(caught.value)
    assert str(caught.value).count("\n") < 5


def test_maps_of_known_scenes_are_downloaded_and_checked(bare_machine, monkeypatch):
    asked = []
    monkeypatch.setattr(fetch, "reachable_addresses", lambda addresses: asked.append(addresses))
    scene = Scene(name="ip", cube=np.ones((3, 4, 5)), source={"dataset": "indian_pines"})
    with pytest.raises(DownloadError, match=r"disjoint_dset\.mat of indian_pines is not") as caught:
        official_maps(scene)
    card = load_card("indian_pines")
    assert asked == [card.official.train.addresses]
    assert card.official.train.sha256 in str(caught.value)
    assert str(caught.value).count("\n") < 5


def test_the_cube_of_houston_has_no_address(bare_machine):
    with pytest.raises(SceneError) as caught:
        load_scene("houston_2013")
    said = str(caught.value)
    assert said.startswith("2013_IEEE_GRSS_DF_Contest_CASI.tif of houston_2013 was not found\nPut")
    assert "$HSI_DATA/houston_2013/" in said
    assert "see https://machinelearning.ee.uh.edu/" in said


# (training, test) pixels as they are published, and what the ground truth makes of them.
@pytest.mark.parametrize(
    ("name", "train", "test"),
    [
        ("indian_pines", 5689, None),
        ("pavia_university", 3921, 40002),
        ("houston_2013", 2832, 12197),
    ],
)
def test_published_numbers(real_data, name, train, test):
    card = load_card(name)
    if any(fetch.find_file(card, file) is None for file in card.official.files):
        pytest.skip(f"HSI_DATA has no official maps of {name}")
    scene = Scene(name=name, cube=np.ones((3, 4, 5)), source={"dataset": name})
    maps = official_maps(scene)
    assert np.count_nonzero(maps.train) == train
    assert test is None if maps.test is None else np.count_nonzero(maps.test) == test
    ids = [each.id for each in card.classes]
    assert np.unique(maps.train)[1:].tolist() == ids


def test_houston_s_ground_truth_are_both_maps(real_data):
    card = load_card("houston_2013")
    if fetch.find_file(card, card.official.train) is None:
        pytest.skip("HSI_DATA has no houston_gt.mat")
    labels = card_ground_truth(card, card.official)
    assert np.count_nonzero(labels) == 2832 + 12197
    assert labels.shape == card.shape[:2]
