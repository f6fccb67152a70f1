"""Which model of a group is ahead of all others, judged by what all of them were trained on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from hsi.evaluation.results import Group, Result


def shared_seeds(results: Iterable[Result], *, measure: str) -> tuple[int, ...]:
    """Return the seeds of one group with which every model was trained, on equal splits.

    Means over other seeds are of other splits: they do not say which model is ahead.
    """
    by_seed: dict[int, dict[str, str]] = {}
    models = set()
    for result in results:
        if result.figures.get(measure) is not None:
            models.add(result.cell.model)
            by_seed.setdefault(result.cell.seed, {})[result.cell.model] = result.split_hash
    return tuple(
        seed
        for seed, hashes in sorted(by_seed.items())
        if hashes.keys() == models and len(set(hashes.values())) == 1
    )


def means_over(
    seeds: Collection[int], results: Iterable[Result], *, measure: str
) -> dict[str, float]:
    """Return the mean of each model of one group over these seeds."""
    values: dict[str, list[float]] = {}
    for result in results:
        value = result.figures.get(measure)
        if value is not None and result.cell.seed in seeds:
            values.setdefault(result.cell.model, []).append(value)
    return {model: float(np.mean(each)) for model, each in values.items()}


def best_model(results: Sequence[Result], *, measure: str) -> str | None:
    """Return the model of one group with the highest mean over the seeds that all have.

    None if none has the figure, or no seed is of all.
    """
    means = means_over(shared_seeds(results, measure=measure), results, measure=measure)
    return max(means, key=means.__getitem__) if means else None


@dataclass(frozen=True, kw_only=True)
class SimpleLead:
    """A simple baseline that is ahead of every other model where test and training are disjoint.

    Attributes
    ----------
    group : Group
        Where.
    model, other : str
        The baseline, and the best of the others.
    mean, other_mean : float
        Of the figure, over `seeds`.
    seeds : tuple of int or None
        Those that all models have; None: there are no others.
    pairs : int
        Of a baseline and another model, of which these were chosen.
    """

    group: Group
    model: str
    other: str
    mean: float
    other_mean: float
    seeds: tuple[int, ...] | None = None
    pairs: int = 1


def simple_leads(
    results: Iterable[Result], *, simple: Collection[str], measure: str
) -> list[SimpleLead]:
    """Return the groups in other places than those of the training in which a baseline leads.

    Over the seeds that all models have; without any, nothing is known.
    """
    groups: dict[Group, list[Result]] = {}
    for result in results:
        groups.setdefault(result.cell.group, []).append(result)
    leads = []
    for group, members in groups.items():
        contained = [each.figures.get("contains") for each in members]
        # Pixels next to each other are no other place, even if no patch holds both.
        if group.split == "random" or any(figure is None or figure > 0 for figure in contained):
            continue
        seeds = shared_seeds(members, measure=measure)
        means = means_over(seeds, members, measure=measure)
        plain = {model: mean for model, mean in means.items() if model in simple}
        others = {model: mean for model, mean in means.items() if model not in simple}
        if not plain or not others:
            continue
        one, two = (max(each, key=each.__getitem__) for each in (plain, others))
        if plain[one] > others[two]:
            leads.append(
                SimpleLead(
                    group=group,
                    model=one,
                    other=two,
                    mean=plain[one],
                    other_mean=others[two],
                    seeds=None if {each.cell.seed for each in members} <= {*seeds} else seeds,
                    pairs=len(plain) * len(others),
                )
            )
    return leads
