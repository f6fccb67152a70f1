"""What is asked of a benchmark: every combination of scenes, splits, amounts, seeds and models."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from hsi.errors import UsageError, check_name, check_whole_number
from hsi.evaluation import Cell
from hsi.evaluation.results import is_all
from hsi.report.bench_words import FIXED_SPLITS
from hsi.sampling.amounts import check_amounts
from hsi.training.split_settings import ALL, DRAWN, USUAL_SHARE
from hsi.workflows.bench.model_names import split_model_name

# Those of whole scenes need scenes that are kept for the test, which a list of scenes has not.
SPLITS = ("random", "blocks", "folds", "official", "file")
AXES = {
    "scenes": "--dataset",
    "splits": "--split",
    "train": "--train",
    "models": "--model",
    "seeds": "--seeds",
}
# What is asked for where nothing is said, of a new benchmark.
USUAL: dict[str, tuple[Any, ...]] = {"splits": DRAWN, "seeds": tuple(range(10))}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """All combinations of what the axes name; an axis that is empty is not asked for yet.

    Attributes
    ----------
    scenes : tuple of str
        Names of scenes.
    splits : tuple of str
        Of `SPLITS`.
    train : tuple of int or float
        Training pixels of each class.
    models : tuple of str
        As `split_model_name` takes them. The first is what others are compared with, if nothing
        else is said.
    seeds : tuple of int
        Of split, weights and all else that is random.

    Raises
    ------
    UsageError
        If a name is unknown, a value impossible, or something is named twice.
    """

    scenes: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    train: tuple[int | float, ...] = ()
    models: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for axis, option in AXES.items():
            values = list(getattr(self, axis))
            object.__setattr__(self, axis, tuple(values))
            # One pixel of each class, 1, is another amount than all, 1.0.
            typed = [(value, type(value)) for value in values]
            twice = [each for place, each in enumerate(typed) if each in typed[:place]]
            if twice:
                raise UsageError(f"{twice[0][0]} is named twice ({option}); name it once")
        for split in self.splits:
            check_name("split", split, SPLITS)
        for amount in self.train:
            if not is_all(amount):  # which folds can give, whatever else is kept for the test
                check_amounts(amount, 0)
        for model in self.models:
            split_model_name(model)
        for seed in self.seeds:
            check_whole_number("seed", seed)
            if seed < 0:
                raise UsageError(f"seeds are whole numbers from 0, not {seed} (--seeds)")

    def __bool__(self) -> bool:
        return any(getattr(self, axis) for axis in AXES)

    def with_scenes(self, scenes: Iterable[str]) -> Self:
        """Return this with other scenes."""
        return dataclasses.replace(self, scenes=tuple(scenes))

    def completed(self, earlier: Iterable[Asked]) -> Self:
        """Return this with empty axes filled: by all that was asked earlier, or else as usual.

        Raises
        ------
        UsageError
            If there is still no scene or no model.
        """
        earlier = list(earlier)
        filled: dict[str, tuple[Any, ...]] = {}
        for axis, option in AXES.items():
            known = dict.fromkeys(
                (value, type(value)) for each in earlier for value in getattr(each, axis)
            )
            values = getattr(self, axis) or tuple(value for value, _ in known)
            if axis == "train":
                drawn = {*filled["splits"]} & {*DRAWN}
                if drawn and not self.train:
                    # All is what splits without a choice were asked with.
                    values = tuple(amount for amount in values if not is_all(amount))
                # The same for all, so that they can be compared.
                values = values or (USUAL_SHARE if drawn else ALL,)
            filled[axis] = values or USUAL.get(axis, ())
            if not filled[axis]:
                what = "scene" if axis == "scenes" else "model"
                raise UsageError(
                    f"no {what} is named: name one or several with {option}\n"
                    f"`hsi {axis if axis == 'models' else 'scenes list'}` lists those that are "
                    "known."
                )
        return dataclasses.replace(self, **filled)

    def cells(self) -> Iterator[Cell]:
        """Yield every combination: models vary fastest, so that all have a seed before the next.

        A split that is given has its own training pixels, all of them.
        """
        for scene in self.scenes:
            for split in self.splits:
                for train in (ALL,) if split in FIXED_SPLITS else self.train:
                    for seed in self.seeds:
                        for model in self.models:
                            yield Cell(scene, split, train, seed, model)
