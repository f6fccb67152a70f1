"""Spaces: what a file may say, and what it says wrongly."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import hsi
from hsi.errors import UsageError
from hsi.models import MODELS
from hsi.scenes import Scene
from hsi.scenes.synthetic import synthetic_scene
from hsi.training import Settings
from hsi.workflows.search.choosing import nearest, shortened
from hsi.workflows.search.defaults import default_space, widest_side
from hsi.workflows.search.space import (
    Choice,
    Range,
    as_table,
    parse_fixed,
    read_space,
    space_from_table,
    without,
)

TEXT = """
model = ["hybridsn", "hybridsn-dw"]
patch_size = { low = 9, high = 17, step = 4 }
components = { low = 13, high = 20 }
augmentation = "dihedral"
whiten = [true]

[recipe]
learning_rate = { low = 1e-4, high = 1e-2, log = true }
dropout = { low = 0, high = 0.6, step = 0.2 }
batch_size = [32, 64]
"""


def test_a_file_has_choices_ranges_and_values(tmp_path):
    (tmp_path / "space.toml").write_text(TEXT)
    space, fixed = read_space(tmp_path / "space.toml")
    assert space == {
        "model": Choice(("hybridsn", "hybridsn-dw")),
        "patch_size": Choice((9, 13, 17)),
        "components": Range(low=13, high=20, whole=True),
        "learning_rate": Range(low=1e-4, high=1e-2, whole=False, log=True),
        "dropout": Range(low=0, high=0.6, whole=False, step=0.2),
        "batch_size": Choice((32, 64)),
    }
    assert fixed == {"augmentation": "dihedral", "whiten": True}
    assert space_from_table(as_table(space)) == (space, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("modle = ['hybridsn']", "unknown setting 'modle'; did you mean 'model'"),
        ("model = ['hybridsm', 'hybridsn']", "unknown model 'hybridsm'; did you mean 'hybridsn'"),
        ("attention = ['none', 'ecca']", "unknown attention 'ecca'; did you mean 'eca'"),
        ("seed = [1, 2]", "'seed' is the same for all trials"),
        ("split_file = ['a']", r"\(--split-file|--split-file"),
        ("dropout = []", "empty list"),
        ("dropout = [0.1, 0.2, 0.1]", "a choice twice"),
        ("dropout = [0.1, 1.5]", r"recipe\.dropout"),
        ("dropout = {low = 0.1}", "needs low and high"),
        ("dropout = {low = 0.1, hihg = 0.2}", "did you mean 'high'"),
        ("dropout = {low = 0.3, high = 0.2}", "from 0.3 to 0.2; expected low < high"),
        ("dropout = {low = 0.0, high = 0.2, log = true}", "low above 0 and no step"),
        ("dropout = {low = 0.1, high = 0.2, log = true, step = 0.1}", "no step"),
        ("dropout = {low = 0.1, high = 0.2, log = 1}", "log of 'dropout' must be true or false"),
        ("dropout = {low = 0.1, high = 0.2, step = 0}", "step of 'dropout' must be a number above"),
        ("steps = {low = 1, high = 9, step = 0.5}", "step of 'steps' must be a number above 0"),
        ("steps = {low = 1.5, high = 9}", "steps"),
        ("steps = [1, 2]\nepochs = [3, 4]", "both epochs and steps"),
        ("whiten = {low = 0, high = 1}", "'whiten' is no number"),
        ("model = {low = 0, high = 1}", "'model' is no number"),
        ("patch_size = [9, 10]", "must be odd"),
        ("patch_size = {low = 8, high = 12}", "must be odd"),
        ("patch_size = {low = 9, high = 13, step = 3}", "must be even"),
        ("patch_size = {low = 1, high = 999}", "at most 100"),
        ("recipe = 3", "expected a table"),
        ("dropout = ", "no valid TOML"),
    ],
)
def test_what_a_file_cannot_mean(tmp_path, text, words):
    (tmp_path / "space.toml").write_text(text)
    with pytest.raises(UsageError, match=words) as caught:
        read_space(tmp_path / "space.toml")
    assert "space.toml" in str(caught.value)
    assert str(caught.value).count("\n") < 5


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"there is no file .*nowhere.toml.*\(--space\)"):
        read_space(tmp_path / "nowhere.toml")


def test_settings_that_are_given_are_not_chosen():
    space, _ = space_from_table({"steps": [10, 20], "dropout": [0.1, 0.2]})
    assert list(without(space, ["dropout"])) == ["steps"]
    assert list(without(space, ["epochs"])) == ["dropout"]


def test_pairs_on_the_command_line():
    assert parse_fixed(["patch-size=9", "attention=eca", "dropout=0.25", "whiten=false"]) == {
        "patch_size": 9, "attention": "eca", "dropout": 0.25, "whiten": False,
    }  # fmt: skip
    for pair, words in (
        ("dropout", "expected NAME=VALUE"),
        ("drpout=1", "did you mean 'dropout'"),
        ("model=hybridsm", "did you mean 'hybridsn'"),
        ("patch_size=8", "must be odd"),
        ("seed=1", "--seed"),
    ):
        with pytest.raises(UsageError, match=words):
            parse_fixed([pair])


def test_a_truth_value_is_no_number():
    assert True not in Choice((1, 2))
    assert 1 in Choice((1, 2))
    assert True not in Range(low=0, high=3, whole=True)


FLOATS = st.floats(1e-3, 1e3)


@given(low=FLOATS, high=FLOATS, value=st.floats(-1e4, 1e4))
def test_the_nearest_of_a_range_is_the_number_or_an_end(low, high, value):
    assume(low < high)
    span = Range(low=low, high=high, whole=False)
    assert nearest(span, value) == min(max(value, low), high)


STEPS = {
    "low": st.integers(1, 500), "length": st.integers(1, 900), "step": st.integers(1, 300),
    "value": st.floats(-100, 2000),
}  # fmt: skip


@pytest.mark.parametrize("name", ["components", "weight_decay"])  # whole numbers, and tenths
@given(**STEPS)
def test_steps_end_where_the_last_one_does(name, low, length, step, value):
    scale = 1 if name == "components" else 10
    ends = [each // scale if scale == 1 else each / scale for each in (low, low + length, step)]
    span = space_from_table({name: dict(zip(("low", "high", "step"), ends, strict=True))})[0][name]
    every = [ends[0] + ends[2] * n for n in range(length // step + 1)]
    assert span.high == pytest.approx(every[-1])
    assert isinstance(span.high, type(ends[0]))
    assert all(each in span for each in every)
    assert every[-1] + ends[2] not in span
    found = nearest(span, value)
    assert found in span
    assert abs(found - value) <= min(abs(each - value) for each in every) + 1e-9


@given(low=FLOATS, high=FLOATS, share=st.floats(0, 1))
def test_few_digits_stay_in_the_range(low, high, share):
    assume(low < high)
    value = min(max(low + share * (high - low), low), high)
    short = shortened(value, Range(low=low, high=high, whole=False))
    assert low <= short <= high
    assert short == pytest.approx(value, rel=0.01)


@pytest.mark.parametrize("bands", [120, 14])
def test_the_usual_space_fits_the_scene(bands):
    scene = synthetic_scene(rows=34, cols=40, bands=bands, classes=3)
    space, single = default_space(scene)
    for name, variation in space.items():
        values = variation.values if isinstance(variation, Choice) else (variation.low,)
        for value in values:
            Settings().changed(**{name: value})
    assert (max(space["components"].values) if bands > 15 else single["components"]) <= bands
    assert {"model", "attention", "learning_rate", "steps", "class_balance"} <= space.keys()
    assert set(space["model"].values) <= MODELS.keys()


def test_patches_of_the_usual_space_are_no_wider_than_scene_or_room():
    scene = synthetic_scene(rows=34, cols=40, bands=20, classes=3)
    assert default_space(scene)[0]["patch_size"].values == (9, 13, 17, 21, 25)
    assert default_space(scene, widest=13)[0]["patch_size"].values == (9, 13)
    assert default_space(scene, widest=9)[1] == {"patch_size": 9}
    low = Scene(name="low", cube=scene.cube[:18])
    assert default_space(low)[0]["patch_size"].values == (9, 13, 17)


def test_networks_that_are_named_take_the_place_of_the_usual_ones():
    scene = synthetic_scene(rows=34, cols=40, bands=20, classes=3)
    space, single = default_space(scene, models=["hybridsn"])
    assert "model" not in space
    assert single["model"] == "hybridsn"
    space, _ = default_space(scene, models=["hybridsn", "lenet5"])
    assert space["model"] == Choice(("hybridsn", "lenet5"))


def test_the_widest_patch_is_known_before_the_scene():
    settings = hsi.Settings()
    assert widest_side(None, models=[], settings=settings) == 25
    assert widest_side({"patch_size": [9, 31]}, models=[], settings=settings) == 31
    assert widest_side(None, models=[], settings=settings.changed(patch_size=11)) == 11
