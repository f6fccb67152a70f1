"""Lists of scenes, and which scenes are meant."""

import numpy as np
import pytest

import hsi
from hsi.errors import SceneError, UsageError
from hsi.scenes.named import Named, named_scene
from hsi.scenes.scene_list import read_list


@pytest.fixture
def tiles(tmp_path):
    """A folder with three images and their labels."""
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    for seed, name in enumerate("abc"):
        rng = np.random.default_rng(seed)
        np.save(tmp_path / "images" / f"{name}.npy", rng.random((6, 5, 4)))
        np.save(tmp_path / "labels" / f"{name}.npy", rng.integers(0, 3, (6, 5)))
    return tmp_path


@pytest.fixture
def listed(tiles):
    """Return a function that writes a list into the folder."""

    def write(name, text):
        (tiles / name).write_text(text, encoding="utf-8")
        return tiles / name

    return write


def pairs(tiles, names):
    return [
        {"dataset": str(tiles / f"images/{n}.npy"), "labels": str(tiles / f"labels/{n}.npy")}
        for n in names
    ]


@pytest.mark.parametrize(
    "text",
    [
        "image,mask\nimages/a.npy,labels/a.npy\nimages/b.npy,labels/b.npy\n",
        "\ufeffimage, mask\r\nimages/a.npy, labels/a.npy\r\n\r\nimages/b.npy,labels/b.npy",
        'mask,weight,image\n"labels/a.npy",1,images/a.npy\nlabels/b.npy,2,"images/b.npy"\n',
    ],
)
def test_a_table_names_images_and_labels(tiles, listed, text, monkeypatch):
    monkeypatch.chdir("/")
    assert read_list(listed("t.csv", text)) == pairs(tiles, "ab")


def test_a_text_names_an_image_in_each_line(tiles, listed):
    path = listed("t.txt", f"# first\nimages/a.npy\n\n  {tiles}/images/b.npy  \n")
    assert [each["dataset"] for each in read_list(path)] == [
        str(tiles / "images/a.npy"), str(tiles / "images/b.npy"),
    ]  # fmt: skip
    labels = listed("l.lst", "labels/a.npy\nlabels/b.npy\n")
    mosaic = hsi.load_scenes((path, labels))
    assert [part.source for part in mosaic.parts] == pairs(tiles, "ab")
    assert [part.role for part in mosaic.parts] == [None, None]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("t.csv", "image,truth\nx,y\n", r"lacks the column mask\n.*'image,truth'"),
        ("t.csv", "a;b\nx;y\n", r"lacks the columns image and mask\n"),
        ("t.csv", "", "lacks the columns"),
        ("t.csv", "image,mask\n", "lists no scene"),
        ("t.txt", "# nothing\n", "lists no scene"),
        ("t.csv", "image,mask\nimages/a.npy,\n", "line 2: no mask is named"),
        ("t.csv", "image,mask\n,labels/a.npy\n", "line 2: no image is named"),
        ("t.csv", "image,mask\nimages/a.npy,labels/a.npy\nimages/z.npy,labels/a.npy\n",
         r"line 3: there is no file .*images/z\.npy\nPaths in a list count from the folder"),
        ("t.csv", "image,mask\nimages/a.npy,labels/z.npy\n", r"line 2: .*labels/z\.npy"),
        ("t.txt", "images/a.npy\nimages/z.npy\n", r"line 2: there is no file"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_used(listed, name, text, said):
    with pytest.raises(SceneError, match=said) as refused:
        read_list(listed(name, text))
    assert str(refused.value).count("\n") < 5


def test_lists_that_are_no_texts(tiles):
    (tiles / "t.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SceneError, match="not in UTF-8"):
        read_list(tiles / "t.csv")
    with pytest.raises(SceneError, match=r"cannot read the list .*nowhere\.csv"):
        read_list(tiles / "nowhere.csv")


def test_the_same_scene_is_not_learned_and_tested(tiles, listed):
    path = listed("t.csv", "image,mask\nimages/a.npy,labels/a.npy\nimages/b.npy,labels/b.npy\n")
    (tiles / "link.npy").symlink_to(tiles / "images" / "b.npy")
    again = (tiles / "link.npy", tiles / "labels" / "b.npy")
    with pytest.raises(UsageError, match=r"link\.npy is among the train scenes and among the test"):
        hsi.load_scenes(path, test=again)
    with pytest.raises(UsageError, match=r"link\.npy is named twice among the train scenes"):
        hsi.load_scenes([path, again])
    with pytest.raises(UsageError, match="no scene to train on"):
        hsi.load_scenes([], test=path)


def test_labels_of_a_list_are_named_once(tiles, listed):
    table = listed("t.csv", "image,mask\nimages/a.npy,labels/a.npy\n")
    text = listed("t.txt", "images/a.npy\nimages/b.npy\n")
    with pytest.raises(UsageError, match="names the labels of its images itself"):
        hsi.load_scenes((table, tiles / "labels" / "a.npy"))
    with pytest.raises(UsageError, match="lists 2 images, but there are 1 files of labels"):
        hsi.load_scenes((text, tiles / "labels" / "a.npy"))


def named(*datasets, labels=(), which="dataset"):
    return Named([*map(str, datasets)], [*map(str, labels)], f"--{which}", "--labels")


def meant(train, *, validation=None, test=None, stored=None, reading=None, gap=8):
    return named_scene(
        train=train,
        validation=validation or named(which="validation-dataset"),
        test=test or named(which="test-dataset"),
        stored=stored or {},
        reading=reading or {},
        gap=gap,
    )


def test_what_a_command_line_means(tiles, listed):
    images = [tiles / "images" / f"{name}.npy" for name in "abc"]
    labels = [tiles / "labels" / f"{name}.npy" for name in "abc"]
    one = meant(named(images[0], labels=labels[:1]), reading={"drop_bands": "1"})
    assert one.parts == ()
    assert one.source == pairs(tiles, "a")[0] | {"drop_bands": "1"}
    both = meant(named(*images[:2], labels=labels[:2]))
    assert [part.source for part in both.parts] == pairs(tiles, "ab")
    # What is stored is meant where nothing is named, and options prevail.
    assert meant(named(), stored=one.source, reading={"nodata": 0.0}).source == (
        one.source | {"nodata": 0.0}
    )
    again = meant(named(), stored=both.source, gap=10, reading={"drop_bands": "4"})
    assert again.source["gap"] == 10
    assert [part.source["drop_bands"] for part in again.parts] == ["4", "4"]
    assert meant(named(images[2], labels=labels[2:]), stored=both.source).parts == ()
    tested = meant(named(), stored=one.source, test=named(images[1], labels=labels[1:2]))
    assert [part.role for part in tested.parts] == ["train", "test"]
    table = listed("t.csv", "image,mask\nimages/a.npy,labels/a.npy\n")
    assert [part.source for part in meant(named(table)).parts] == pairs(tiles, "a")
    other = meant(named(labels=labels[1:2]), stored=one.source)
    assert other.source == one.source | {"labels": str(labels[1])}


def test_what_a_command_line_cannot_mean(tiles):
    images = [tiles / "images" / f"{name}.npy" for name in "ab"]
    labels = [tiles / "labels" / f"{name}.npy" for name in "ab"]
    both = meant(named(*images, labels=labels))
    with pytest.raises(UsageError, match="no scene given: name one with --dataset"):
        meant(named())
    with pytest.raises(UsageError, match="2 times --dataset, but 1 times --labels"):
        meant(named(*images, labels=labels[:1]))
    with pytest.raises(UsageError, match="do not go with the several scenes of --config"):
        meant(named(labels=labels), stored=both.source)
    with pytest.raises(UsageError, match="2 times --labels, but one scene"):
        meant(named(labels=labels), stored=both.parts[0].source)
