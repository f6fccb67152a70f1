"""What one process of a search does: take a trial, train, judge, write down, until all are done."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from hsi.errors import HsiError
from hsi.sampling import Split
from hsi.scenes import Scene
from hsi.training import Settings
from hsi.workflows.search.choosing import Chooser
from hsi.workflows.search.journal import Journal
from hsi.workflows.search.objective import Judged, Watch, seeds_from, train_and_judge
from hsi.workflows.search.record import Searched

if TYPE_CHECKING:
    from optuna.trial import Trial

OUT_OF_MEMORY = "not enough memory"


class Hopeless(Exception):  # noqa: N818 - an outcome, not an error
    """Ends the training of a trial that is not worth going on with."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """All that a trial needs.

    Attributes
    ----------
    scene : Scene
        Without labels of test pixels, see `hsi.workflows.search.objective.without_test_labels`.
    split : Split
        The same for all trials.
    searched : Searched
        What is searched.
    journal : Journal
        Where trials come from and go to.
    device : torch.device
        Where to compute.
    """

    scene: Scene
    split: Split
    searched: Searched
    journal: Journal
    device: torch.device

    @property
    def chooser(self) -> Chooser:
        """What makes settings of trials."""
        return Chooser(space=self.searched.space, base=self.searched.settings, scene=self.scene)

    def until(self, total: int, *, finished: Callable[[], None] | None = None) -> None:
        """Work on trials until there are `total`; call `finished` after each."""
        _, first = self.chooser.usual()
        while (trial := self.journal.claim(total, first=first)) is not None:
            self._run(trial)
            if finished:
                finished()

    def _run(self, trial: Trial) -> None:
        facts: dict[str, Any] = {}
        judged: list[Judged] = []
        start = time.perf_counter()
        try:
            settings = self.chooser.for_trial(trial).resolved(self.scene)
            facts["settings"] = _kept(settings)
            for each in seeds_from(settings, self.searched.seeds):
                # The first training shows whether a second one is worth it.
                watch = None if judged else _watch(trial)
                judged.append(
                    train_and_judge(self.scene, self.split, each, device=self.device, watch=watch)
                )
            facts |= _facts(judged)
            values = [each.accuracies[self.searched.objective] for each in judged]
            value = sum(values) / len(values)
        except Hopeless:
            seconds = round(time.perf_counter() - start, 3)
            self.journal.prune(trial, facts | {"seconds": [seconds]})
        except (MemoryError, torch.OutOfMemoryError):
            self.journal.fail(trial, OUT_OF_MEMORY, facts)
        except HsiError as error:
            self.journal.fail(trial, str(error).splitlines()[0], facts)
        except BaseException:
            self.journal.abandon(trial)
            raise
        else:
            if math.isnan(value):  # kappa of a single class
                reason = f"{self.searched.objective} has no value on these validation pixels"
                self.journal.fail(trial, reason, facts)
            else:
                self.journal.complete(trial, value, facts)


def _watch(trial: Trial) -> Watch:
    def watch(tenth: int, best: float) -> None:
        trial.report(best, tenth)
        if trial.should_prune():
            raise Hopeless

    return watch


def _kept(settings: Settings) -> dict[str, Any]:
    """Return the settings as JSON holds them, with every default filled in."""
    return settings.model_dump(mode="json")


def _facts(judged: list[Judged]) -> dict[str, Any]:
    return {
        "accuracies": [_without_nan(each.accuracies) for each in judged],
        "epochs": judged[0].epochs,
        "seconds": [each.seconds for each in judged],
        "chosen": judged[0].chosen,
    }


def _without_nan(figures: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in figures.items()}
