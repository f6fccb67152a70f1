"""The trials of a search, in one file that several processes read and write at a time.

::

    FOLDER/search.journal    what was tried and what came of it, a line for each event
    FOLDER/.search/          empty files that processes lock: while they write, while they take a
                             trial, and for as long as they work

A process holds the lock of its own file while it works, so that others see whether it still lives:
a trial whose process has gone without a word is void, and another takes its place.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hsi.errors import RunError
from hsi.locks import FileLock
from hsi.workflows.search.optional import quiet

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial, Trial

FILE, LOCKS, NAME = "search.journal", ".search", "search"
# What is made of the trials, for people and tables.
TABLE = "trials.csv"
# Trials with random settings, before the others tell where to look.
AT_RANDOM = 10
# A trial goes on if it is as good as the best so many percent of the completed ones were when they
# had come as far. It takes so many of them, and so many tenths of its own training.
KEPT_PERCENT, COMPARED, FIRST_TENTH = 75.0, 5, 3


class Tally(NamedTuple):
    """How many trials there are, by what became of them."""

    complete: int
    pruned: int
    failed: int
    running: int

    @property
    def finished(self) -> int:
        """Those that count for the total."""
        return self.complete + self.pruned + self.failed


class Journal:
    """The trials of a search, open for one process.

    Parameters
    ----------
    folder : Path
        Of the search; exists.
    seed : int
        Of what is drawn.
    prune : bool
        Whether hopeless trials end early.

    Raises
    ------
    RunError
        If the file is damaged.
    """

    def __init__(self, folder: Path, *, seed: int, prune: bool) -> None:
        self.folder, self.seed = folder, seed
        self.locks = folder / LOCKS
        self.locks.mkdir(exist_ok=True)
        self._writing = FileLock(self.locks / "journal")
        self._claiming = FileLock(self.locks / "claim")
        self._alive: FileLock | None = None
        self._id = uuid.uuid4().hex
        try:
            with self._claiming:
                self.study = self._open(prune)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give all locks back."""
        if self._alive:
            with self._claiming:
                self._alive.path.unlink(missing_ok=True)
                self._alive.close()
            self._alive = None
        self._claiming.close()
        self._writing.close()

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials, void ones too, in the order in which they were begun."""
        return list(self.study.get_trials(deepcopy=False))

    @contextlib.contextmanager
    def claiming(self) -> Iterator[None]:
        """Keep other processes from taking trials, or from writing down what is searched."""
        with self._claiming:
            yield

    def claim(self, total: int, *, first: dict[str, Any]) -> Trial | None:
        """Take the next trial, or none if `total` of them are finished or being worked on.

        What is drawn for a trial depends on the seed, on how many were taken before it and on what
        came of them; so a search that is stopped and continued is that which never was.

        Parameters
        ----------
        total : int
            Of all processes together, and of all times.
        first : dict
            What the first trial of all has, instead of what is drawn: the usual settings.
        """
        with self._claiming, quiet():
            self._appear()
            self.void_abandoned()
            taken = tally(self.trials)
            index = taken.finished + taken.running
            if index >= total:
                return None
            if not _has_usual(self.trials):
                self.study.enqueue_trial(first, user_attrs={"usual": True})
            self.study.sampler = _sampler(self.seed, index)
            trial = self.study.ask()
            trial.set_user_attr("process", self._id)
            return trial

    def complete(self, trial: Trial, value: float, facts: dict[str, Any]) -> None:
        """Write down what a trial came to."""
        self._tell(trial, "COMPLETE", facts, value)

    def prune(self, trial: Trial, facts: dict[str, Any]) -> None:
        """Write down that a trial was ended early, as hopeless."""
        self._tell(trial, "PRUNED", facts)

    def fail(self, trial: Trial, reason: str, facts: dict[str, Any]) -> None:
        """Write down that nothing can come of a trial."""
        # Pruned to Optuna, which then looks elsewhere; what failed it would forget.
        self._tell(trial, "PRUNED", facts | {"reason": reason})

    def abandon(self, trial: Trial) -> None:
        """Write down that a trial was stopped from outside: another takes its place."""
        self._tell(trial, "FAIL", {"stopped": True})

    def _tell(
        self, trial: Trial, state: str, facts: dict[str, Any], value: float | None = None
    ) -> None:
        from optuna.trial import TrialState

        with quiet():
            for name, fact in facts.items():
                trial.set_user_attr(name, fact)
            self.study.tell(trial, value, state=TrialState[state])

    def _appear(self) -> None:
        """Hold a lock that says that this process lives."""
        if self._alive is None:
            self._alive = FileLock(self.locks / f"process-{self._id}")
            self._alive.acquire()

    def void_abandoned(self) -> None:
        """Write down which trials have lost their processes; only while `claiming`."""
        from optuna.trial import TrialState

        if not self._claiming.available:  # it cannot be known here
            return
        living = self._living()
        for trial in self.trials:
            if trial.state.name == "RUNNING" and trial.user_attrs.get("process") not in living:
                self.study.tell(trial.number, state=TrialState.FAIL)

    def _living(self) -> set[str]:
        """Return the processes that work on the search, and clean up after the others."""
        living = {self._id}
        for path in self.locks.glob("process-*"):
            other = path.name.removeprefix("process-")
            if other == self._id:
                continue
            lock = FileLock(path)
            if lock.acquire(wait=False):
                path.unlink(missing_ok=True)
            else:
                living.add(other)
            lock.close()
        return living

    def _open(self, prune: bool) -> Study:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileOpenLock

        from hsi.workflows.search.chained_file import ChainedFile

        path = self.folder / FILE
        # Optuna's own lock outlives a process that was killed while it held it.
        lock: Any = self._writing
        if not self._writing.available:
            lock = JournalFileOpenLock(str(path))
        pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
        if prune:
            pruner = optuna.pruners.PercentilePruner(
                KEPT_PERCENT,
                n_startup_trials=COMPARED,
                n_warmup_steps=FIRST_TENTH,
                n_min_trials=COMPARED,
            )
        try:
            with quiet():
                storage = JournalStorage(ChainedFile(path, lock))
                how: dict[str, Any] = {"study_name": NAME, "storage": storage, "pruner": pruner}
                if NAME in optuna.get_all_study_names(storage):
                    return optuna.load_study(**how)
                if (self.folder / TABLE).is_file():
                    raise RunError(
                        f"{path} is missing or empty, though {self.folder / TABLE} tells of trials"
                        "\nPut it back, or search into another folder (--out)."
                    )
                return optuna.create_study(direction="maximize", **how)
        except (ValueError, KeyError, TypeError, AssertionError) as error:
            raise RunError(
                f"{path} is damaged ({error}); search into another folder (--out)"
            ) from error


def tally(trials: Iterable[FrozenTrial]) -> Tally:
    """Count trials by what became of them; void ones do not count."""
    counts = Counter(outcome(trial) for trial in trials)
    twice = len(killed_twice(trials))
    return Tally(counts["complete"], counts["pruned"], counts["failed"] + twice, counts["running"])


def outcome(trial: FrozenTrial) -> str:
    """Return what became of a trial: complete, pruned, failed, running, or void."""
    if trial.state.name == "PRUNED" and "reason" in trial.user_attrs:
        return "failed"
    known = {"COMPLETE": "complete", "PRUNED": "pruned", "RUNNING": "running"}
    return known.get(trial.state.name, "void")


def killed_twice(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Return each second trial that took its process with it with the same settings.

    It would do so for ever; so it counts as one that failed.
    """
    seen: Counter[str] = Counter()
    again = []
    for trial in trials:
        if trial.state.name == "FAIL" and not trial.user_attrs.get("stopped"):
            chosen = json.dumps(trial.params, sort_keys=True)
            seen[chosen] += 1
            if seen[chosen] % 2 == 0:
                again.append(trial)
    return again


def _has_usual(trials: Iterable[FrozenTrial]) -> bool:
    """Return whether the usual settings are tried, or have been in vain, twice."""
    usual = [trial for trial in trials if trial.user_attrs.get("usual")]
    void = [trial for trial in usual if trial.state.name == "FAIL"]
    return len(void) < len(usual) or bool(killed_twice(void))


def _sampler(seed: int, index: int) -> Any:
    """Return what draws the trial of number `index`, whoever draws it."""
    from optuna.samplers import TPESampler

    mixed = int(np.random.SeedSequence([seed, index]).generate_state(1)[0])
    return TPESampler(
        n_startup_trials=AT_RANDOM, multivariate=True, group=True, constant_liar=True, seed=mixed
    )
