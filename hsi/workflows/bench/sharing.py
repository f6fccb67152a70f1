"""The folder of a benchmark, in which several processes may be at work, on one machine or on many.

::

    .lock              held while plan or tables are written
    .processes/        an empty file for each process at work, which holds a lock on it
    runs/.../.seedN.lock    held by whoever trains a cell (`hsi.workflows.bench.work`)

Locks end with their processes. Where a file system knows no locks, one process may be at work.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from hsi.errors import RunError
from hsi.evaluation import Cell
from hsi.files import make_folder_with_sums
from hsi.locks import FileLock
from hsi.workflows.bench.cells import is_finished
from hsi.workflows.bench.folder import Bench
from hsi.workflows.bench.plan import Plan
from hsi.workflows.bench.written import read_failures

PROCESSES = ".processes"


class Known(NamedTuple):
    """What became of a cell that another process was at."""

    reason: str | None


class Sharing:
    """A folder, among the processes that are at work in it.

    Parameters
    ----------
    bench : Bench
        Whose folder is there.
    mark : Path
        A file that is there as long as this process is at work.
    """

    def __init__(self, bench: Bench, mark: Path) -> None:
        self.bench, self.mark = bench, mark
        self._failed_before = read_failures(bench.out)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Have plan and tables for this process, with what others have found since."""
        with _writing(self.bench.out):
            self.bench.catch_up()
            yield

    def outcome(self, cell: Cell) -> Known | None:
        """Return what became of a cell elsewhere since; None where it is yet to be trained."""
        if is_finished(self.bench.out, cell):
            return Known(None)
        reason = read_failures(self.bench.out).get(cell)
        if reason is None or self._failed_before.get(cell) == reason:
            return None
        return Known(reason)


@contextmanager
def at_work(bench: Bench) -> Iterator[Sharing]:
    """Be one of the processes at work in the folder of a benchmark, with its plan in place.

    Parameters
    ----------
    bench : Bench
        With its plan.

    Raises
    ------
    RunError
        If the folder cannot be written, or others are at work in it by another plan.
    """
    try:
        make_folder_with_sums(bench.out)
        (bench.out / PROCESSES).mkdir(exist_ok=True)
        mark = FileLock(bench.out / PROCESSES / uuid.uuid4().hex)
    except OSError as error:
        raise RunError(f"cannot write {bench.out}: {error.strerror}") from error
    try:
        with _writing(bench.out):
            mark.acquire()
            _settle_plan(bench, others=_others(mark))
        yield Sharing(bench, mark.path)
    finally:
        mark.path.unlink(missing_ok=True)
        mark.close()


def _settle_plan(bench: Bench, *, others: bool) -> None:
    """Write the plan, unless others work by it already."""
    there = Plan.read(bench.out)
    if others and there is not None:
        if not _alike(there, bench.plan):
            raise RunError(
                f"another `hsi bench` is at work in {bench.out}, by another plan\n"
                "Wait for it; or give the command that it was given, to share its work."
            )
        return
    bench.plan.write(bench.out)


def _alike(one: Plan, two: Plan) -> bool:
    """Return whether two plans have the same cells, trained in the same way."""
    return set(one.cells()) == set(two.cells()) and all(
        getattr(one, name) == getattr(two, name) for name in ("sources", "settings", "guard")
    )


def _others(mark: FileLock) -> bool:
    """Return whether others are at work, and clean up after those that were killed."""
    living = False
    for path in mark.path.parent.iterdir():
        if path == mark.path:
            continue
        with closing(FileLock(path)) as lock:
            if not lock.acquire(wait=False):
                living = True
            elif lock.available:
                path.unlink(missing_ok=True)
    return living


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        lock = FileLock(out / ".lock")
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror}") from error
    with closing(lock), lock:
        yield
