"""The settings of a training: what is learned from what, and by which recipe."""

from __future__ import annotations

import os
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from hsi.errors import unknown_name
from hsi.models import ReductionName, full_name, usual
from hsi.scenes import Scene
from hsi.training.checked import Checked
from hsi.training.recipe import RECIPES, Recipe, recipe_for, unseen_places, usual_recipe
from hsi.training.recipe_file import is_recipe_path, read_recipe
from hsi.training.split_settings import suit_split


class Settings(Checked):
    """Everything that a training depends on, but for the scene and the device."""

    model: str = "hybridsn-dw"
    patch_size: int | None = Field(default=None, ge=1)
    """None: what is usual for the model."""
    norm: Literal["batch", "none"] = "batch"
    attention: str = "none"
    """Name of an attention block, or ``"none"``: the network as it is."""
    weights: str = "none"
    """Of image networks: ``"imagenet"``, the path of a file, or ``"none"``: fresh weights."""
    reduction: ReductionName | None = None
    """``"pca"``: principal components; ``"bands"``: all bands, each scaled. None: what is usual for
    the model."""
    components: int | None = Field(default=None, ge=1)
    """Principal components. None: as many as are customary for the scene."""
    whiten: bool = True
    """Whether each component is scaled to unit variance. If not, all are divided by one number, so
    that their variances keep their proportions."""
    pca_fit: Literal["train", "scene"] = "train"
    """Whether the components are those of the training pixels or, as in most papers, of all."""
    split: Literal["random", "blocks", "folds", "official", "file", "scenes"] = "random"
    """``"folds"``: one of `folds` parts of the scene is the test, that of number ``seed % folds``;
    ``"official"``: the published one; ``"file"``: that of `split_file`; ``"scenes"``: by the scenes
    of a mosaic that are named for validation and test."""
    split_file: str | None = None
    """A run, its ``split.npz``, or masks; see `hsi.workflows.split_source`."""
    folds: int = Field(default=5, ge=2)
    guard: int | None = Field(default=None, ge=0)
    """Pixels that blocks and folds keep between training and test. None: ``patch_size - 1``."""
    train: int | float | None = Field(default=None, gt=0)
    """A fraction of each class below 1, or a number of pixels for each class. None: a tenth of what
    is drawn (random, blocks), and all where the split itself says what is for training."""
    validation: int | float = Field(default=0.0, ge=0)
    seed: int = Field(default=0, ge=0, lt=2**63)
    recipe: Recipe = RECIPES["default"]
    """Where it is not given: the default one, with what is usual for the model."""

    @model_validator(mode="before")
    @classmethod
    def _usualrecipe_for(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "recipe" in data:
            return data
        model = data.get("model", cls.model_fields["model"].default)
        return data | {"recipe": usual_recipe(model)}

    @field_validator("weights", "split_file", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return os.fspath(value) if isinstance(value, os.PathLike) else value

    @field_validator("patch_size")
    @classmethod
    def _odd(cls, value: int | None) -> int | None:
        if value is not None and value % 2 == 0:
            raise ValueError(f"must be odd, since the pixel is its centre; {value} is even")
        return value

    @property
    def network(self) -> str:
        """The model with its attention, as titles and folders name it."""
        return full_name(self.model, self.attention)

    @property
    def side(self) -> int:
        """The side of a patch."""
        return self.patch_size or usual(self.model).patch_size

    def resolved(self, scene: Scene) -> Self:
        """Return these settings with all that was left open as it is usual for model and scene."""
        reduction = self.reduction or usual(self.model).reduction
        components = self.components or min(scene.components, scene.bands)
        return self.changed(
            patch_size=self.side,
            reduction=reduction,
            components=components if reduction == "pca" else None,
        )

    def changed(
        self, *, recipe: str | os.PathLike[str] | Recipe | None = None, **changes: Any
    ) -> Self:
        """Return these settings with some of them changed.

        With another model or split, what is as usual for the former one becomes what is usual for
        the new one; what is named here stands in any case. `split_file` and `folds` imply the split
        that needs them.

        Parameters
        ----------
        recipe : str, path or Recipe, optional
            A key of `RECIPES`, a recipe of one's own, or the path of a recipe file (see
            `hsi.training.recipe_file`), over whose settings `changes` prevail. ``"unseen"`` is the
            default one with patches of at most 11x11 pixels and components that are not whitened;
            these two stay when another recipe is chosen afterwards.
        **changes
            Settings, or settings of the recipe, by name; None leaves one as it is.

        Raises
        ------
        UsageError
            If a name is unknown (with the nearest one), a value impossible, or a file no recipe.

        Examples
        --------
        >>> settings = Settings().changed(recipe="paper", model="hybridsn", epochs=5)
        >>> settings.recipe.epochs, settings.recipe.optimizer
        (5, 'adam')
        """
        changes, where = {name: value for name, value in changes.items() if value is not None}, ""
        if isinstance(recipe, str | os.PathLike) and is_recipe_path(recipe):
            named = read_recipe(
                recipe, settings=type(self).model_fields, recipe=Recipe.model_fields
            )
            if "epochs" in changes or "steps" in changes:  # instead of the file's
                named = {name: named[name] for name in named if name not in ("epochs", "steps")}
            changes, where, recipe = named | changes, f"with the recipe {recipe}: ", None
        model = changes.get("model", self.model)
        whole, changes = suit_split(self.model_dump(), changes)
        if isinstance(recipe, Recipe):
            whole["recipe"] = recipe.model_dump()
        elif recipe is None:
            whole["recipe"] = recipe_for(self.recipe, self.model, model)
        elif recipe == "default":
            whole["recipe"] = usual_recipe(model)
        elif recipe == "unseen":
            whole["recipe"] = usual_recipe(model)
            changes = unseen_places(model) | changes
        elif recipe in RECIPES:
            whole["recipe"] = RECIPES[str(recipe)].model_dump()
        else:
            raise unknown_name("recipe", recipe, RECIPES)
        for one, other in (("epochs", "steps"), ("steps", "epochs")):
            if changes.get(one) is not None and changes.get(other) is None:
                whole["recipe"][other] = None
        for name, value in changes.items():
            if name in whole:
                whole[name] = value
            elif name in whole["recipe"]:
                whole["recipe"][name] = value
            else:
                raise unknown_name("setting", name, [*whole, *whole["recipe"]])
        return self.from_table(whole, where=where)
