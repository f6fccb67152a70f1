"""What a benchmark consists of: trainings on the same splits, and the figures of each."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Amount = int | float
"""Training pixels of each class: a fraction below 1, or a number."""

MEASURES = ("oa", "aa", "kappa")


def is_all(train: Amount) -> bool:
    """Return whether an amount stands for all pixels of each class; 1 stands for one of each.

    Examples
    --------
    >>> is_all(1.0), is_all(1), is_all(0.5)
    (True, False, False)
    """
    return isinstance(train, float) and train == 1


def _are_equal(one: tuple[object, ...], other: object) -> bool:
    """Return whether two groups or cells are equal, with amounts of one type."""
    return (
        isinstance(other, tuple)
        and tuple.__eq__(one, other)
        and [type(value) for value in one] == [type(value) for value in other]
    )


class Group(NamedTuple):
    """What models are compared on: a scene, a way to split it, and an amount of training.

    One pixel of each class, 1, is another amount than all of them, 1.0: groups are equal only if
    their amounts are of one type.
    """

    scene: str
    split: str
    train: Amount

    def __eq__(self, other: object) -> bool:
        return _are_equal(self, other)

    def __ne__(self, other: object) -> bool:
        return not _are_equal(self, other)

    def __hash__(self) -> int:
        return tuple.__hash__(self)


class Cell(NamedTuple):
    """One training of a benchmark; as for `Group`, 1 is another amount than 1.0."""

    scene: str
    split: str
    train: Amount
    seed: int
    model: str

    def __eq__(self, other: object) -> bool:
        return _are_equal(self, other)

    def __ne__(self, other: object) -> bool:
        return not _are_equal(self, other)

    def __hash__(self) -> int:
        return tuple.__hash__(self)

    @property
    def group(self) -> Group:
        """All but seed and model."""
        return Group(self.scene, self.split, self.train)


class ClassResult(NamedTuple):
    """How one class was found: its accuracy is None where none of its pixels was tested."""

    id: int
    name: str
    accuracy: float | None
    pixels: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """The figures of one finished training.

    Attributes
    ----------
    cell : Cell
        Which it is.
    figures : dict
        ``oa``, ``aa``, ``kappa`` (fractions), ``contains``, ``shares`` (of the overlap audit, at
        the patch size of the model), ``train_oa`` (of the training pixels), ``train_seconds``,
        ``test_seconds`` (the map of the whole scene), ``parameters``, ``macs`` (multiply-adds for
        one patch), ``train_pixels``, ``validation_pixels``, ``test_pixels``; None where there is
        no such figure.
    classes : tuple of ClassResult
        In the order of their ids.
    split_hash : str
        Equal for equal masks: only results on one split are compared in pairs.
    patch_size : int
        Side of the model's patches in pixels.
    device, threads : str, int
        What it was computed with.
    versions : dict
        Of Python and of packages.
    notes : tuple of str
        Of the split.
    folder : str
        The run, relative to the benchmark's folder.
    remarks : tuple of str
        What one must know of what was learned.
    """

    cell: Cell
    figures: dict[str, float | int | None]
    classes: tuple[ClassResult, ...]
    split_hash: str
    patch_size: int
    device: str
    threads: int
    versions: dict[str, str]
    notes: tuple[str, ...]
    folder: str
    remarks: tuple[str, ...] = ()


class Repeated(NamedTuple):
    """A figure over several trainings."""

    number: int
    mean: float
    spread: float | None
    """Sample standard deviation (n - 1 degrees of freedom); None for a single training."""


def repeated(values: Iterable[float | int | None]) -> Repeated | None:
    """Return mean and sample standard deviation of those values that are there.

    None if there are none.

    Examples
    --------
    >>> repeated([2.0, None, 4.0, 6.0])
    Repeated(number=3, mean=4.0, spread=2.0)
    >>> repeated([0.5])
    Repeated(number=1, mean=0.5, spread=None)
    """
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    known = known[np.isfinite(known)]
    if not known.size:
        return None
    if (known == known[0]).all():  # the mean of equal values is not what rounding makes of it
        return Repeated(known.size, float(known[0]), None if known.size == 1 else 0.0)
    return Repeated(known.size, math.fsum(known) / known.size, float(known.std(ddof=1)))


class ClassSummary(NamedTuple):
    """A class over several trainings."""

    id: int
    name: str
    accuracy: Repeated | None
    pixels: Repeated
    """Tested."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One model on one scene, split and amount, over its seeds.

    Attributes
    ----------
    group, model
        Which.
    seeds : tuple of int
        Ascending.
    figures : dict
        As those of `Result`; None where no training has the figure.
    classes : tuple of ClassSummary
        In the order of their ids.
    patch_sizes : tuple of int
        Sides of the patches; one, unless trainings differ.
    """

    group: Group
    model: str
    seeds: tuple[int, ...]
    figures: dict[str, Repeated | None]
    classes: tuple[ClassSummary, ...]
    patch_sizes: tuple[int, ...]


def summarise_results(results: Iterable[Result]) -> list[Summary]:
    """Return a summary for each group and model, in the order in which they first come."""
    together: dict[tuple[Group, str], list[Result]] = {}
    for result in results:
        together.setdefault((result.cell.group, result.cell.model), []).append(result)
    return [_summary(group, model, each) for (group, model), each in together.items()]


def _summary(group: Group, model: str, results: list[Result]) -> Summary:
    results = sorted(results, key=lambda result: result.cell.seed)
    names = dict.fromkeys(name for result in results for name in result.figures)
    by_id: dict[int, list[ClassResult]] = {}
    for result in results:
        for each in result.classes:
            by_id.setdefault(each.id, []).append(each)
    classes = []
    for each_id, found in sorted(by_id.items()):
        pixels = repeated(each.pixels for each in found)
        assert pixels is not None  # a count is always there
        accuracy = repeated(each.accuracy for each in found)
        classes.append(ClassSummary(each_id, found[0].name, accuracy, pixels))
    return Summary(
        group=group,
        model=model,
        seeds=tuple(result.cell.seed for result in results),
        figures={name: repeated(result.figures.get(name) for result in results) for name in names},
        classes=tuple(classes),
        patch_sizes=tuple(sorted({result.patch_size for result in results})),
    )
