"""The folder of a benchmark: every model on every scene, split, amount of training and seed.

::

    bench.toml              the plan: what was asked for, and the settings that all cells share
    runs/SCENE/SPLIT-TRAIN/MODEL/seedN/    the run of each cell
    truth/SCENE.npy         labels, by which maps are compared without the scene
    results.json            all figures, summaries, comparisons, failures
    results.csv             a row for each cell
    summary.csv             a row for each mean
    results.tex, results.md the tables, and what follows from them
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import RunError, UsageError, check_name, unknown_name
from hsi.evaluation import Cell, Result
from hsi.evaluation.findings import BEST, FIRST, Findings, find
from hsi.evaluation.results import MEASURES, Amount
from hsi.files import check_possible_folder
from hsi.report.bench_words import FIXED_SPLITS
from hsi.scenes import Scene
from hsi.sums import NAME as SUMS
from hsi.training import Run
from hsi.workflows.bench.about import about
from hsi.workflows.bench.asked import Asked
from hsi.workflows.bench.cells import (
    folder_of,
    hash_of,
    is_finished,
    read_result,
    read_truth,
    right_pixels,
    truth_file,
)
from hsi.workflows.bench.plan import Plan
from hsi.workflows.bench.shared_settings import settled
from hsi.workflows.bench.splits import Splits
from hsi.workflows.bench.written import read_failures, write_results
from hsi.workflows.splitting import check_classes

# Whether there is such a split does not depend on the seed.
SURE_SPLITS = (*FIXED_SPLITS, "random")
# Baselines that are no networks: they look at the spectrum of one pixel.
SIMPLE = ("svm", "random-forest", "knn", "logistic-regression")


class Bench:
    """The folder of a benchmark, which need not be there yet.

    Parameters
    ----------
    out : Path
        The folder.

    Attributes
    ----------
    plan : Plan
        What it holds or is to hold; empty at first.
    results : dict of Cell to Result
        Of the finished trainings.
    failures : dict of Cell to str
        Of those that could not be done, with the reason.

    Raises
    ------
    RunError
        If something in the folder is damaged, or it holds something else.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        check_possible_folder(out)
        # In this order: whoever begins a benchmark meanwhile writes its plan first.
        others = _holds_else(out)
        plan = Plan.read(out)
        if plan is None and others:
            raise RunError(
                f"{out} is not empty, and holds no benchmark\nName another folder (--out)."
            )
        self.plan = plan or Plan()
        self.results: dict[Cell, Result] = {}
        self.failures: dict[Cell, str] = read_failures(out)
        self._right: dict[Cell, NDArray[np.bool_] | None] = {}
        self._read()

    def _read(self) -> None:
        """Read what is finished and not known yet."""
        for cell in self.plan.cells():
            if cell not in self.results and is_finished(self.out, cell):
                self.take(cell)

    def take(self, cell: Cell, reason: str | None = None) -> None:
        """Take in the result of a training, or the reason why there is none."""
        if reason is None:
            self.results[cell] = read_result(self.out, cell)
            self.failures.pop(cell, None)
        else:
            self.failures[cell] = reason

    def catch_up(self) -> None:
        """Take in what other processes have finished, or failed with, since."""
        self._read()
        for cell, reason in read_failures(self.out).items():
            if cell not in self.results:
                self.failures.setdefault(cell, reason)

    def largest_side(self, models: Iterable[str], settings: Mapping[str, Any]) -> int:
        """Return the side of the largest patches of models with these settings, in pixels."""
        plan = dataclasses.replace(self.plan, settings=self.plan.settings | settled(settings))
        return max((plan.side_of(model) for model in models), default=1)

    def ask(
        self,
        asked: Asked,
        scenes: Mapping[str, Scene],
        *,
        settings: Mapping[str, Any],
        guard: int | None = None,
        command: str | None = None,
    ) -> list[Cell]:
        """Extend the plan, in memory, and return the cells that are asked for.

        Parameters
        ----------
        asked : Asked
            Complete (see `Asked.completed`).
        scenes : mapping of str to Scene
            The scenes that it names.
        settings : mapping
            Settings that all cells share, as for `hsi.Settings.changed`.
        guard : int, optional
            Pixels between training and test on blocks and folds, if it is to be more than what the
            largest patches need.
        command : str, optional
            To be written down.

        Returns
        -------
        list of Cell
            Those in `results` are finished.

        Raises
        ------
        UsageError
            If it does not fit what the folder holds, or settings do not fit a model.
        RunError
            If the labels or the values of a scene are no longer the same.
        """
        for name in asked.scenes:
            if scenes[name].labels is None:
                raise UsageError(f"{name} has no labels to learn from; name them with --labels")
            check_classes(scenes[name])
        plan = self.plan.extended(
            asked,
            sources={name: scenes[name].source for name in asked.scenes},
            settings=settings,
            guard=guard,
            command=command,
            binding=bool(self.results),
        )
        for name in asked.scenes:
            self._check_truth(name, scenes[name])
            self._check_cube(name, scenes[name])
        wanted = set(asked.cells())
        cells = [cell for cell in plan.cells() if cell in wanted]
        for cell in cells:
            plan.settings_of(cell)  # refuses what no model can be given
        splits = Splits(self.out, plan, scenes)
        self._check_splits(splits, cells)
        self._check_files(splits, cells)
        self.plan = plan
        self._read()
        return cells

    def _check_splits(self, splits: Splits, cells: Sequence[Cell]) -> None:
        """Refuse a split that none of the scenes has, whatever the seed."""
        # Of every other kind, another seed may find what this one does not.
        first = {cell.group: cell for cell in reversed(cells) if cell.split in SURE_SPLITS}
        alike: dict[tuple[str, Amount], list[Cell]] = {}
        for cell in first.values():
            alike.setdefault((cell.split, cell.train), []).append(cell)
        for each in alike.values():
            reasons = [why for cell in each if (why := splits.why_none(cell))]
            if len(reasons) == len(each):
                raise reasons[0]

    def _check_files(self, splits: Splits, cells: Sequence[Cell]) -> None:
        """Refuse to go on with a file of a split that is no longer what it was."""
        asked = {cell.scene for cell in cells if cell.split == "file" and cell not in self.results}
        for name in asked:
            of_file = (c for c in self.results if (c.scene, c.split) == (name, "file"))
            done = next(of_file, None)
            if done and hash_of(splits.made(done)) != self.results[done].split_hash:
                file = splits.plan.settings["split_file"]
                raise RunError(
                    f"{file} no longer holds the split that {self.out} was begun with; was it "
                    "changed?\nName another folder (--out)."
                )

    def _check_truth(self, name: str, scene: Scene) -> None:
        assert scene.labels is not None  # else it is refused
        if not truth_file(self.out, name).is_file():
            return
        if not np.array_equal(read_truth(self.out, name), scene.labels):
            raise RunError(
                f"the labels of {name} are not those that {self.out} was begun with; was their "
                "file changed?\nName another folder (--out)."
            )

    def _check_cube(self, name: str, scene: Scene) -> None:
        done = next((cell for cell in self.results if cell.scene == name), None)
        if done is None:
            return
        try:
            Run(folder_of(self.out, done)).check_cube(scene)
        except RunError as error:
            raise RunError(f"{error}\nName another folder (--out).") from error

    def findings(self, *, measure: str = "oa", against: str = FIRST) -> Findings:
        """Return what follows from the results.

        Parameters
        ----------
        measure : {"oa", "aa", "kappa"}
            What is compared.
        against : str
            ``"first"`` model, ``"best"`` of each table, or the name of one.

        Raises
        ------
        UsageError
            If one of them is unknown.
        """
        check_name("measure", measure, MEASURES)
        models = self.plan.models
        if against not in (FIRST, BEST, *models):
            raise unknown_name("model to compare with", against, [FIRST, BEST, *models])
        cells = [cell for cell in self.plan.cells() if cell in self.results]
        groups = {group: place for place, group in enumerate(dict.fromkeys(c.group for c in cells))}
        # In a group, models as they were named: the first is the first.
        cells.sort(key=lambda cell: (groups[cell.group], models.index(cell.model), cell.seed))
        return find(
            [self.results[cell] for cell in cells],
            right=self._right_of,
            measure=measure,
            against=against,
            simple=SIMPLE,
        )

    def _right_of(self, result: Result) -> NDArray[np.bool_] | None:
        if result.cell not in self._right:
            self._right[result.cell] = right_pixels(self.out, result)
        return self._right[result.cell]

    def write(self, findings: Findings) -> None:
        """Write all tables.

        Raises
        ------
        RunError
            If that is not possible.
        """
        facts = about(self.plan, findings.results)
        try:
            write_results(self.out, findings, self.failures, facts=facts)
        except OSError as error:
            raise RunError(f"cannot write the results to {self.out}: {error.strerror}") from error


def _holds_else(out: Path) -> bool:
    """Return whether a folder holds more than an interruption may leave before there is a plan.

    Files there may have names of results.
    """
    others = out.iterdir() if out.is_dir() else ()
    return any(each.name != SUMS and not each.name.startswith(".") for each in others)
