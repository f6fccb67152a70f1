"""The recipe "unseen": which settings it changes, and which prevail over it."""

import pytest

from hsi.training import RECIPES, Settings


def test_it_is_the_default_recipe_with_small_patches_and_components_in_their_proportions():
    unseen = Settings().changed(recipe="unseen")
    assert unseen.side == 11
    assert unseen.whiten is False
    assert unseen.recipe == RECIPES["default"]
    assert unseen == Settings().changed(patch_size=11, whiten=False)
    assert (Settings().side, Settings().whiten) == (25, True)


def test_what_is_named_beside_it_prevails():
    changed = Settings().changed(recipe="unseen", patch_size=15, whiten=True, steps=50)
    assert (changed.side, changed.whiten, changed.recipe.steps) == (15, True, 50)
    one = Settings().changed(recipe="unseen", patch_size=15)
    assert (one.side, one.whiten) == (15, False)


@pytest.mark.parametrize(("model", "side"), [("hybridsn", 11), ("ssrn", 7), ("svm", 1)])
def test_no_network_is_given_larger_patches_than_usual(model, side):
    settings = Settings().changed(recipe="unseen", model=model)
    assert settings.side == side
    assert settings.recipe == Settings().changed(model=model).recipe


def test_it_comes_back_from_a_file_of_settings():
    unseen = Settings().changed(recipe="unseen", model="ssftt")
    assert Settings.from_table(unseen.model_dump()) == unseen
