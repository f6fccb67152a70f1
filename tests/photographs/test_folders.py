"""Which photographs a folder holds, of which classes, for what."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hsi.errors import PhotographError, UsageError
from hsi.photographs import find_photographs, open_sets


def fill(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(root / name, format="PNG")


def test_one_folder_of_classes(tmp_path):
    fill(tmp_path, "dog/2.png", "cat/a.JPG", "dog/1.png", "dog/deep/er/3.webp")
    fill(tmp_path, "dog/._1.png", "cat/Thumbs.db", ".cache/x.png", "dog/.hidden/x.png", "note.png")
    (tmp_path / "bird").mkdir()
    sets = open_sets(tmp_path)
    assert sets.validation is sets.test is None
    assert sets.train.class_names == ("cat", "dog")
    assert sets.train.empty == ("bird",)
    assert [path.relative_to(tmp_path).as_posix() for path in sets.train.paths] == [
        "cat/a.JPG", "dog/1.png", "dog/2.png", "dog/deep/er/3.webp",
    ]  # fmt: skip
    assert np.array_equal(sets.train.targets, [0, 1, 1, 1])


@pytest.mark.parametrize("name", ["val", "Validation", "valid"])
def test_folders_of_sets(tmp_path, name):
    fill(tmp_path, "train/cat/1.png", "train/dog/1.png", "test/cat/9.png", f"{name}/dog/5.png")
    fill(tmp_path, "more/cat/1.png")
    sets = open_sets(tmp_path)
    assert sets.train.path == tmp_path / "train"
    # A set that is only tested on may have one class, and counts its own.
    assert sets.test.class_names == ("cat",)
    assert sets.validation.class_names == ("dog",)
    assert np.array_equal(sets.validation.targets, [0])
    (note,) = sets.notes
    assert "more" in note
    assert "not used" in note


def test_a_class_may_be_called_train(tmp_path):
    fill(tmp_path, "train/1.png", "car/1.png", "bus/1.png")
    assert open_sets(tmp_path).train.class_names == ("bus", "car", "train")


def test_a_test_without_classes_is_told(tmp_path):
    fill(tmp_path, "train/cat/1.png", "train/dog/1.png", "test/1.png")
    sets = open_sets(tmp_path)
    assert sets.test is None
    assert "no folders of classes" in sets.notes[0]


@pytest.mark.parametrize(
    ("names", "error", "words"),
    [
        ([], PhotographError, "no folders"),
        (["1.png", "2.png"], PhotographError, "2 photographs, but no folders"),
        (["train/1.png", "test/1.png"], PhotographError, "train holds 1 photograph, but no"),
        (["cat/1.png"], UsageError, r"one class only \(cat\).*\nAdd a folder for each other class"),
        (["pets/cat/1.png", "pets/dog/1.png"], UsageError, "If cat, dog in it are .* give .*pets"),
        (["cat/1.png", "dog/1.heic"], UsageError, "\ndog: no file there has a known suffix"),
        (["cat/1.png", "2.png"], UsageError, "1 photograph beside that folder has no class"),
        (["train/cat/1.png"], UsageError, r"train has photographs of one class only \(cat\)"),
        (["test/cat/1.png", "val/cat/1.png"], PhotographError, "test and val, but no folder train"),
        (["train/cat/1.png", "test/dog/1.png"], UsageError, "one class only"),
        (["cat/1.png", "Cat/1.png"], UsageError, "differ in case only"),
        (
            ["train/cat/1.png", "train/dog/1.png", "test/cat/1.png", "Test/dog/1.png"],
            UsageError,
            "differ in case only",
        ),
        (["cat/1.png", "b\udcff/1.png"], UsageError, "not in UTF-8"),
        (
            ["cat/1.txt", "dog/1.txt"],
            PhotographError,
            "no photographs in the folders of .*: cat, dog",
        ),
    ],
)
def test_what_cannot_be_meant(tmp_path, names, error, words):
    fill(tmp_path, *names)
    with pytest.raises(error, match=words) as caught:
        open_sets(tmp_path)
    assert str(caught.value).count("\n") < 5


def test_what_is_not_there(tmp_path):
    (tmp_path / "file").touch()
    for name, words in (("none", "not there"), ("file", "a file")):
        with pytest.raises(PhotographError, match=words):
            open_sets(tmp_path / name)
    with pytest.raises(PhotographError, match="is not there"):
        find_photographs(tmp_path / "none")


def test_a_file_is_itself(tmp_path):
    (tmp_path / "scan").touch()
    assert find_photographs(tmp_path / "scan") == ([tmp_path / "scan"], [])


def test_photographs_beside_the_folders_are_told(tmp_path):
    fill(tmp_path / "a", "cat/1.png", "dog/1.png", "2.png", "1.png", ".3.png", "read.me")
    assert [each.name for each in open_sets(tmp_path / "a").train.aside] == ["1.png", "2.png"]
    fill(tmp_path / "b", "train/cat/1.png", "train/dog/1.png", "train/x.png", "y.png")
    sets = open_sets(tmp_path / "b")
    assert [each.name for each in sets.train.aside] == ["x.png"]
    assert sets.notes == (
        f"Not used: 1 photograph beside the folder train in {tmp_path / 'b'} (y.png).",
    )


def test_links_to_folders_are_not_followed_but_told(tmp_path):
    """A link within a class might lead round in circles; that of a class itself may be one."""
    fill(tmp_path / "images", "cat/1.png")
    fill(tmp_path / "other", "1.png", "deep/2.png")
    (tmp_path / "images" / "dog").symlink_to(tmp_path / "other")
    (tmp_path / "images" / "cat" / "round").symlink_to(tmp_path / "images")
    (tmp_path / "images" / "cat" / "2.png").symlink_to(tmp_path / "other" / "1.png")
    train = open_sets(tmp_path / "images").train
    assert train.class_names == ("cat", "dog")
    assert [path.name for path in train.paths] == ["1.png", "2.png", "1.png", "2.png"]
    (skipped,) = train.not_entered
    assert skipped.path == tmp_path / "images" / "cat" / "round"
    assert "link" in skipped.reason


def test_folders_that_may_not_be_read_are_told(tmp_path, monkeypatch):
    fill(tmp_path, "1.png", "closed/2.png")
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found, not_entered = find_photographs(tmp_path)
    assert found == [tmp_path / "1.png"]
    assert [(each.path.name, each.reason) for each in not_entered] == [
        ("closed", "Permission denied")
    ]
