"""How the models of a benchmark stand to each other: in pairs, and on other kinds of splits."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsi.evaluation.paired import McNemar, PairedDifference, holm, mcnemar, paired_difference
from hsi.evaluation.results import Amount, Group, Result
from hsi.evaluation.unpaired import UnpairedDifference, unpaired_difference

Right = Callable[[Result], NDArray[np.bool_] | None]
"""Which test pixels a result has right, in the order of rows; None where that is not known."""


@dataclass(frozen=True, kw_only=True)
class PixelTest:
    """McNemar's test of two maps of one split.

    Attributes
    ----------
    seed : int
        The split's and the trainings'.
    pixels : int
        Tested.
    mcnemar : McNemar
        Its `only_first` is the model's, its `only_second` the reference's.
    p_holm : float
        Corrected for all comparisons of the group.
    """

    seed: int
    pixels: int
    mcnemar: McNemar
    p_holm: float


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A model compared with another one on the same splits.

    Attributes
    ----------
    group, model, reference
        What is compared with what, on what.
    seeds : tuple of int
        Those that both have, on equal splits.
    difference : PairedDifference
        The model minus the reference.
    pixels : PixelTest or None
        Of the first of the seeds; None where its maps are not there.
    p_holm : float
        Of Wilcoxon's test, corrected for all comparisons that have several seeds; see `corrected`.
    comparisons : int
        How many these are.
    repeated : int
        How often both were trained to the same figure on one and the same split, where it does
        not depend on the seed: these trainings count as one. 1: they were not.
    """

    group: Group
    model: str
    reference: str
    seeds: tuple[int, ...]
    difference: PairedDifference
    pixels: PixelTest | None
    p_holm: float = math.nan
    comparisons: int = 0
    repeated: int = 1


def compare_models(
    results: Sequence[Result], *, reference: str, measure: str, right: Right
) -> list[Standing]:
    """Compare every model of one group with one of them.

    Parameters
    ----------
    results : sequence of Result
        All of one group.
    reference : str
        The model that the others are compared with.
    measure : str
        One of `MEASURES`.
    right : callable
        Asked for the maps of one seed.

    Returns
    -------
    list of Standing
        In the order in which models first come; none for models that share no split with the
        reference.
    """
    by_model: dict[str, dict[int, Result]] = {}
    for result in results:
        if result.figures.get(measure) is not None:
            by_model.setdefault(result.cell.model, {})[result.cell.seed] = result
    theirs = by_model.pop(reference, {})
    found = []
    for model, ours in by_model.items():
        seeds = tuple(
            seed
            for seed in sorted(ours.keys() & theirs.keys())
            if ours[seed].split_hash == theirs[seed].split_hash
        )
        times = _repeated([ours[seed] for seed in seeds], [theirs[seed] for seed in seeds], measure)
        seeds = seeds[:1] if times > 1 else seeds
        if seeds:
            differences = paired_difference(
                *(
                    np.array([each[seed].figures[measure] for seed in seeds], dtype=np.float64)
                    for each in (ours, theirs)
                )
            )
            pixels = _pixels(ours[seeds[0]], theirs[seeds[0]], right)
            found.append((model, seeds, times, differences, pixels))
    tested = [each for *_, each in found if each is not None]
    p_pixels = iter(holm([each.p for each, _ in tested]))
    return corrected(
        Standing(
            group=results[0].cell.group,
            model=model,
            reference=reference,
            seeds=seeds,
            difference=difference,
            pixels=pixels
            and PixelTest(
                seed=seeds[0], pixels=pixels[1], mcnemar=pixels[0], p_holm=next(p_pixels)
            ),
            repeated=times,
        )
        for model, seeds, times, difference, pixels in found
    )


def corrected(standings: Iterable[Standing]) -> list[Standing]:
    """Return standings with Wilcoxon's p corrected for all of them that have several seeds.

    A single seed is no test: it is not counted among those that are corrected for.
    """
    standings = list(standings)
    several = [each.difference.p for each in standings if each.difference.seeds > 1]
    p = iter(holm(several))
    return [
        dataclasses.replace(
            each,
            p_holm=next(p) if each.difference.seeds > 1 else each.difference.p,
            comparisons=len(several),
        )
        for each in standings
    ]


def _repeated(ours: Sequence[Result], theirs: Sequence[Result], measure: str) -> int:
    """Return how often two trainings came to the same on one split, if they always did; else 1.

    Single pixels may differ where values are chosen by a draw: that is no other trial.
    """

    def alike(results: Sequence[Result]) -> bool:
        return len({(each.split_hash, each.figures[measure]) for each in results}) == 1

    return len(ours) if len(ours) > 1 and alike(ours) and alike(theirs) else 1


def _pixels(ours: Result, theirs: Result, right: Right) -> tuple[McNemar, int] | None:
    one, two = right(ours), right(theirs)
    if one is None or two is None:
        return None
    return mcnemar(one, two), one.size


@dataclass(frozen=True, kw_only=True)
class Drop:
    """What a model loses on another kind of split.

    Attributes
    ----------
    scene, train, model
        What.
    split : str
        On which it is tested instead of on a random one.
    difference : UnpairedDifference
        The figure on random splits minus that on the others.
    """

    scene: str
    train: Amount
    model: str
    split: str
    difference: UnpairedDifference


def drops(results: Iterable[Result], *, measure: str, easy: str = "random") -> list[Drop]:
    """Return how far the figures of each model lie below those on random splits."""
    values: dict[tuple[Group, str], list[float]] = {}
    for result in results:
        value = result.figures.get(measure)
        if value is not None:
            values.setdefault((result.cell.group, result.cell.model), []).append(value)
    return [
        Drop(
            scene=group.scene,
            train=group.train,
            model=model,
            split=group.split,
            difference=unpaired_difference(before, after),
        )
        for (group, model), after in values.items()
        if group.split != easy
        and (before := values.get((group._replace(split=easy), model))) is not None
    ]
