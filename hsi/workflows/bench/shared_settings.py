"""The settings that all cells of a benchmark share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hsi.backbones.weights import check_given, lasting
from hsi.errors import UsageError
from hsi.files import expand_home, usable_path
from hsi.training import Recipe, Settings
from hsi.training.recipe_file import is_recipe_path, read_recipe


def settled(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as a plan keeps them: what a recipe file names instead of its path.

    The file may change, and names a model; models are named for the whole benchmark.

    Raises
    ------
    UsageError
        If the file is missing or no recipe.
    """
    kept = {name: value for name, value in settings.items() if value is not None}
    if "weights" in kept:
        kept["weights"] = lasting(kept["weights"])
    if "split_file" in kept:
        path = usable_path(kept["split_file"], "split_file")
        kept["split_file"] = str(expand_home(path, "split_file"))
    recipe = kept.get("recipe")
    if recipe is None or not is_recipe_path(recipe):
        return kept
    del kept["recipe"]
    named = read_recipe(recipe, settings=Settings.model_fields, recipe=Recipe.model_fields)
    length = {"epochs", "steps"}
    return {
        name: value
        for name, value in named.items()
        if name not in OF_MODELS and not (name in length and kept.keys() & length)
    } | kept


def check_files(settings: Mapping[str, Any]) -> None:
    """Refuse settings that name files which are not there, before every training fails for it.

    Raises
    ------
    UsageError
        If there is no such file of weights or of a split.
    """
    if settings.get("weights"):
        check_given(settings["weights"])
    split_file = settings.get("split_file")
    if split_file and not expand_home(split_file, "split_file").exists():
        raise UsageError(f"there is no file {split_file} with a split (--split-file)")


# Parts of a model's name here.
OF_MODELS = ("model", "attention")
# What settings are for all models where they are not named; the others are usual for each.
WITHOUT: dict[str, Any] = {"recipe": "default"} | {
    name: field.default
    for name, field in Settings.model_fields.items()
    if name != "recipe" and field.default is not None
}
