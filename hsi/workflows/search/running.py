"""A search from its beginning, or from where it was stopped, to the files that it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import torch

from hsi.atomic import MARK
from hsi.errors import HsiError, RunError, UsageError, check_whole_number
from hsi.files import check_possible_folder, usable_path
from hsi.inference import resolve_device
from hsi.locks import FileLock
from hsi.scenes import Scene
from hsi.sums import NAME as SUMS
from hsi.sums import begin_sums
from hsi.training import Settings
from hsi.workflows.cluster import Cluster
from hsi.workflows.search.journal import LOCKS, Journal, Tally, tally
from hsi.workflows.search.objective import Objective, check_objective
from hsi.workflows.search.on_workers import work_on_cluster
from hsi.workflows.search.optional import check_optuna
from hsi.workflows.search.prepare import Prepared, prepare
from hsi.workflows.search.processes import work_in_processes
from hsi.workflows.search.record import SPLIT, is_search, write_searched, write_split
from hsi.workflows.search.results import SearchResult, failures, write_results
from hsi.workflows.search.rows import Row, finished_rows, ranked
from hsi.workflows.search.space import Space, space_from_table
from hsi.workflows.search.work import Work


class SearchProgress(Protocol):
    """What is told while a search goes on."""

    def begun(self, best: Row | None, tally: Tally, total: int, notes: Sequence[str]) -> None:
        """Take note of what was done before, and of what must be said of the pixels."""

    def finished(self, row: Row, tally: Tally) -> None:
        """Take note of a trial that was finished since, by any process."""


def search(
    scene: Scene,
    settings: Settings | None = None,
    *,
    out: Path | str = "search",
    space: Mapping[str, Any] | None = None,
    models: Sequence[str] = (),
    trials: int = 40,
    seeds: int = 1,
    objective: Objective = "aa",
    prune: bool = True,
    jobs: int = 1,
    device: str | torch.device = "auto",
    cluster: Cluster | None = None,
    progress: SearchProgress | None = None,
    **fixed: Any,
) -> SearchResult:
    """Look for the settings that do best on the validation pixels of a scene.

    The split is the same for all trials. Labels of test pixels are taken away before the first of
    them, so that the test stays as good as new.

    Parameters
    ----------
    scene : Scene
        With labels.
    settings : Settings
        All that is not chosen, the split and its seed, with validation pixels.
    out : path
        The folder. If it holds a search for the same, this one continues it, also while others do.
    space : mapping, optional
        What may be chosen: for names of settings a list, or ``{"low": ..., "high": ...}`` and
        perhaps ``"log": True`` or ``"step": ...``. Without, a space that suits the scene.
    models : sequence of str
        Networks to choose from, instead of those of the space.
    trials : int
        How many there are to be in the end, of all processes together and of all times.
    seeds : int
        Trainings of each trial, with seeds one after the other; their mean counts.
    objective : {"aa", "oa", "kappa"}
        What to judge by: average accuracy, overall accuracy, or kappa.
    prune : bool
        Whether hopeless trials end early.
    jobs : int
        Processes. Several of them open the scene by its `Scene.source`.
    device : str or torch.device
        As for `hsi.train`.
    cluster : Cluster, optional
        Each of whose workers works on trials, instead of processes here; they have to see the
        folder, and the file of the scene, by the paths that they have here.
    progress : SearchProgress, optional
        Told of the trials.
    **fixed
        Settings by name, those of the recipe too, that are not chosen: ``model="hybridsn"``,
        ``steps=100``.

    Returns
    -------
    SearchResult
        The same is written into the folder, see `hsi.workflows.search.results`.

    Raises
    ------
    UsageError
        If names or values cannot be meant, settings do not fit the scene, or Optuna is missing.
    RunError
        If the folder holds something else, or a search for something else.
    HsiError
        If no trial could be trained.
    ClusterError
        If a worker does not see the folder, or the cluster does not answer any more.
    KeyboardInterrupt
        With a note; what is finished is written, and the same call continues.
    """
    check_optuna()
    check_objective(objective)
    for what, value in (("trials", trials), ("seeds", seeds), ("jobs", jobs)):
        check_whole_number(what, value)
        if value < 1:
            raise UsageError(f"{what} must be at least 1, not {value} (--{what})")
    folder = usable_path(out, "out")
    named = dict(fixed)
    own: Space | None = None
    if space is not None:
        own, single = space_from_table(dict(space) | ({"model": list(models)} if models else {}))
        named = single | named
    prepared = prepare(
        scene,
        (settings or Settings()).changed(**{n: v for n, v in named.items() if n == "recipe"}),
        space=own,
        models=models,
        fixed={name: value for name, value in named.items() if name != "recipe"},
        objective=objective,
        seeds=seeds,
        prune=prune,
    )
    if cluster is not None and jobs > 1:
        raise UsageError("a cluster has its own workers; leave out jobs (--jobs)")
    where = str(resolve_device(device) if cluster is None else device)
    if (jobs > 1 or cluster is not None) and not scene.source:
        raise UsageError(
            f"{scene.name} was no file and has no name, so that other processes cannot open it\n"
            "Search with one (jobs=1), or load the scene from a file."
        )
    _begin(folder, prepared)
    journal = Journal(folder, seed=prepared.searched.settings.seed, prune=prune)
    try:
        _work(folder, prepared, journal, trials, jobs, where, cluster, progress)
        result = write_results(folder, prepared, journal)
    except KeyboardInterrupt as interrupt:
        done = write_results(folder, prepared, journal).tally.finished
        interrupt.add_note(
            f"{done} of {trials} trials are finished and kept in {folder}; the same command "
            "continues."
        )
        raise
    finally:
        journal.close()
    if result.best is None and result.tally.finished >= trials:
        raise HsiError(_nothing_found(result))
    return result


def _begin(folder: Path, prepared: Prepared) -> None:
    """Make the folder of a search, or see that it holds this one."""
    check_possible_folder(folder)
    no_search = RunError(
        f"{folder} is not empty, and holds no search\nChoose another folder (--out)."
    )
    try:
        # Nothing is put into a folder of something else. Whoever begins a search meanwhile has put
        # the locks there first.
        if _holds_else(folder) and not (folder / LOCKS).is_dir():
            raise no_search
        (folder / LOCKS).mkdir(parents=True, exist_ok=True)
        # Of several that begin at once, one does; the others see what it has begun.
        with closing(FileLock(folder / LOCKS / "claim")) as lock, lock:
            if is_search(folder):
                prepared.searched.check_same(folder)
                return
            if _holds_else(folder):
                raise no_search
            begin_sums(folder)
            write_split(folder, prepared.split)
            # Last: a folder that has it is one of a search.
            write_searched(folder, prepared.searched.as_table())
    except OSError as error:
        raise RunError(f"cannot write into {folder}: {error.strerror}") from error


def _holds_else(folder: Path) -> bool:
    """Return whether there is more than what a search begins with, and was killed with."""
    names = {each.name for each in folder.iterdir()} if folder.is_dir() else set()
    return any(name not in (LOCKS, SPLIT, SUMS) and MARK not in name for name in names)


def _work(
    folder: Path,
    prepared: Prepared,
    journal: Journal,
    total: int,
    jobs: int,
    device: str,
    cluster: Cluster | None,
    progress: SearchProgress | None,
) -> None:
    look = _Look(journal, prepared.searched.objective, progress)
    if progress:
        trials = journal.trials
        done = ranked(finished_rows(trials, objective=prepared.searched.objective))
        progress.begun(next(iter(done), None), tally(trials), total, prepared.notes)
    if cluster is not None:
        work_on_cluster(cluster, folder, total=total, device=device, look=look)
    elif jobs == 1:
        work = Work(
            scene=prepared.scene,
            split=prepared.split,
            searched=prepared.searched,
            journal=journal,
            device=torch.device(device),
        )
        work.until(total, finished=look)
    else:
        work_in_processes(
            folder,
            jobs=jobs,
            total=total,
            device=device,
            trials=lambda: len(journal.trials),
            look=look,
        )
    look()


class _Look:
    """Tells of trials that were finished since it last looked."""

    def __init__(self, journal: Journal, objective: str, progress: SearchProgress | None) -> None:
        self.journal, self.objective, self.progress = journal, objective, progress
        self.told: set[int] = set()
        self.told = {row.number for row in self._new()}

    def __call__(self) -> None:
        if self.progress is None:
            return
        for row in self._new():
            self.told.add(row.number)
            self.progress.finished(row, tally(self.journal.trials))

    def _new(self) -> list[Row]:
        return finished_rows(self.journal.trials, objective=self.objective, but=self.told)


def _nothing_found(result: SearchResult) -> str:
    reasons = failures(result.rows)
    listed = "".join(f"\n{count} of them: {why}" for why, count in list(reasons.items())[:3])
    return f"none of the {result.tally.finished} trials could be trained to its end{listed}"
