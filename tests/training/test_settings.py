"""Settings: what they refuse, and that a file of them gives them back."""

import tomllib

import pytest
import tomli_w
from pydantic import ValidationError

from hsi.errors import UsageError
from hsi.training import RECIPES, Settings

CHANGED = {
    "model": "hybridsn", "patch_size": 11, "norm": "none", "components": 15, "whiten": False,
    "pca_fit": "scene", "split": "blocks", "train": 50, "validation": 0.05, "seed": 7,
    "epochs": 4, "batch_size": 32, "optimizer": "adam", "learning_rate": 0.01,
    "schedule": "constant", "weight_decay": 0.0, "dropout": 0.0, "augmentation": "none",
    "label_smoothing": 0.1, "attention": "eca",
}  # fmt: skip


def test_settings_and_those_of_the_recipe_are_changed_by_name():
    dumped = Settings().changed(**CHANGED).model_dump()
    dumped |= dumped.pop("recipe")
    assert {name: dumped[name] for name in CHANGED} == CHANGED


@pytest.mark.parametrize(
    "settings",
    [Settings(), Settings().changed(**CHANGED), Settings().changed(recipe="paper", train=3)],
)
def test_a_toml_file_gives_equal_settings(settings):
    text = tomli_w.dumps(settings.model_dump(exclude_none=True))
    again = Settings.from_table(tomllib.loads(text))
    assert again == settings
    # 3 pixels of each class, not 300 %
    assert type(again.train) is type(settings.train)


def test_a_whole_number_in_a_file_will_do_for_a_fraction():
    assert Settings.from_table({"validation": 0}).validation == 0
    assert Settings().changed(weight_decay=0).recipe.weight_decay == 0.0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("patchsize", "unknown setting 'patchsize'; did you mean 'patch_size'?"),
        ("epoch", "did you mean 'epochs'?"),
        ("lr", "learning_rate"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest(name, words):
    with pytest.raises(UsageError) as caught:
        Settings().changed(**{name: 3})
    assert words in str(caught.value)


def test_a_misspelt_recipe_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="unknown recipe 'papper'; did you mean 'paper'"):
        Settings().changed(recipe="papper")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("patch_size", 24),
        ("patch_size", 0),
        ("patch_size", -3),
        ("patch_size", 25.0),
        ("patch_size", "25"),
        ("components", 0),
        ("norm", "batchnorm"),
        ("whiten", "yes"),
        ("pca_fit", "all"),
        ("split", "disjoint"),
        ("train", 0),
        ("train", -0.1),
        ("train", float("nan")),
        ("train", "half"),
        ("train", True),
        ("validation", -1),
        ("seed", -1),
        ("seed", 2**63),
        ("seed", 0.5),
        ("epochs", 0),
        ("epochs", 1.5),
        ("batch_size", 1),
        ("optimizer", "sgd"),
        ("learning_rate", 0.0),
        ("learning_rate", float("inf")),
        ("schedule", "cosine"),
        ("weight_decay", -0.1),
        ("dropout", 1.0),
        ("augmentation", "flips"),
        ("label_smoothing", 1.0),
    ],
)
def test_an_impossible_value_is_refused_by_the_name_of_its_setting(name, value):
    with pytest.raises(UsageError, match=rf"setting '(recipe\.)?{name}' \(--") as caught:
        Settings().changed(**{name: value})
    message = str(caught.value)
    assert repr(value) in message or str(value) in message
    assert message.count("\n") < 5


def test_an_even_patch_is_told_why():
    with pytest.raises(UsageError) as caught:
        Settings().changed(patch_size=24)
    assert str(caught.value) == (
        "setting 'patch_size' (--patch-size): must be odd, since the pixel is its centre; "
        "24 is even"
    )


def test_five_lines_are_the_most_that_many_mistakes_get():
    wrong = dict.fromkeys(CHANGED, -1)
    with pytest.raises(UsageError) as caught:
        Settings().changed(**wrong)
    assert str(caught.value).count("\n") == 4


def test_names_that_a_file_may_not_hold():
    with pytest.raises(UsageError, match=r"setting 'recipe\.momentum'"):
        Settings.from_table({"recipe": RECIPES["paper"].model_dump() | {"momentum": 0.9}})
    with pytest.raises(UsageError, match=r"give epochs or steps \(--epochs, --steps\)$"):
        Settings.from_table({"recipe": RECIPES["paper"].model_dump() | {"epochs": None}})
    with pytest.raises(UsageError, match="setting 'patchsize'"):
        Settings.from_table({"patchsize": 25})


def test_settings_and_recipes_cannot_be_altered():
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.seed = 1
    with pytest.raises(ValidationError):
        settings.recipe.epochs = 1
    settings.changed(seed=5, epochs=1)
    assert settings == Settings()
    assert RECIPES["default"] == Settings().recipe


def test_none_leaves_a_setting_as_it_is():
    settings = Settings().changed(seed=3, recipe="paper")
    assert settings.changed(seed=None, recipe=None, epochs=None) == settings


def test_a_recipe_by_name_or_value_comes_before_changes_of_it():
    assert Settings().changed(recipe="paper").recipe == RECIPES["paper"]
    assert Settings().changed(recipe=RECIPES["paper"]).recipe == RECIPES["paper"]
    assert Settings().changed(epochs=2, recipe="paper").recipe.epochs == 2


def test_a_training_is_as_long_as_its_epochs_or_its_steps_say():
    by_steps = Settings().changed(recipe="paper", steps=100)
    assert (by_steps.recipe.epochs, by_steps.recipe.steps) == (None, 100)
    # as many passes over 7 batches as come nearest to 100 steps, and at least one
    assert by_steps.recipe.passes(7) == 14
    assert by_steps.recipe.passes(1000) == 1
    by_epochs = by_steps.changed(epochs=3)
    assert (by_epochs.recipe.epochs, by_epochs.recipe.steps) == (3, None)
    assert by_epochs.recipe.passes(7) == 3
    with pytest.raises(
        UsageError, match=r"^setting 'recipe': give epochs or steps \(.*\), not both$"
    ):
        Settings().changed(epochs=3, steps=3)


def test_attention_is_part_of_the_name_of_the_network():
    assert Settings().network == "hybridsn-dw"
    with_it = Settings().changed(attention="eca")
    assert with_it.network == "hybridsn-dw-with-eca"
    # None leaves a setting as it is; a word takes it away.
    assert with_it.changed(attention=None) == with_it
    assert with_it.changed(attention="none") == Settings()
    assert Settings.from_table({"model": "hybridsn"}).attention == "none"


def test_the_recipe_of_the_paper():
    """Roy et al. (2019): Adam at 1e-3, 100 epochs of batches of 256, dropout of 40 %."""
    recipe = RECIPES["paper"]
    assert (recipe.optimizer, recipe.learning_rate, recipe.schedule) == ("adam", 1e-3, "constant")
    assert (recipe.epochs, recipe.batch_size, recipe.dropout) == (100, 256, 0.4)
    assert (recipe.augmentation, recipe.weight_decay, recipe.label_smoothing) == ("none", 0, 0)


def test_a_file_or_a_number_of_folds_is_meant_for_the_split_that_needs_it():
    assert Settings().changed(split_file="runs/first").split == "file"
    assert Settings().changed(folds=10).split == "folds"
    both = Settings().changed(folds=10, split="random")
    assert (both.split, both.folds) == ("random", 10)


def test_another_split_leaves_behind_what_was_the_former_ones():
    blocks = Settings().changed(split="blocks", guard=30, train=0.1)
    official = blocks.changed(split="official")
    assert (official.guard, official.train, official.split_file) == (None, None, None)
    assert blocks.changed(seed=3).guard == 30
    assert blocks.changed(split="folds", guard=12).guard == 12
    of_file = Settings().changed(split_file="masks.npy", train=1.0)
    assert of_file.changed(split="random").train is None
    assert of_file.changed(split="random").split_file is None
    # What is not the usual amount was meant.
    assert Settings().changed(train=50).changed(split="official").train == 50
    assert Settings().changed(train=0.2).changed(split="official").train == 0.2
    assert Settings().changed(train=1).changed(split="official").train == 1
