"""Training the cells of a benchmark, one after the other or in several processes."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Protocol

from hsi.errors import HsiError, RunError, UsageError
from hsi.evaluation import Cell, Result
from hsi.evaluation.findings import FIRST
from hsi.files import make_folder_with_sums
from hsi.inference import resolve_device
from hsi.locks import FileLock
from hsi.models.registry import OWN
from hsi.scenes import Scene
from hsi.training import Progress
from hsi.workflows.bench.cells import folder_of, keep_truth
from hsi.workflows.bench.folder import Bench
from hsi.workflows.bench.pool import Pool
from hsi.workflows.bench.split_pictures import draw_split
from hsi.workflows.bench.splits import Splits
from hsi.workflows.bench.work import SceneAtHand, Task, do


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

    Raises
    ------
    UsageError
        If an argument cannot be meant.
    RunError
        If the folder cannot be written, or another process works on it.
    KeyboardInterrupt
        What is finished is written then; an unfinished training goes on with the next call.
    """
    check_choices(bench, scenes, device=device, jobs=jobs, measure=measure, against=against)
    watch = watch or Unwatched()
    with _locked(bench):
        bench.plan.write(bench.out)
        for name in dict.fromkeys(cell.scene for cell in cells):
            labels = scenes[name].labels
            assert labels is not None  # else it cannot be asked for
            keep_truth(bench.out, name, labels)
        todo = [cell for cell in cells if cell not in bench.results]
        outcomes = _outcomes(bench, todo, scenes, device=device, jobs=jobs, watch=watch)
        with closing(outcomes):  # ends the processes, however this ends
            for cell, reason in outcomes:
                bench.take(cell, reason)
                bench.write(bench.findings(measure=measure, against=against))
                watch.finished(cell, bench.results.get(cell), reason)
        if not todo:
            bench.write(bench.findings(measure=measure, against=against))


def check_choices(
    bench: Bench,
    scenes: Mapping[str, Scene],
    *,
    device: str,
    jobs: int,
    measure: str,
    against: str,
) -> None:
    """Refuse arguments of `train_cells` that cannot be meant; as it does itself.

    Raises
    ------
    UsageError
        Which of them it is.
    """
    resolve_device(device)
    _check_jobs(bench, jobs, scenes)
    bench.findings(measure=measure, against=against)  # refuses what cannot be meant


def _outcomes(
    bench: Bench,
    cells: Sequence[Cell],
    scenes: Mapping[str, Scene],
    *,
    device: str,
    jobs: int,
    watch: Watch,
) -> Generator[tuple[Cell, str | None]]:
    """Train cells; yield each when it is done, with the reason if it could not be done."""
    splits, at_hand = Splits(bench.out, bench.plan, scenes), SceneAtHand(scenes)
    with Pool(jobs) as pool:
        for cell in cells:
            while jobs > 1 and pool.is_full:
                yield pool.take()
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
            task = Task(
                cell=cell,
                folder=folder_of(bench.out, cell),
                source=scenes[cell.scene].source,
                settings=bench.plan.settings_of(cell),
                split=split,
                device=device,
            )
            if jobs > 1:
                pool.give(task)
            else:
                yield cell, do(task, at_hand(task), progress=watch.progress)
        while not pool.is_idle:
            yield pool.take()


def _check_jobs(bench: Bench, jobs: int, scenes: Mapping[str, Scene]) -> None:
    if jobs < 1:
        raise UsageError(f"jobs must be 1 or more, not {jobs} (--jobs)")
    if jobs == 1:
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


@contextmanager
def _locked(bench: Bench) -> Iterator[None]:
    """Make the folder and have it for this process alone."""
    try:
        make_folder_with_sums(bench.out)
        lock = FileLock(bench.out / ".lock")
    except OSError as error:
        raise RunError(f"cannot write {bench.out}: {error.strerror}") from error
    try:
        if not lock.acquire(wait=False):
            raise RunError(f"another `hsi bench` is at work in {bench.out}; wait for it")
        yield
    finally:
        lock.close()
