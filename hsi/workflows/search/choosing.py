"""From a space to the settings of one trial: what is asked for, and in which order.

What has no meaning for the network of a trial is not asked for: attention where none can be had,
the number of components where there are none, the settings of a recipe where nothing is learned by
gradients, rotations of single pixels. So a search does not look for differences that are none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hsi.scenes import Scene
from hsi.training import Recipe, Settings
from hsi.workflows.search.fitting import learns_by_gradients, takes_attention, takes_side
from hsi.workflows.search.space import Choice, Range, Space

if TYPE_CHECKING:
    from optuna.trial import Trial

# Digits of a number of a range, so that a recipe can be read.
DIGITS = 3

Pick = Callable[[str, str, Choice | Range], Any]
"""Takes the name under which a choice is known, the setting, and what may be chosen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Chooser:
    """Makes settings out of choices.

    Parameters
    ----------
    space : dict
        What may be chosen.
    base : Settings
        All that is not chosen.
    scene : Scene
        That is learned from.
    """

    space: Space
    base: Settings
    scene: Scene

    def for_trial(self, trial: Trial) -> Settings:
        """Return the settings that `trial` suggests."""
        return self._settings(lambda name, _, variation: _suggested(trial, name, variation))

    def usual(self) -> tuple[Settings, dict[str, Any]]:
        """Return the usual settings, or what is nearest to them in the space.

        Returns
        -------
        Settings
            With these.
        dict
            What was chosen, by the names under which a trial knows it.
        """
        chosen: dict[str, Any] = {}
        models = self.space.get("model")
        model = self.base.model
        if isinstance(models, Choice) and model not in models:
            model = models.values[0]
        found = self.base.changed(model=model).resolved(self.scene).model_dump()
        known = found | found["recipe"]

        def pick(name: str, setting: str, variation: Choice | Range) -> Any:
            chosen[name] = nearest(variation, known[setting])
            return chosen[name]

        return self._settings(pick), chosen

    def sides(self, model: str) -> tuple[int, ...]:
        """Return the sides of patches that `model` may be given."""
        choice = self.space.get("patch_size")
        if not isinstance(choice, Choice):
            return (self.base.changed(model=model).side,)
        fitting = tuple(s for s in choice.values if takes_side(model, self._most_bands, s))
        return fitting or (self.base.changed(model=model).side,)

    def meant(self, settings: Settings) -> dict[str, Any]:
        """Return settings as a table, without what has no meaning without gradients."""
        table = settings.model_dump()
        if not learns_by_gradients(settings.model, self._most_bands):
            for name in ("recipe", "norm", "attention"):
                del table[name]
        return table

    @property
    def models(self) -> tuple[str, ...]:
        """The networks that may be chosen."""
        choice = self.space.get("model")
        return choice.values if isinstance(choice, Choice) else (self.base.model,)

    @property
    def largest_side(self) -> int:
        """The side of the largest patch that may be chosen."""
        return max(side for model in self.models for side in self.sides(model))

    @property
    def _most_bands(self) -> int:
        """As many bands as a network may get: what does not fit then does so for no fewer."""
        return max(self.scene.bands, self.base.components or 0)

    def _settings(self, pick: Pick) -> Settings:
        picks: dict[str, Any] = {}

        def ask(setting: str, variation: Choice | Range | None = None, *, name: str = "") -> None:
            if setting in self.space:
                picks[setting] = pick(name or setting, setting, variation or self.space[setting])

        ask("model")
        model = picks.get("model", self.base.model)
        if takes_attention(model, self._most_bands):
            ask("attention")
        sides = self.sides(model)
        if "patch_size" in self.space:
            every = len(sides) == len(self._all("patch_size"))
            if len(sides) > 1:
                # Choices under one name must be the same in all trials.
                name = "patch_size" if every else f"patch_size of {model}"
                ask("patch_size", Choice(sides), name=name)
            else:
                picks["patch_size"] = sides[0]
        ask("reduction")
        sofar = self.base.changed(**picks).resolved(self.scene)
        if sofar.reduction == "pca":
            ask("components")
            ask("whiten")
            ask("pca_fit")
        ask("weights")
        if learns_by_gradients(model, self._most_bands):
            ask("norm")
            for setting in Recipe.model_fields:
                if setting != "augmentation" or sofar.side > 1:
                    ask(setting)
        return self.base.changed(**picks)

    def _all(self, setting: str) -> tuple[Any, ...]:
        choice = self.space[setting]
        return choice.values if isinstance(choice, Choice) else ()


def nearest(variation: Choice | Range, value: Any) -> Any:
    """Return what of a variation is nearest to a value; of names that are others, the first.

    Examples
    --------
    >>> nearest(Choice((9, 13, 17)), 25), nearest(Choice(("se", "eca")), "none")
    (17, 'se')
    >>> nearest(Range(low=1e-4, high=1e-3, whole=False, log=True), 0.002)
    0.001
    """
    if value in variation:
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(variation, Choice):
        numbers = all(
            isinstance(each, int | float) and not isinstance(each, bool)
            for each in variation.values
        )
        if number and numbers:
            return min(variation.values, key=lambda each: abs(each - value))
        return variation.values[0]
    if not number:
        return variation.low
    inside = min(max(value, variation.low), variation.high)
    if variation.step:
        steps = round((inside - variation.low) / variation.step)
        inside = min(variation.low + variation.step * steps, variation.high)
    return round(inside) if variation.whole else float(inside)


def _suggested(trial: Trial, name: str, variation: Choice | Range) -> Any:
    if isinstance(variation, Choice):
        return trial.suggest_categorical(name, variation.values)
    if variation.whole:
        return trial.suggest_int(
            name, int(variation.low), int(variation.high), step=int(variation.step or 1),
            log=variation.log,
        )  # fmt: skip
    value = trial.suggest_float(
        name, variation.low, variation.high, step=variation.step, log=variation.log
    )
    return value if variation.step else shortened(value, variation)


def shortened(value: float, variation: Range) -> float:
    """Return `value` in few digits, within the range.

    Examples
    --------
    >>> shortened(0.00234567, Range(low=1e-4, high=1e-2, whole=False))
    0.00235
    """
    return min(max(float(f"{value:.{DIGITS}g}"), variation.low), variation.high)
