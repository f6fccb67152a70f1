"""The cards that ship with the package, and those that users write."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import spectral.io.envi

import hsi
from hsi.errors import SceneError, UsageError
from hsi.scenes import list_cards, load_card, load_scene
from hsi.scenes.catalogue import _folder

NAMES = (
    "botswana", "houston_2013", "indian_pines", "ksc", "pavia_centre", "pavia_university",
    "salinas", "salinas_a",
)  # fmt: skip

UPLOADS = "https://www.ehu.eus/ccwintco/uploads/"

CARD = """
title = "A field"
sensor = "camera"
shape = [3, 4, 5]
rgb_bands = [3, 2, 1]
wavelengths = [400, 500, 600, 700, 800]
components = 4
nodata = -1

[cube]
name = "image.npy"

[labels]
name = "truth.npz"
key = "gt"

[[classes]]
id = 3
name = "Oats"
color = "#ff8000"

[[classes]]
id = 9
name = "Rye"
color = "#0000c0"
"""


@pytest.fixture
def field(tmp_path, bare_machine):
    """Return the path of a user's card, with its files beside it."""
    folder = tmp_path / "field"
    folder.mkdir()
    cube = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    cube[2, 3, 1] = -1
    np.save(folder / "image.npy", cube)
    labels = np.zeros((3, 4), np.uint8)
    labels[0], labels[1] = 3, 9
    np.savez(folder / "truth.npz", gt=labels, other=labels.T)
    (folder / "rye.toml").write_text(CARD)
    return folder / "rye.toml"


def test_which_scenes_have_a_card():
    assert list_cards() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_cards_are_complete(name):
    card = load_card(name)
    assert card.name == name
    known = (card.shape, card.rgb_bands, card.classes, card.sensor, card.resolution_m)
    assert all((*known, card.licence, card.citation))
    assert len({each.color for each in card.classes}) == len(card.classes)
    assert (0, 0, 0) not in {each.color for each in card.classes}
    assert card.components == (15 if name.startswith(("pavia", "salinas")) else 30)
    for file in (*card.files, *card.split_files):
        if file.name == "2013_IEEE_GRSS_DF_Contest_CASI.tif":  # only from the contest's own page
            assert (file.addresses, file.sha256) == ((), None)
            assert card.homepage
            continue
        assert all((file.sha256, file.bytes, file.key))
        of_split = card.official is not None and file in card.official.files
        base = "https://raw.githubusercontent.com/mhaut/HSI-datasets/" if of_split else UPLOADS
        assert all(
            address.startswith(base) and address.endswith(f"/{file.name}")
            for address in file.addresses
        )
        assert file.addresses


def test_salinas_a_keeps_the_ids_and_names_of_salinas():
    whole = {each.id: (each.name, each.color) for each in load_card("salinas").classes}
    part = {each.id: (each.name, each.color) for each in load_card("salinas_a").classes}
    assert sorted(part) == [1, 10, 11, 12, 13, 14]
    assert all(whole[each] == part[each] for each in part)


def test_indian_pines_band_centres_are_the_published_ones_less_the_dropped(real_data):
    raw = np.loadtxt(real_data / "indian_pines" / "92AV3C.spc", skiprows=2, usecols=0)
    dropped = [*range(104, 109), *range(150, 164), 220]
    kept = np.delete(raw, np.array(dropped) - 1)
    np.testing.assert_allclose(load_card("indian_pines").wavelengths, kept, atol=0.006)


@pytest.mark.parametrize("name", ["Salinas-A", "SALINAS_A", "salinas_A"])
def test_names_are_found_in_any_spelling(name):
    assert load_card(name).name == "salinas_a"


def test_unknown_name():
    with pytest.raises(UsageError, match="did you mean 'botswana'"):
        load_card("botswanna")


def test_a_users_card(field):
    scene = load_scene(field)
    assert scene.name == "rye"
    assert scene.class_names == {3: "Oats", 9: "Rye"}
    assert scene.class_colors == {3: (255, 128, 0), 9: (0, 0, 192)}
    assert (scene.rgb_bands, scene.components, scene.nodata) == ((3, 2, 1), 4, -1)
    np.testing.assert_array_equal(scene.wavelengths, [400, 500, 600, 700, 800])
    assert not scene.valid[2, 3]
    assert scene.valid.sum() == 11
    assert scene.metadata["sensor"] == "camera"
    assert scene.source == {"dataset": str(field)}
    np.testing.assert_array_equal(load_scene(**scene.source).cube, scene.cube)


def test_labels_of_ones_own_replace_the_cards(field):
    path = field.parent / "other.npy"
    np.save(path, np.full((3, 4), 9))
    scene = load_scene(field, labels=path)
    assert scene.class_ids.tolist() == [9]
    assert scene.class_names[9] == "Rye"
    assert scene.source == {"dataset": str(field), "labels": str(path)}


def test_what_a_label_file_says_of_its_classes_goes_before_the_card(field):
    spectral.io.envi.save_classification(
        str(field.parent / "crops.hdr"),
        np.eye(3, 4, dtype=np.uint8),
        class_names=["nothing", "Barley"],
        class_colors=[(0, 0, 0), (9, 9, 9)],
    )
    scene = load_scene(field, labels=field.parent / "crops.hdr")
    assert scene.class_names == {1: "Barley"}
    assert scene.class_colors == {1: (9, 9, 9)}


def test_a_key_goes_before_the_cards(field):
    with pytest.raises(SceneError, match="transposed"):
        load_scene(field, labels_key="other")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('sensor = "camera"', 'senser = "camera"', "senser: Extra inputs"),
        ("shape = [3, 4, 5]", "shape = [3, 4]", "shape"),
        ("components = 4", "components = 0", r"components: .*greater than 0"),
        ("id = 3", "id = 0", r"classes\.0\.id"),
        ("id = 3", "id = 9", "two classes have the same id: 9"),
        ("#0000c0", "#ff8000", "two classes have the same color"),
        ('"Rye"', '"Oats"', "two classes have the same name: Oats"),
        ("#0000c0", "blue", r"classes\.1\.color: .*like #1f77b4"),
        ("rgb_bands = [3, 2, 1]", "rgb_bands = [5, 2, 1]", r"not all in 0\.\.4"),
        ("700, 800]", "700]", "4 wavelengths for 5 bands"),
        ('name = "image.npy"', 'name = "../image.npy"', r"cube\.name: .*inside"),
        ('name = "image.npy"', 'name = "a"\naddresses = ["http://a/"]', "needs its sha256"),
        ('name = "image.npy"', 'name = "a"\naddresses = ["file:///a"]', r"cube\.addresses\.0"),
        ('name = "image.npy"', 'name = "a"\nsha256 = "abc"', r"cube\.sha256"),
        ('title = "A field"', "", "title: Field required"),
        ('title = "A field"', 'title = "A"\nname = "a/b"', "name: .*plain name"),
        ('title = "A field"', 'title = "A"\nname = ".."', "name: .*plain name"),
        ("components = 4", "components 4", "no TOML file"),
        ("shape = [3, 4, 5]", "shape = [3, 4, 6]\n", "wavelengths for 6 bands"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(field, old, new, words):
    assert old in CARD
    field.write_text(CARD.replace(old, new))
    with pytest.raises(SceneError, match=words) as caught:
        load_scene(field)
    assert "rye.toml" in str(caught.value)
    assert str(caught.value).count("\n") < 5


def test_an_image_of_another_shape_than_the_card_says(field):
    np.save(field.parent / "image.npy", np.ones((4, 3, 5)))
    with pytest.raises(SceneError, match=r"\(4, 3, 5\).*\(3, 4, 5\)"):
        load_scene(field)


def test_a_file_that_the_card_names_is_missing(field):
    (field.parent / "image.npy").unlink()
    with pytest.raises(SceneError, match=r"(?s)image\.npy of rye was not found.*\$HSI_DATA"):
        load_scene(field)


def test_datasets_is_no_package():
    assert not list(_folder().glob("*.py"))
    code = "import importlib.util as u; spec = u.find_spec('datasets'); print(spec and spec.origin)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd="/", capture_output=True, text=True, check=True
    )
    # A package of that name may be installed; the folder of the cards is not it.
    assert str(_folder()) not in done.stdout
    assert "namespace" not in done.stdout.lower()


def test_cards_are_found_inside_an_installed_package(tmp_path):
    package = Path(hsi.__file__).parent
    shutil.copytree(package, tmp_path / "hsi", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(_folder(), tmp_path / "hsi" / "datasets")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "import hsi.scenes.catalogue as c; print(c._folder()); print(*c.list_cards())"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [str(tmp_path / "hsi" / "datasets"), *NAMES]
