"""Two benchmarks of the same models: what a change of settings does, seed by seed."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError, check_name
from hsi.evaluation import Result, Standing, compare_models
from hsi.evaluation.results import MEASURES, Group
from hsi.evaluation.standings import corrected
from hsi.files import names_apart
from hsi.toml_files import differing
from hsi.training import Run
from hsi.workflows.bench.cells import read_truth, truth_file
from hsi.workflows.bench.folder import Bench


class Compared(NamedTuple):
    """A model of two benchmarks, on one scene, split and amount."""

    model: str
    standing: Standing
    """Its model and its reference are the names of the benchmarks."""

    @property
    def differs(self) -> bool:
        """Whether any seed came to another figure."""
        return self.standing.difference.mean != 0 or self.standing.difference.spread > 0


class SideBySide(NamedTuple):
    """How the models of one benchmark stand to those of the same name in another."""

    names: tuple[str, str]
    """Of the two benchmarks."""
    compared: list[Compared]
    """The first minus the second, on the splits and seeds that both have. All with several seeds
    are corrected for, as comparisons of one table."""
    same: tuple[str, ...]
    """Models that came to the same wherever they were compared, and are left out above: they have
    most likely nothing of what was changed."""
    settings: tuple[dict[str, object], dict[str, object]]
    """Those of each in which they differ."""
    scenes: tuple[str, ...]
    """Sentences on scenes whose values, or bands, are not the same in both."""


def compare_benches(first: Bench, second: Bench, *, measure: str = "oa") -> SideBySide:
    """Compare every model of a benchmark with itself in another, on the splits that both have.

    Parameters
    ----------
    first, second : Bench
        Of the same scenes, and unlike settings: another recipe, dropout, number of components.
    measure : {"oa", "aa", "kappa"}
        What is compared.

    Raises
    ------
    UsageError
        If they are the same folder, have no training of the same model on the same split, or
        scenes of one name have other labels.
    """
    check_name("measure", measure, MEASURES)
    if first.out.resolve() == second.out.resolve():
        raise UsageError(f"{first.out} is compared with itself; name two benchmarks")
    names = names_apart(first.out, second.out)
    together: dict[tuple[Group, str], list[Result]] = {}
    for bench, name in ((first, names[0]), (second, names[1])):
        for cell, result in bench.results.items():
            renamed = dataclasses.replace(result, cell=cell._replace(model=name))
            together.setdefault((cell.group, cell.model), []).append(renamed)
    found = [
        Compared(model, standing)
        for (_, model), results in together.items()
        for standing in compare_models(results, reference=names[1], measure=measure, right=_unknown)
    ]
    if not found:
        raise UsageError(
            f"no model was trained on one and the same split in {first.out} and {second.out}\n"
            "Name the same scenes, models, --split, --train and --seeds for both; for blocks and "
            "folds the same --guard, too."
        )
    scenes = dict.fromkeys(each.standing.group.scene for each in found)
    for scene in scenes:
        _check_labels(scene, first, second)
    changed = {each.model for each in found if each.differs}
    compared = [each for each in found if each.model in changed]
    standings = corrected(each.standing for each in compared)
    return SideBySide(
        names=names,
        compared=[
            each._replace(standing=standing)
            for each, standing in zip(compared, standings, strict=True)
        ],
        same=tuple(dict.fromkeys(each.model for each in found if each.model not in changed)),
        settings=_differing(first, second),
        scenes=tuple(
            note for scene in scenes for note in _scene_notes(scene, first, second, names)
        ),
    )


def _unknown(result: Result) -> NDArray[np.bool_] | None:
    """Return that maps are not looked at: seeds are what tells settings apart."""
    return None


def _check_labels(scene: str, first: Bench, second: Bench) -> None:
    if not all(truth_file(bench.out, scene).is_file() for bench in (first, second)):
        return
    if not np.array_equal(read_truth(first.out, scene), read_truth(second.out, scene)):
        raise UsageError(
            f"{scene} has other labels in {first.out} than in {second.out}\n"
            "Only trainings on one scene can be compared."
        )


def _scene_notes(scene: str, first: Bench, second: Bench, names: tuple[str, str]) -> list[str]:
    """Say so if the trainings of both are not of the same values: another file, or other bands."""
    cubes = []
    for bench in (first, second):
        folder = next(each.folder for cell, each in bench.results.items() if cell.scene == scene)
        cubes.append(Run(bench.out / folder).cube)
    if cubes[0] == cubes[1]:
        return []
    one, two = first.plan.sources[scene], second.plan.sources[scene]
    listed = "; ".join(
        f"{name} is {one.get(name, 'not set')} and {two.get(name, 'not set')}"
        for name in differing(one, two)
    )
    how = f" ({listed})" if listed else ""
    return [
        f"{scene} has other values in {names[0]} than in {names[1]}{how}: that is part of the "
        "difference."
    ]


def _differing(first: Bench, second: Bench) -> tuple[dict[str, object], dict[str, object]]:
    one, two = first.plan.settings, second.plan.settings
    names = differing(one, two)
    before, after = ({n: each[n] for n in names if n in each} for each in (one, two))
    return before, after
