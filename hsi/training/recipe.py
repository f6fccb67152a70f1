"""The recipe of a training: how weights are found."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from hsi.models import usual
from hsi.training.checked import Checked
from hsi.training.descent import Descent, Precision


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
    """In what the layers compute, see `hsi.training.descent.Precision`."""

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


def usual_recipe(model: Any) -> dict[str, Any]:
    """Return the default recipe with what `model` usually needs."""
    own = dict(usual(model).recipe) if isinstance(model, str) else {}
    length = {"epochs": None, "steps": None} if own.keys() & {"epochs", "steps"} else {}
    return RECIPES["default"].model_dump() | length | own


def unseen_places(model: Any) -> dict[str, Any]:
    """Return the settings in which the recipe "unseen" differs: see docs/unseen.md for reasons."""
    side = usual(model).patch_size if isinstance(model, str) else UNSEEN_PATCH_SIZE
    return {"patch_size": min(side, UNSEEN_PATCH_SIZE), "whiten": False}


def recipe_for(recipe: Recipe, before: str, after: Any) -> dict[str, Any]:
    """Return a recipe with what was as usual for one model as it is usual for another."""
    there, old, new = recipe.model_dump(), usual_recipe(before), usual_recipe(after)
    as_long = all(there[name] == old[name] for name in ("epochs", "steps"))
    return {
        name: new[name]
        if (as_long if name in ("epochs", "steps") else value == old[name])
        else value
        for name, value in there.items()
    }
