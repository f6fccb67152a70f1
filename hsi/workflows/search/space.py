"""What a search may choose: for each setting a list of choices, or a range.

In a file of one's own, a name has a list, a range, or a value that it keeps::

    model = ["hybridsn-dw", "ssrn"]
    patch_size = { low = 9, high = 17, step = 4 }
    learning_rate = { low = 1e-4, high = 1e-2, log = true }
    augmentation = "dihedral"
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

from hsi.errors import RunError, UsageError, check_name, unknown_name
from hsi.files import expand_home, usable_path
from hsi.layers.attention import ATTENTIONS
from hsi.models import MODELS
from hsi.toml_files import read_toml
from hsi.training import Recipe, Settings
from hsi.training.recipe_file import EXPERIMENT, TABLE

RANGE_KEYS = ("low", "high", "log", "step")
# Of choices that are not worth another search: these are the same for all trials.
MOST_CHOICES = 100


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]

    def __contains__(self, value: Any) -> bool:
        """Return whether `value` may be chosen; True is not 1."""
        return any(each == value and type(each) is type(value) for each in self.values)

    def as_table(self) -> list[Any]:
        """Return what a file holds of it."""
        return list(self.values)


@dataclass(frozen=True, kw_only=True)
class Range:
    """A number from `low` to `high`, both included.

    Attributes
    ----------
    whole : bool
        Whether it is a whole number.
    log : bool
        Whether equal ratios are equally likely, rather than equal differences.
    step : int, float or None
        Between the numbers that may be chosen, of which `high` is the last. None: any number.
    """

    low: float
    high: float
    whole: bool
    log: bool = False
    step: float | None = None

    def __contains__(self, value: Any) -> bool:
        """Return whether `value` may be chosen."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        steps = (value - self.low) / self.step if self.step else 0.0
        # A sum of steps is a little more or less than what is written.
        edge = 1e-9 * self.step if self.step else 0.0
        inside = self.low - edge <= value <= self.high + edge
        return inside and math.isclose(steps, round(steps), abs_tol=1e-9)

    def as_table(self) -> dict[str, Any]:
        """Return what a file holds of it."""
        more = ({"log": True} if self.log else {}) | ({"step": self.step} if self.step else {})
        return {"low": self.low, "high": self.high} | more


Space = dict[str, Choice | Range]


def searchable() -> list[str]:
    """Return the names of all settings that a search may choose."""
    own = [name for name in Settings.model_fields if name not in (*EXPERIMENT, TABLE)]
    return [*own, *Recipe.model_fields]


def read_space(path: str | Path) -> tuple[Space, dict[str, Any]]:
    """Read a file with a space of one's own.

    Returns
    -------
    Space
        What may be chosen.
    dict
        The settings that have one value in the file.

    Raises
    ------
    UsageError
        If the file is missing or no TOML, or names or values cannot be meant.
    """
    given = usable_path(path, "space")
    try:
        table = read_toml(expand_home(given, "space"))
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no file {given}; expected a TOML file in which settings have lists of "
            "choices or ranges (--space)"
        ) from error
    except OSError as error:
        raise RunError(f"cannot read {given}: {error.strerror}") from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise UsageError(f"{given} is no valid TOML: {error}") from error
    return space_from_table(table, where=f"{given}: ")


def space_from_table(table: Mapping[str, Any], *, where: str = "") -> tuple[Space, dict[str, Any]]:
    """Return a space, and the settings that have one value, from a table of names.

    Those of the recipe may stand in a table ``recipe`` of their own. `where` begins all messages.

    Raises
    ------
    UsageError
        As `read_space`.
    """
    inner = table.get(TABLE, {})
    if not isinstance(inner, Mapping):
        raise UsageError(f"{where}'{TABLE}' is {inner!r}; expected a table of settings")
    flat = {name: value for name, value in table.items() if name != TABLE} | dict(inner)
    space: Space = {}
    fixed: dict[str, Any] = {}
    for name, value in flat.items():
        check_searchable(name, where=where)
        variation = _variation(name, value, where)
        if isinstance(variation, Choice) and len(variation.values) == 1:
            fixed[name] = variation.values[0]
        else:
            space[name] = variation
    if {"epochs", "steps"} <= flat.keys():
        raise UsageError(f"{where}both epochs and steps say how long is trained; name one of them")
    return space, fixed


def parse_fixed(pairs: Iterable[str]) -> dict[str, Any]:
    """Return the settings of texts such as ``"steps=100"``, with values as TOML reads them.

    Raises
    ------
    UsageError
        If a text is no pair, or names or values cannot be meant.

    Examples
    --------
    >>> parse_fixed(["model=hybridsn", "steps=100", "whiten=false"])
    {'model': 'hybridsn', 'steps': 100, 'whiten': False}
    """
    fixed = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise UsageError(f"'{pair}' is no setting with a value; expected NAME=VALUE (--fix)")
        name = name.strip().replace("-", "_")
        check_searchable(name)
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text.strip()  # a name without quotes
        check_value(name, value)
        fixed[name] = value
    return fixed


def check_searchable(name: str, *, where: str = "") -> None:
    """Refuse what no search may choose, with what may have been meant."""
    if name in EXPERIMENT:
        raise UsageError(
            f"{where}'{name}' is the same for all trials, or they could not be compared\n"
            f"Give it to the command: --{name.replace('_', '-')}."
        )
    if name not in searchable():
        raise UsageError(f"{where}{unknown_name('setting', name, searchable())}")


def check_value(name: str, value: Any, *, where: str = "") -> None:
    """Refuse a value that the setting cannot have, whatever the others are."""
    try:
        if name == "model":
            check_name("model", value, MODELS, listed_by="hsi models")
        elif name == "attention":
            check_name("attention", value, ("none", *ATTENTIONS))
        Settings().changed(**{name: value})
    except UsageError as error:
        raise UsageError(f"{where}{error}") from error


def _variation(name: str, value: Any, where: str) -> Choice | Range:
    if isinstance(value, Mapping):
        return _range(name, value, where)
    values = tuple(value) if isinstance(value, list) else (value,)
    if not values:
        raise UsageError(f"{where}'{name}' has an empty list; expected one choice at least")
    for each in values:
        check_value(name, each, where=where)
    if len(set(map(repr, values))) < len(values):
        raise UsageError(f"{where}'{name}' has a choice twice: {list(values)}")
    return Choice(values)


def _range(name: str, table: Mapping[str, Any], where: str) -> Choice | Range:
    kinds = numbers_of(name)
    if not kinds:
        raise UsageError(f"{where}'{name}' is no number; expected a list of choices, not a range")
    for key in table:
        if key not in RANGE_KEYS:
            raise UsageError(f"{where}{unknown_name(f'key of {name}', key, RANGE_KEYS)}")
    if not {"low", "high"} <= table.keys():
        raise UsageError(f"{where}'{name}' needs low and high, for example {{ low = 1, high = 9 }}")
    low, high, log, step = (table.get(key) for key in RANGE_KEYS)
    for end in (low, high):
        check_value(name, end, where=where)
    if not low < high:  # type: ignore[operator]
        raise UsageError(f"{where}'{name}' runs from {low} to {high}; expected low < high")
    if not isinstance(log, bool | None):
        raise UsageError(f"{where}log of '{name}' must be true or false, not {log!r}")
    if log and (low <= 0 or step is not None):  # type: ignore[operator]
        raise UsageError(
            f"{where}'{name}' with log takes a low above 0 and no step, not low = {low}"
            + (f" and step = {step}" if step is not None else "")
        )
    whole = kinds == {int}
    if step is not None and (
        isinstance(step, bool) or not isinstance(step, int if whole else int | float) or step <= 0
    ):
        raise UsageError(f"{where}step of '{name}' must be a number above 0, not {step!r}")
    if name == "patch_size":
        return _sides(low, high, step or 2, where)  # type: ignore[arg-type]
    if step is not None:
        high = _last(low, high, step)
    return Range(low=low, high=high, whole=whole, log=bool(log), step=step)  # type: ignore[arg-type]


def _last(low: Any, high: Any, step: Any) -> Any:
    """Return the last number that steps come to, in decimals as they are written."""
    first, last, each = (Decimal(str(number)) for number in (low, high, step))
    reached = first + each * ((last - first) // each)
    return int(reached) if isinstance(high, int) and reached == int(reached) else float(reached)


def _sides(low: int, high: int, step: int, where: str) -> Choice:
    """Return odd sides of patches as choices: which of them fit depends on the network."""
    if step % 2:
        raise UsageError(
            f"{where}step of 'patch_size' must be even, since sides are odd, not {step}"
        )
    sides = tuple(range(low, high + 1, step))
    if len(sides) > MOST_CHOICES:
        raise UsageError(f"{where}'patch_size' has {len(sides)} sides; at most {MOST_CHOICES}")
    return Choice(sides)


def numbers_of(name: str) -> set[type]:
    """Return which kinds of number a setting takes: int, float, both or none."""
    field = Settings.model_fields.get(name) or Recipe.model_fields[name]
    kinds = {field.annotation, *get_args(field.annotation)}
    return {kind for kind in (int, float) if kind in kinds}


def as_table(space: Mapping[str, Choice | Range]) -> dict[str, Any]:
    """Return a space as a file holds it."""
    return {name: variation.as_table() for name, variation in space.items()}


def without(space: Space, names: Iterable[str]) -> Space:
    """Return the space without settings that are given."""
    left = set(names)
    # Who gives the steps has said how long; epochs are then no question any more.
    left |= {"epochs", "steps"} if left & {"epochs", "steps"} else set()
    return {name: variation for name, variation in space.items() if name not in left}
