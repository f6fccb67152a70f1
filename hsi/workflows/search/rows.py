"""Trials as rows of a table, and the best of them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import TYPE_CHECKING, Any

from hsi.training import Settings
from hsi.workflows.search.journal import killed_twice, outcome

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

KILLED = "its process ended twice, perhaps for want of memory"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One finished trial.

    Attributes
    ----------
    number : int
        In the order in which trials were begun.
    outcome : str
        complete, pruned or failed.
    value : float or None
        What it was judged by, the mean over seeds; of complete trials alone.
    spread : float or None
        Standard deviation over seeds, where there are several.
    accuracies : dict
        Mean of ``oa``, ``aa`` and ``kappa`` on validation pixels.
    settings : Settings or None
        All of them, with every default filled in; None where it did not come to that.
    epochs : int or None
        Of one training.
    seconds : float or None
        Of all trainings.
    reason : str or None
        Why it failed.
    usual : bool
        Whether it has the usual settings, or what is nearest to them in the space.
    asked : frozenset of str
        The settings that were chosen for it; others have no meaning for its network, or no choice.
    """

    number: int
    outcome: str
    value: float | None
    spread: float | None
    accuracies: dict[str, float | None]
    settings: Settings | None
    epochs: int | None
    seconds: float | None
    reason: str | None
    usual: bool
    asked: frozenset[str] = frozenset()

    def setting(self, name: str) -> Any:
        """Return a setting by name, one of the recipe too."""
        assert self.settings is not None
        owner = self.settings if name in type(self.settings).model_fields else self.settings.recipe
        return getattr(owner, name)

    def told(self, name: str) -> Any:
        """Return a setting by name as tables show it: None where it has no meaning for the trial.

        What all trials have is not asked for where there is no choice.
        """
        always = ("model", "patch_size")
        return self.setting(name) if name in self.asked or name in always else None


def finished_rows(
    trials: Sequence[FrozenTrial], *, objective: str, but: Container[int] = ()
) -> list[Row]:
    """Return the finished trials in the order in which they were begun.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        All that were begun.
    objective : str
        What they are judged by.
    but : container of int
        Numbers of trials that are left out.
    """
    dead = {trial.number for trial in killed_twice(trials)}
    rows = []
    for trial in trials:
        came_to = "failed" if trial.number in dead else outcome(trial)
        if came_to in ("void", "running") or trial.number in but:
            continue
        facts = trial.user_attrs
        judged = facts.get("accuracies", [])
        values = [each[objective] for each in judged]
        complete = came_to == "complete"
        rows.append(
            Row(
                number=trial.number,
                outcome=came_to,
                value=trial.value if complete else None,
                spread=stdev(values) if complete and len(values) > 1 else None,
                accuracies={
                    name: _mean(each[name] for each in judged) for name in ("oa", "aa", "kappa")
                },
                settings=Settings.from_table(facts["settings"]) if "settings" in facts else None,
                epochs=facts.get("epochs"),
                seconds=sum(facts["seconds"]) if "seconds" in facts else None,
                reason=KILLED if trial.number in dead else facts.get("reason"),
                usual=bool(facts.get("usual")),
                # Choices that differ between networks have their network's name behind their own.
                asked=frozenset(name.partition(" of ")[0] for name in trial.params),
            )
        )
    return rows


def ranked(rows: Iterable[Row]) -> list[Row]:
    """Return the complete trials, the best first.

    Of equal ones, that with the higher overall accuracy comes first, then the earlier one; times,
    which are never the same again, decide nothing.
    """

    def order(row: Row) -> tuple[float, float, int]:
        return -(row.value or 0.0), -(row.accuracies["oa"] or 0.0), row.number

    return sorted((row for row in rows if row.value is not None), key=order)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
