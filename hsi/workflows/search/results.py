"""What a search leaves in its folder: the recipe, a table of the trials, figures.

::

    recipe.toml       the best settings, for `hsi train --recipe`
    trials.csv        a row for each finished trial
    search.json       what was searched, the best trial, how much settings matter
    history.png       what each trial came to
    importance.png    how much settings matter, if that can be told
    split.npz         training and validation pixels of all trials, and the test
    search.journal    all that happened; a search is continued by it
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from hsi.files import write_text
from hsi.report import save_figure
from hsi.report.numbers import percent
from hsi.report.search_charts import history_figure, importance_figure
from hsi.training.recipe_file import write_recipe
from hsi.workflows.products import versions
from hsi.workflows.search.importance import Importances, find_importances
from hsi.workflows.search.journal import TABLE, Journal, Tally, tally
from hsi.workflows.search.prepare import Prepared
from hsi.workflows.search.record import write_searched
from hsi.workflows.search.rows import Row, finished_rows, ranked

MEASURED = {"aa": "average accuracy", "oa": "overall accuracy", "kappa": "kappa"}


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchResult:
    """What was found so far.

    Attributes
    ----------
    path : Path
        The folder.
    objective : str
        What the trials were judged by.
    rows : list of Row
        The finished trials, in the order in which they were begun.
    tally : Tally
        How many trials there are, by what became of them.
    importances : Importances
        How much settings matter.
    settings : dict
        The split and seed of all trials.
    validation_pixels : int
        That they were judged by.
    searched : tuple of str
        The names of the settings that were chosen.
    notes : tuple of str
        What one must know to read the results.
    """

    path: Path
    objective: str
    rows: list[Row]
    tally: Tally
    importances: Importances
    settings: dict[str, Any]
    validation_pixels: int
    searched: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def ranked(self) -> list[Row]:
        """The complete trials, the best first."""
        return ranked(self.rows)

    @property
    def best(self) -> Row | None:
        """The best trial; None if none is complete."""
        return next(iter(self.ranked), None)

    @property
    def usual(self) -> Row | None:
        """The trial with the usual settings, or what is nearest to them; None until it is done."""
        return next((row for row in self.rows if row.usual), None)

    @property
    def recipe(self) -> Path:
        """The file with the settings of the best trial."""
        return self.path / "recipe.toml"

    def as_table(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "trials": self.tally._asdict(),
            "best": None if self.best is None else row_table(self.best, self.searched),
            "usual": None if self.usual is None else row_table(self.usual, self.searched),
            "validation_pixels": self.validation_pixels,
            "importances": self.importances.as_table(),
            "failures": failures(self.rows),
            "notes": list(self.notes),
            "versions": versions("optuna", "scikit-learn"),
        }


def collect(folder: Path, prepared: Prepared, journal: Journal) -> SearchResult:
    """Return what the trials of a search have come to."""
    searched, trials = prepared.searched, journal.trials
    rows = finished_rows(trials, objective=searched.objective)
    chosen = searched.settings.model_dump()
    kept = ("split", "split_file", "folds", "guard", "train", "validation", "seed")
    return SearchResult(
        path=folder,
        objective=searched.objective,
        rows=rows,
        tally=tally(trials),
        importances=find_importances(rows, prepared.chooser),
        settings={name: chosen[name] for name in kept},
        validation_pixels=searched.split["validation_pixels"],
        searched=tuple(searched.space),
        notes=prepared.notes,
    )


def write_results(folder: Path, prepared: Prepared, journal: Journal) -> SearchResult:
    """Write all files of a search but its journal, each of them whole or not at all."""
    # One process after the other, so that the last to write has read what all have done.
    with journal.claiming():
        journal.void_abandoned()
        result = collect(folder, prepared, journal)
        if result.best is not None and result.best.settings is not None:
            write_recipe(
                result.recipe,
                prepared.chooser.meant(result.best.settings),
                comments=_head(result, prepared),
            )
        if result.rows:
            write_text(folder / TABLE, _csv(result))
            save_figure(
                history_figure(
                    [row.number for row in result.rows],
                    [row.value for row in result.rows],
                    [row.outcome for row in result.rows],
                    measure=f"{MEASURED[result.objective].capitalize()} in validation",
                ),
                folder / "history.png",
            )
        picture = folder / "importance.png"
        if result.importances.shares:
            save_figure(importance_figure(result.importances.shares, title=_bars(result)), picture)
        else:
            picture.unlink(missing_ok=True)  # of fewer trials, which seemed to tell more
        write_searched(folder, prepared.searched.as_table(), **result.as_table())
    return result


def row_table(row: Row, names: Sequence[str]) -> dict[str, Any]:
    """Return a trial with the settings of these names, in one level."""
    own: dict[str, Any] = dict.fromkeys(names)
    if row.settings is not None:
        own = {name: row.told(name) for name in names}
    return {
        "number": row.number,
        "outcome": row.outcome,
        "value": row.value,
        "spread": row.spread,
        **row.accuracies,
        "epochs": row.epochs,
        "seconds": row.seconds,
        **own,
        "reason": row.reason,
    }


def failures(rows: Sequence[Row]) -> dict[str, int]:
    """Return why trials failed, and how many did for that reason, the most frequent first."""
    counts: dict[str, int] = {}
    for row in rows:
        if row.reason is not None:
            counts[row.reason] = counts.get(row.reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _csv(result: SearchResult) -> str:
    rows = [row_table(row, result.searched) for row in result.rows]
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue()


def _bars(result: SearchResult) -> str:
    told = percent(result.importances.explained, digits=0)
    return (
        f"fANOVA of {result.importances.trials} complete trials; the forest tells {told} % of the "
        "variance of unseen ones"
    )


def _head(result: SearchResult, prepared: Prepared) -> list[str]:
    """Return what the recipe says of where it comes from."""
    best, counts = result.best, result.tally
    assert best is not None
    spread = f" ± {percent(best.spread, digits=2)}" if best.spread is not None else ""
    split = ", ".join(f"{name} {v}" for name, v in result.settings.items() if _matters(name, v))
    labels, masks = prepared.scene.labels, prepared.split
    assert labels is not None
    learned, judged = (np.unique(labels[each]).size for each in (masks.train, masks.validation))
    of = f" of {judged} of the {learned} classes" if judged < learned else ""
    return [
        f"Found by `hsi search` on {prepared.scene.name}: {MEASURED[result.objective]} "
        f"{percent(best.value, digits=2)}{spread} % on {result.validation_pixels:,} validation "
        f"pixels{of}.",
        f"The best of {counts.finished} trials ({counts.complete} complete, {counts.pruned} ended "
        f"early, {counts.failed} failed): trial {best.number}.",
        "As the highest of many figures it is too high by some chance; the test tells.",
        f"Pixels: {split}; trainings of a trial: {prepared.searched.seeds}.",
        ", ".join(f"{name} {version(name)}" for name in ("hsi", "torch", "numpy", "optuna")) + ".",
        "",
        "hsi train --dataset NAME --recipe THIS_FILE",
    ]


def _matters(name: str, value: Any) -> bool:
    return value is not None and name not in ("folds",)
