"""What a page holds is what the scene and its map are, and no more than its bounds."""

import base64
import hashlib
import re

import numpy as np
import pytest

from hsi.errors import UsageError
from hsi.report.explorer import Mapped, explore, render_explorer
from hsi.report.explorer.section import as_script_data, plotly_script
from hsi.scenes import Scene

EVIL = "</script><script>window.hacked = 1</script>\u2028\u2029<!--<b>\"'&"


def page_of(exploration):
    pieces = render_explorer(exploration)
    return f"{pieces.section}\n{pieces.data}"


@pytest.fixture
def mapped(make_scene):
    scene = make_scene(dtype=np.float32)
    rng = np.random.default_rng(2)
    return scene, Mapped(
        class_map=rng.choice(np.array([0, 3, 5], dtype=np.int32), scene.shape[:2]),
        confidence=rng.random(scene.shape[:2]),
        names={3: "Oak", 5: EVIL},
        colors={3: (1, 2, 3), 5: (9, 8, 7)},
        patch_size=7,
    )


def test_the_data_in_the_page_are_those_of_the_scene_and_the_map(mapped, read_page):
    scene, found = mapped
    train = np.zeros(scene.shape[:2], dtype=bool)
    train[0] = True
    about, arrays = read_page(page_of(explore(scene, found, sets=(train, ~train & False, ~train))))
    ids = np.array([0, *(each["id"] for each in about["classes"])])
    assert ids.tolist() == [0, 3, 5, 11]
    np.testing.assert_array_equal(ids[arrays["truth"]], scene.labels)
    np.testing.assert_array_equal(ids[arrays["map"]], found.class_map)
    np.testing.assert_array_equal(arrays["composite"].transpose(1, 2, 0), scene.composite())
    assert np.abs((arrays["confidence"] - 1.0) / 10_000 - found.confidence).max() <= 1e-4
    np.testing.assert_array_equal(arrays["sets"], np.where(train, 1, 3))
    held = about["spectra"]
    values = np.add(
        np.array(held["low"])[:, None, None],
        np.array(held["quantum"])[:, None, None] * arrays["levels"],
    )
    error = np.abs(values.transpose(1, 2, 0) - scene.cube)
    assert (error <= np.array(held["quantum"]) / 2 + 1e-9).all()
    own = scene.cube[scene.labels == 11].astype(np.float64)
    np.testing.assert_allclose(arrays["mean"][2], own.mean(axis=0), rtol=1e-6)
    assert about["classes"][2] == {
        "id": 11, "name": "class 11", "color": list(scene.class_colors[11]), "pixels": len(own),
    }  # fmt: skip
    assert about["patch_size"] == 7


def test_without_labels_the_classes_have_the_spectra_of_the_map(make_scene, read_page):
    scene = make_scene(labelled=False)
    found = Mapped(
        class_map=np.full(scene.shape[:2], 4, np.int32), names={4: "a"}, colors={4: (9, 9, 9)}
    )
    about, arrays = read_page(page_of(explore(scene, found)))
    assert about["basis"] == "mapped"
    np.testing.assert_allclose(arrays["mean"][0], scene.cube.mean(axis=(0, 1)), rtol=1e-6)
    assert "truth" not in arrays


def test_a_large_scene_stays_within_the_bounds_and_says_so(read_page):
    """Noise in 16 bits, which nothing packs."""
    cube = np.random.default_rng(0).integers(0, 65_000, (1300, 1100, 12), dtype=np.uint16)
    exploration = explore(Scene(name="large", cube=cube))
    pieces = render_explorer(exploration)
    sizes = {name: len(block.text) for name, block in exploration.blocks.items()}
    assert sizes["levels"] <= 8_000_000
    assert len(pieces.data) < 15_000_000
    about, arrays = read_page(pieces.data)
    step = about["spectra"]["step"]
    assert about["picture"]["step"] == 2
    np.testing.assert_array_equal(
        arrays["levels"][5] + int(about["spectra"]["low"][5]), cube[::step, ::step, 5]
    )
    assert "every 2nd row and column of 1,300 × 1,100 pixels" in pieces.section
    assert f"every {step}" in pieces.section.partition("file small")[2]


@pytest.mark.parametrize(
    ("dtype", "words"),
    [(np.int16, "are those of the file, unrounded"), (np.float32, "are rounded by")],
)
def test_the_page_says_how_exact_it_is(make_scene, dtype, words):
    pieces = render_explorer(explore(make_scene(dtype=dtype)))
    assert words in pieces.section
    assert "The spectra of all pixels are held" in pieces.section


def test_names_cannot_leave_the_data(mapped, read_page):
    scene, found = mapped
    renamed = Scene(
        name=EVIL, cube=scene.cube, labels=scene.labels, class_names={3: EVIL, 11: EVIL}
    )
    page = page_of(explore(renamed, found))
    # One element for each block, the library, the data and the script; none of the names' own.
    assert (
        page.count("<script") == page.count("</script>") == len(explore(renamed, found).blocks) + 3
    )
    assert "hacked = 1</script>" not in page
    assert "\u2028" not in page.partition('id="hsi-data"')[2]
    about, _ = read_page(page)
    assert about["scene"]["name"] == EVIL
    assert {each["name"] for each in about["classes"]} == {"Oak", EVIL}


def test_data_hold_no_character_that_html_or_an_old_script_minds():
    text = as_script_data({"name": EVIL})
    assert not set("<>&\u2028\u2029") & set(text)
    assert text.isascii()


def test_the_policy_allows_these_two_scripts_alone(make_scene):
    pieces = render_explorer(explore(make_scene()))
    (script,) = re.findall(r"<script>(.*?)</script>", pieces.data, flags=re.DOTALL)
    hashes = [
        "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
        for text in (script, plotly_script())
    ]
    assert pieces.policy == f"script-src {' '.join(hashes)}"


def test_only_layers_that_there_are_can_be_chosen(make_scene, mapped):
    scene, found = mapped
    values = re.findall(r'name="top" value="(\w+)"', render_explorer(explore(scene, found)).section)
    assert values == ["composite", "truth", "map", "confidence", "errors"]
    alone = render_explorer(explore(make_scene(labelled=False))).section
    assert re.findall(r'name="top" value="(\w+)"', alone) == ["composite"]


@pytest.mark.parametrize("what", ["class map", "confidence", "test mask"])
def test_shapes_must_be_those_of_the_scene(mapped, what):
    scene, found = mapped
    wrong = np.zeros((2, 2))
    right = np.zeros(scene.shape[:2], dtype=bool)
    sets = (right, right, wrong.astype(bool) if what == "test mask" else right)
    parts = {"class_map": found.class_map, "confidence": found.confidence}
    if what != "test mask":
        parts[what.replace(" ", "_")] = wrong.astype(np.int32)
    with pytest.raises(UsageError, match=rf"{what} of shape \(2, 2\)"):
        explore(scene, Mapped(**parts, names=found.names, colors=found.colors), sets=sets)


def test_the_same_scene_gives_the_same_page(make_scene):
    assert page_of(explore(make_scene())) == page_of(explore(make_scene()))
