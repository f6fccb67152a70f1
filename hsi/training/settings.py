"""The settings of a training: what is learned from what, and the recipe by which."""

from __future__ import annotations

import os
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from hsi.errors import UsageError, unknown_name
from hsi.models import ReductionName, full_name, usual
from hsi.scenes import Scene
from hsi.training.loop import Descent, Precision
from hsi.training.recipe_file import is_recipe_path, read_recipe
from hsi.training.split_settings import suit_split


class Checked(BaseModel):
    """Settings that are checked when they are made, and do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def from_table(cls, table: dict[str, Any]) -> Self:
        """Return the settings that `model_dump` turned into `table`.

        Raises
        ------
        UsageError
            If a name is unknown or a value impossible.
        """
        try:
            return cls.model_validate(table)
        except ValidationError as error:
            raise _in_words(error, cls) from error


class Recipe(Checked):
    """How weights are found: the optimiser, its rate over time, and what is done to patches."""

    epochs: int | None = Field(default=None, ge=1)
    """Passes over the training pixels."""
    steps: int | None = Field(default=None, ge=1)
    """Instead of epochs: as many passes as come nearest to this number of steps."""
    batch_size: int = Field(ge=2)
    """Pixels of a step, nearly: an epoch is divided evenly."""
    optimizer: Literal["adam", "adamw"]
    learning_rate: float = Field(gt=0)
    """The constant rate, or the highest one of the one-cycle schedule."""
    schedule: Literal["constant", "one-cycle"]
    weight_decay: float = Field(ge=0)
    dropout: float = Field(ge=0, lt=1)
    augmentation: Literal["none", "dihedral"]
    """``"dihedral"``: each patch in one of the eight rotations and reflections, at random."""
    label_smoothing: float = Field(ge=0, lt=1)
    class_balance: float = Field(default=0.0, ge=0, le=1)
    """0: pixels weigh the same in the loss; 1: classes do, however few their pixels."""
    precision: Precision = "auto"
    """In what the layers compute, see `hsi.training.loop.Precision`."""

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.epochs is None) == (self.steps is None):
            both = ", not both" if self.epochs else ""
            raise ValueError(f"give epochs or steps (--epochs, --steps){both}")
        return self

    @property
    def descent(self) -> Descent:
        """What the training loop reads of this."""
        return Descent(
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            schedule=self.schedule,
            weight_decay=self.weight_decay,
            precision=self.precision,
        )

    def passes(self, batches: int) -> int:
        """Return the number of epochs of so many batches each."""
        return self.epochs or max(1, round((self.steps or 1) / batches))


RECIPES: dict[str, Recipe] = {
    "paper": Recipe(
        epochs=100,
        batch_size=256,
        optimizer="adam",
        learning_rate=1e-3,
        schedule="constant",
        weight_decay=0.0,
        dropout=0.4,
        augmentation="none",
        label_smoothing=0.0,
        class_balance=0.0,
    ),
    "default": Recipe(
        steps=200,
        batch_size=512,
        optimizer="adamw",
        learning_rate=2e-3,
        schedule="one-cycle",
        weight_decay=0.01,
        dropout=0.4,
        augmentation="dihedral",
        label_smoothing=0.0,
        class_balance=0.25,
    ),
}
RECIPES["unseen"] = RECIPES["default"]
# For places without training pixels nearby, as the splits "blocks", "folds" and "scenes" test them.
UNSEEN_PATCH_SIZE = 11


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
    def _usual_for_model(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "recipe" in data:
            return data
        model = data.get("model", cls.model_fields["model"].default)
        return data | {"recipe": _usual_recipe(model)}

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
        changes = {name: value for name, value in changes.items() if value is not None}
        if isinstance(recipe, str | os.PathLike) and is_recipe_path(recipe):
            named = read_recipe(
                recipe, settings=type(self).model_fields, recipe=Recipe.model_fields
            )
            if "epochs" in changes or "steps" in changes:  # instead of the file's
                named = {name: named[name] for name in named if name not in ("epochs", "steps")}
            changes, recipe = named | changes, None
        model = changes.get("model", self.model)
        whole, changes = suit_split(self.model_dump(), changes)
        if isinstance(recipe, Recipe):
            whole["recipe"] = recipe.model_dump()
        elif recipe is None:
            whole["recipe"] = _for_model(self.recipe, self.model, model)
        elif recipe == "default":
            whole["recipe"] = _usual_recipe(model)
        elif recipe == "unseen":
            whole["recipe"] = _usual_recipe(model)
            changes = _for_unseen_places(model) | changes
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
        return self.from_table(whole)


def _usual_recipe(model: Any) -> dict[str, Any]:
    """Return the default recipe with what `model` usually needs."""
    own = dict(usual(model).recipe) if isinstance(model, str) else {}
    length = {"epochs": None, "steps": None} if own.keys() & {"epochs", "steps"} else {}
    return RECIPES["default"].model_dump() | length | own


def _for_unseen_places(model: Any) -> dict[str, Any]:
    """Return the settings in which the recipe "unseen" differs: see docs/unseen.md for reasons."""
    side = usual(model).patch_size if isinstance(model, str) else UNSEEN_PATCH_SIZE
    return {"patch_size": min(side, UNSEEN_PATCH_SIZE), "whiten": False}


def _for_model(recipe: Recipe, before: str, after: Any) -> dict[str, Any]:
    """Return a recipe with what was as usual for one model as it is usual for another."""
    there, old, new = recipe.model_dump(), _usual_recipe(before), _usual_recipe(after)
    as_long = all(there[name] == old[name] for name in ("epochs", "steps"))
    return {
        name: new[name]
        if (as_long if name in ("epochs", "steps") else value == old[name])
        else value
        for name, value in there.items()
    }


def _in_words(error: ValidationError, settings: type[BaseModel]) -> UsageError:
    """Return pydantic's findings, one line each."""
    lines = []
    for finding in error.errors():
        name = ".".join(str(part) for part in finding["loc"] if part not in ("int", "float"))
        own = finding["type"] == "value_error"  # a validator of ours, which says what came
        came = "" if own else f", not {finding['input']!r}"
        said = finding["msg"].removeprefix("Value error, ").removeprefix("Input ")
        # What is said of several settings together names them.
        of = f"setting '{name}'{_option(name, settings)}: " if name else ""
        line = f"{of}{said}{came}"
        if line not in lines:
            lines.append(line)
    return UsageError("\n".join(lines[:5]))


def _option(name: str, settings: type[BaseModel]) -> str:
    """Return what a setting is called on the command line, in parentheses; nothing if unknown."""
    if name == "recipe":  # as a whole: what is said of it names the options
        return ""
    own = name.removeprefix("recipe.")
    known = Recipe.model_fields if own != name else settings.model_fields
    return f" (--{own.replace('_', '-')})" if own in known else ""
