"""Recipe files: what they set, what prevails over them, and what they refuse."""

import os

import pytest

from hsi.errors import UsageError
from hsi.models.usual import USUAL, Usual
from hsi.scenes.synthetic import synthetic_scene
from hsi.training import RECIPES, Settings
from hsi.training.recipe_file import EXPERIMENT, is_recipe_path, read_recipe, write_recipe

CHANGED = {
    "model": "hybridsn", "patch_size": 11, "norm": "none", "components": 15, "whiten": False,
    "pca_fit": "scene", "reduction": "pca", "attention": "eca", "epochs": 4, "batch_size": 32,
    "optimizer": "adam", "learning_rate": 0.01, "schedule": "constant", "weight_decay": 0.0,
    "dropout": 0.0, "augmentation": "none", "label_smoothing": 0.1, "class_balance": 1.0,
    "precision": "full",
}  # fmt: skip


@pytest.fixture
def recipe(tmp_path):
    """Return a function that writes a recipe file."""

    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return path

    return write


def test_a_file_that_is_written_gives_the_settings_back_but_for_the_experiment(tmp_path):
    experiment = {"split": "blocks", "train": 50, "validation": 0.05, "seed": 7, "guard": 4}
    settings = Settings().changed(**CHANGED, **experiment)
    write_recipe(tmp_path / "r.toml", settings.model_dump(), comments=["one\ntwo", "three"])
    assert (tmp_path / "r.toml").read_text().startswith("# one\n# two\n# three\n")
    again = Settings().changed(recipe=tmp_path / "r.toml")
    assert again == Settings().changed(**CHANGED)
    assert again.changed(**experiment) == settings


def test_what_a_file_does_not_name_stays(recipe):
    path = recipe("patch_size = 9\n[recipe]\ndropout = 0.1\n")
    before = Settings().changed(recipe="paper", seed=5, components=3)
    assert before.changed(recipe=path) == before.changed(patch_size=9, dropout=0.1)


def test_a_path_may_be_a_text(recipe):
    path = recipe("patch_size = 9\n")
    assert Settings().changed(recipe=str(path)) == Settings().changed(patch_size=9)
    assert is_recipe_path("mine.toml")
    assert is_recipe_path(f"folder{os.sep}mine")
    assert not is_recipe_path("paper")


def test_changes_prevail_over_the_file(recipe):
    path = recipe("model = 'hybridsn'\npatch_size = 9\n[recipe]\nsteps = 7\ndropout = 0.1\n")
    changed = Settings().changed(recipe=path, patch_size=11, epochs=3)
    assert changed == Settings().changed(model="hybridsn", patch_size=11, epochs=3, dropout=0.1)
    assert Settings().changed(recipe=path, steps=8, patch_size=None).recipe.steps == 8


@pytest.mark.parametrize("name", EXPERIMENT)
def test_what_belongs_to_one_experiment_is_refused_with_its_option(recipe, name):
    option = f"--{name.replace('_', '-')}"
    for text in (f"{name} = 1\n", f"[recipe]\n{name} = 1\n"):
        with pytest.raises(UsageError, match=f"'{name}' has no place in a recipe") as caught:
            Settings().changed(recipe=recipe(text))
        assert option in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("patchsize = 9\n", "unknown setting 'patchsize'; did you mean 'patch_size'"),
        ("[recipe]\nepoch = 9\n", "did you mean 'epochs'"),
        ("dropout = 0.1\n", r"'dropout' stands in the wrong place; write it in the table \[recipe"),
        ("[recipe]\nmodel = 'hybridsn'\n", "'model' stands in the wrong place; write it above"),
        ("recipe = 'paper'\n", r"expected a table \[recipe\]"),
        ("patch_size = 24\n", "must be odd"),
        ("[recipe]\ndropout = 2.0\n", r"recipe\.dropout"),
        ("[recipe]\nsteps = 5\nepochs = 5\n", "not both"),
        ("patch_size = \n", "is no valid TOML"),
    ],
)
def test_what_a_file_cannot_mean(recipe, text, words):
    with pytest.raises(UsageError, match=words) as caught:
        Settings().changed(recipe=recipe(text))
    assert str(caught.value).count("\n") < 5


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"no recipe file .*nowhere\.toml"):
        Settings().changed(recipe=tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(b"model = 'caf\xe9'")
    with pytest.raises(UsageError, match="no valid TOML"):
        Settings().changed(recipe=tmp_path / "latin.toml")


def test_a_table_is_not_checked_by_the_reader(recipe):
    """Its values are those of the file; `Settings` checks them once all are together."""
    path = recipe("patch_size = 24\n[recipe]\ndropout = 2.0\n")
    names = {"settings": Settings.model_fields, "recipe": RECIPES["paper"].model_dump()}
    assert read_recipe(path, **names) == {"patch_size": 24, "dropout": 2.0}


@pytest.fixture
def odd_network(monkeypatch):
    """A name of a network that is usually given something else than the default."""
    own = {"epochs": 30, "augmentation": "none", "learning_rate": 5e-4}
    monkeypatch.setitem(USUAL, "odd", Usual(patch_size=9, reduction="bands", recipe=own))
    return "odd"


def test_a_network_has_its_usual_recipe_unless_something_else_is_said(odd_network):
    usual = Settings().changed(model=odd_network).recipe
    assert (usual.epochs, usual.steps) == (30, None)
    assert (usual.augmentation, usual.learning_rate, usual.dropout) == ("none", 5e-4, 0.4)
    assert Settings(model=odd_network).recipe == usual
    assert Settings.from_table({"model": odd_network}).recipe == usual
    assert Settings().changed(model=odd_network, recipe="default").recipe == usual
    assert Settings().changed(model=odd_network, recipe="paper").recipe == RECIPES["paper"]


def test_what_is_said_stands_even_where_it_is_as_in_the_default_recipe(odd_network, recipe):
    """A search may find that a network does best with what others usually have."""
    said = Settings().changed(model=odd_network, augmentation="dihedral", steps=200)
    assert (said.recipe.augmentation, said.recipe.steps, said.recipe.epochs) == (
        "dihedral", 200, None,
    )  # fmt: skip
    path = recipe("model = 'odd'\n[recipe]\naugmentation = 'dihedral'\nsteps = 200\n")
    assert Settings().changed(recipe=path) == said
    assert Settings.from_table(said.model_dump()) == said
    scene = synthetic_scene(rows=32, cols=32, bands=8, classes=2)
    resolved = said.resolved(scene)
    assert resolved.recipe == said.recipe
    assert (resolved.patch_size, resolved.reduction, resolved.components) == (9, "bands", None)


def test_another_network_takes_over_what_was_said_and_nothing_that_was_usual(odd_network):
    said = Settings().changed(model=odd_network, dropout=0.1, weight_decay=0.5)
    assert said.changed(model="hybridsn") == Settings().changed(
        model="hybridsn", dropout=0.1, weight_decay=0.5
    )
    longer = Settings().changed(steps=77, model=odd_network)
    assert (longer.recipe.steps, longer.recipe.epochs) == (77, None)
    assert longer.changed(model="hybridsn").recipe.steps == 77
