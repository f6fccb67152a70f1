"""Training the cells of a benchmark, one after the other or in several processes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from typing import Protocol

from hsi.errors import HsiError, UsageError
from hsi.evaluation import Cell, Result
from hsi.evaluation.findings import FIRST
from hsi.inference import resolve_device
from hsi.models.registry import OWN
from hsi.scenes import Scene
from hsi.training import Progress
from hsi.workflows.bench.cells import folder_of, keep_truth
from hsi.workflows.bench.folder import Bench
from hsi.workflows.bench.on_workers import OnWorkers
from hsi.workflows.bench.pool import Pool
from hsi.workflows.bench.sharing import Sharing, at_work
from hsi.workflows.bench.split_pictures import draw_split
from hsi.workflows.bench.splits import Splits
from hsi.workflows.bench.trainers import InTurn, Trainers
from hsi.workflows.bench.work import HELD, Task
from hsi.workflows.cluster import Cluster

# How often one looks whether others have finished what is left.
POLL_SECONDS = 0.5


class Watch(Protocol):
    """What is told while a benchmark is trained."""

    @property
    def progress(self) -> Progress | None:
        """Is told of the steps of each training in this process."""

    def started(self, cell: Cell) -> None:
        """Take note that a training begins."""

    def finished(self, cell: Cell, result: Result | None, reason: str | None) -> None:
        """Take note of its result, or of the reason why there is none."""


class Unwatched:
    """Nobody is told."""

    progress: Progress | None = None

    def started(self, cell: Cell) -> None:
        """Do nothing."""

    def finished(self, cell: Cell, result: Result | None, reason: str | None) -> None:
        """Do nothing."""


def train_cells(
    bench: Bench,
    cells: Sequence[Cell],
    scenes: Mapping[str, Scene],
    *,
    device: str = "auto",
    jobs: int = 1,
    measure: str = "oa",
    against: str = FIRST,
    watch: Watch | None = None,
    cluster: Cluster | None = None,
) -> None:
    """Train cells of a benchmark's plan, and write plan and all results, these after each cell.

    A cell that fails is written down with its reason, and the others go on. Cells that are
    finished are left as they are.

    Parameters
    ----------
    bench : Bench
        With the cells in its plan (see `Bench.ask`).
    cells : sequence of Cell
        In this order.
    scenes : mapping of str to Scene
        By their names in the plan.
    device : str
        As for `hsi.train`.
    jobs : int
        Processes. They share the threads evenly, and the number of threads changes last digits;
        nothing else depends on it.
    measure, against : str
        As for `Bench.findings`.
    watch : Watch, optional
        Told of every training.
    cluster : Cluster, optional
        Whose workers train, instead of this process; they have to see the folder, and the files
        of the scenes, by the paths that they have here.

    Raises
    ------
    UsageError
        If an argument cannot be meant.
    RunError
        If the folder cannot be written, or another process works on it by another plan; by the
        same plan, processes share the cells.
    ClusterError
        If a worker does not see the folder, or the cluster does not answer any more.
    KeyboardInterrupt
        What is finished is written then; an unfinished training goes on with the next call.
    """
    check_choices(
        bench, scenes, device=device, jobs=jobs, measure=measure, against=against,
        cluster=cluster is not None,
    )  # fmt: skip
    watch = watch or Unwatched()
    with at_work(bench) as sharing:
        with sharing.writing():
            for name in dict.fromkeys(cell.scene for cell in cells):
                labels = scenes[name].labels
                assert labels is not None  # else it cannot be asked for
                keep_truth(bench.out, name, labels)
        todo = [cell for cell in cells if cell not in bench.results]
        trainers: Trainers
        if cluster is not None:
            trainers = OnWorkers(cluster, mark=sharing.mark, device=device)
        else:
            trainers = Pool(jobs) if jobs > 1 else InTurn(scenes, watch.progress)
        outcomes = _outcomes(
            bench, todo, scenes, sharing, device=device, trainers=trainers, watch=watch
        )
        with closing(outcomes):  # ends the processes, however this ends
            for cell, reason in outcomes:
                with sharing.writing():
                    bench.take(cell, reason)
                    bench.write(bench.findings(measure=measure, against=against))
                watch.finished(cell, bench.results.get(cell), reason)
        if not todo:
            with sharing.writing():
                bench.write(bench.findings(measure=measure, against=against))


def check_choices(
    bench: Bench,
    scenes: Mapping[str, Scene],
    *,
    device: str,
    jobs: int,
    measure: str,
    against: str,
    cluster: bool = False,
) -> None:
    """Refuse arguments of `train_cells` that cannot be meant; as it does itself.

    Raises
    ------
    UsageError
        Which of them it is.
    """
    if not cluster:  # else it is the workers' device
        resolve_device(device)
    _check_jobs(bench, jobs, scenes, cluster=cluster)
    bench.findings(measure=measure, against=against)  # refuses what cannot be meant


def _outcomes(
    bench: Bench,
    cells: Sequence[Cell],
    scenes: Mapping[str, Scene],
    sharing: Sharing,
    *,
    device: str,
    trainers: Trainers,
    watch: Watch,
) -> Generator[tuple[Cell, str | None]]:
    """Train cells; yield each when it is done, with the reason if it could not be done."""
    splits = Splits(bench.out, bench.plan, scenes)
    waiting, held = deque(cells), set[Cell]()
    with trainers:
        while waiting or not trainers.is_idle:
            if trainers.is_full or not waiting:
                cell, reason = trainers.take()
                if reason != HELD:
                    yield cell, reason
                    continue
                # Others are at it; once more when all else is done, should they not finish.
                waiting.append(cell)
                held.add(cell)
                continue
            if held.issuperset(waiting):
                time.sleep(POLL_SECONDS)
            cell = waiting.popleft()
            known = sharing.outcome(cell)
            if known is not None:
                yield cell, known.reason
                continue
            watch.started(cell)
            try:
                split = splits.of(cell)
            except HsiError as error:
                yield cell, str(error)
                continue
            draw_split(
                bench.out,
                cell,
                split,
                scenes[cell.scene],
                side=max(map(bench.plan.side_of, bench.plan.models)),
            )
            trainers.give(
                Task(
                    cell=cell,
                    folder=folder_of(bench.out, cell),
                    source=scenes[cell.scene].source,
                    settings=bench.plan.settings_of(cell),
                    split=split,
                    device=device,
                )
            )


def _check_jobs(bench: Bench, jobs: int, scenes: Mapping[str, Scene], *, cluster: bool) -> None:
    if jobs < 1:
        raise UsageError(f"jobs must be 1 or more, not {jobs} (--jobs)")
    if jobs > 1 and cluster:
        raise UsageError("a cluster has its own workers; leave out jobs (--jobs)")
    if jobs == 1 and not cluster:
        return
    strange = [model for model in bench.plan.models if model.partition("+")[0] not in OWN]
    if strange:
        raise UsageError(
            f"{strange[0]} was registered in this process, and others do not know it; use jobs=1"
        )
    for name, scene in scenes.items():
        if not scene.source:
            raise UsageError(
                f"{name} was made in memory, and other processes cannot open it; use jobs=1"
            )
