"""How much each setting matters: the share of the differences between trials that it explains.

A random forest learns to tell the value of a trial from its settings, and functional analysis of
variance (fANOVA) divides the variance of what it says over the whole space among the settings:
F. Hutter, H. Hoos, K. Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter
Importance", ICML 2014, https://proceedings.mlr.press/v32/hutter14.html. These are effects of each
setting by itself; what only a combination does is left over.

Such numbers say something only if the forest can tell the value of trials that it has not seen; if
it cannot, there are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.workflows.search.choosing import Chooser
from hsi.workflows.search.optional import quiet
from hsi.workflows.search.rows import Row
from hsi.workflows.search.space import Range, Space

FEWEST_TRIALS, TREES, JUDGES = 12, 64, 128
# Below this share of the variance a forest knows next to nothing of new trials.
LEAST_EXPLAINED = 0.1


@dataclass(frozen=True, kw_only=True)
class Importances:
    """How much settings matter, or why that cannot be said.

    Attributes
    ----------
    shares : dict
        By setting, the largest first; sums to 1. Empty if they cannot be told.
    explained : float or None
        The share of the variance between trials that the forest tells of those it has not seen.
    trials : int
        That it learned from.
    reason : str
        Why there are no shares; empty if there are.
    """

    shares: dict[str, float]
    explained: float | None
    trials: int
    reason: str = ""

    def as_table(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "method": "fANOVA",
            "trials": self.trials,
            "explained": self.explained,
            "shares": self.shares,
            "reason": self.reason or None,
        }


def find_importances(rows: Sequence[Row], chooser: Chooser) -> Importances:
    """Return how much the settings of a space matter.

    Parameters
    ----------
    rows : sequence of Row
        Of these, the complete ones count. Those that were ended early have no value that could be
        compared.
    chooser : Chooser
        Of the search.
    """
    complete = [row for row in rows if row.value is not None and row.settings is not None]
    values = np.array([row.value for row in complete], dtype=np.float64)
    count = len(complete)

    def none(reason: str, explained: float | None = None) -> Importances:
        return Importances(shares={}, explained=explained, trials=count, reason=reason)

    if count < FEWEST_TRIALS:
        trials = "1 complete trial is" if count == 1 else f"{count} complete trials are"
        return none(f"{trials} too few; it takes {FEWEST_TRIALS}")
    if np.ptp(values) == 0:
        return none("all complete trials are equally good")
    columns = _columns(complete, chooser.space)
    if not columns:
        return none("no setting has two values in the complete trials")
    explained = _explained(columns, values)
    if explained < LEAST_EXPLAINED:
        return none(
            "the settings do not tell how good a trial is that was not seen; more trials may",
            explained,
        )
    return Importances(
        shares=_shares(complete, columns), explained=round(explained, 3), trials=count
    )


@dataclass(frozen=True, kw_only=True)
class _Column:
    """The values of one setting in all trials.

    Of a range they are numbers, those of a logarithmic one as logarithms; else they are names,
    whatever they are.
    """

    values: list[Any]
    ends: tuple[float, float] | None
    """Of the range."""

    @property
    def features(self) -> NDArray[np.float64]:
        """``(trials, features)``: numbers as they are, each name as a column of its own."""
        if self.ends:
            return np.array(self.values, dtype=np.float64)[:, None]
        names = np.array(self.values)
        return (names[:, None] == np.unique(names)[None]).astype(np.float64)


def _columns(rows: Sequence[Row], space: Space) -> dict[str, _Column]:
    """Return the settings that vary between trials."""
    columns = {}
    for name, variation in space.items():
        values = [row.setting(name) for row in rows]
        ends = None
        if isinstance(variation, Range) and None not in values:
            scale = np.log if variation.log else float
            values = [float(scale(value)) for value in values]
            low, high = float(scale(variation.low)), float(scale(variation.high))
            # What a network was not asked for stays at its default, which may lie outside.
            ends = min(low, *values), max(high, *values)
        else:
            values = [str(value) for value in values]
        if len(set(values)) > 1:
            columns[name] = _Column(values=values, ends=ends)
    return columns


def _explained(columns: Mapping[str, _Column], values: NDArray[np.float64]) -> float:
    """Return R squared of a forest on trials that it has not seen."""
    from sklearn.ensemble import RandomForestRegressor

    features = np.concatenate([column.features for column in columns.values()], axis=1)
    # Each tree leaves out a third of the trials, of which it is asked then.
    forest = RandomForestRegressor(JUDGES, oob_score=True, random_state=0)
    return float(forest.fit(features, values).oob_score_)


def _shares(rows: Sequence[Row], columns: Mapping[str, _Column]) -> dict[str, float]:
    import optuna
    from optuna.distributions import (
        BaseDistribution,
        CategoricalDistribution,
        FloatDistribution,
    )

    # A study of its own, in which every trial has every setting, also those that were not asked
    # for, since they have no choice for its network.
    distributions: dict[str, BaseDistribution] = {
        name: FloatDistribution(*column.ends)
        if column.ends
        else CategoricalDistribution(tuple(dict.fromkeys(column.values)))
        for name, column in columns.items()
    }
    with quiet():
        study = optuna.create_study(direction="maximize")
        for place, row in enumerate(rows):
            study.add_trial(
                optuna.trial.create_trial(
                    params={name: column.values[place] for name, column in columns.items()},
                    distributions=distributions,
                    value=row.value,
                )
            )
        found = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.FanovaImportanceEvaluator(n_trees=TREES, seed=0)
        )
    return {name: round(float(share), 4) for name, share in found.items()}
