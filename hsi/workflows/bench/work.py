"""One training of a benchmark, in this process or in one of several."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hsi.errors import HsiError, RunError
from hsi.evaluation import Cell
from hsi.locks import FileLock
from hsi.sampling import Split
from hsi.scenes import Scene, open_scene
from hsi.training import Progress, Run, Settings, check_free
from hsi.training.state_file import States
from hsi.workflows.bench.cells import hash_of
from hsi.workflows.train import resume, settings_for, train

# What one training may fail with and the next one need not; anything else is a defect.
FAILURES = (HsiError, RuntimeError, MemoryError, OSError, ArithmeticError)
# In place of a reason: nothing was done, since another process is at it.
HELD = "another process trains it"


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """A training that is to be done.

    Attributes
    ----------
    cell : Cell
        Which.
    folder : Path
        Of the run; what an interruption left there is removed.
    source : dict
        What opens the scene.
    settings : Settings
        All of them.
    split : Split
        That of all models.
    device : str
        Where to compute.
    """

    cell: Cell
    folder: Path
    source: dict[str, Any]
    settings: Settings
    split: Split
    device: str


def do(task: Task, scene: Scene, *, progress: Progress | None = None) -> str | None:
    """Train, map and test; return the reason if that could not be done.

    What another process has finished stays, and what another one is at is left to it (`HELD`). A
    training that was interrupted goes on, to the same bits, where that is possible. What a
    failure leaves is removed: without its metrics, it is of no use.
    """
    try:
        with _alone(task.folder) as alone:
            if not alone:
                return HELD
            return _done(task, scene, progress=progress)
    except OSError as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]


def _done(task: Task, scene: Scene, *, progress: Progress | None) -> str | None:
    if (task.folder / "metrics.json").is_file():
        return None
    try:
        if not _goes_on(task, scene, progress=progress):
            _begins(task, scene, progress=progress)
    except (MemoryError, torch.OutOfMemoryError):
        _clear_if_possible(task.folder)
        return "not enough memory"
    except FAILURES as error:
        _clear_if_possible(task.folder)
        own = isinstance(error, HsiError)
        return str(error) if own else f"{type(error).__name__}: {error}".splitlines()[0]
    except BaseException:
        clear_unless_it_goes_on(task.folder)
        raise
    return None


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Have a cell for this process; False where another one has it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        # One that was removed by who had it is no longer the lock of this cell.
        held = lock.acquire(wait=False) and (not lock.available or lock.is_in_place())
        try:
            yield held
        finally:
            if held:
                lock.path.unlink(missing_ok=True)
    finally:
        lock.close()


def _begins(task: Task, scene: Scene, *, progress: Progress | None) -> None:
    clear(task.folder)
    task.folder.parent.mkdir(parents=True, exist_ok=True)
    train(
        scene,
        task.settings,
        out=task.folder,
        pixels=task.split,
        report=False,
        device=task.device,
        progress=progress,
    )


def _goes_on(task: Task, scene: Scene, *, progress: Progress | None) -> bool:
    """Finish a training of this cell that was interrupted; return whether there was one."""
    try:
        run = Run(task.folder)
        settings = settings_for(task.settings, scene)
        alike = run.settings == settings and hash_of(run.split) == hash_of(task.split)
        if run.finished or not alike or not run.states:
            return False
        resume(run, scene, report=False, device=task.device, progress=progress)
    except (HsiError, OSError):
        # Damaged, or begun under other conditions, or none at all: it begins anew.
        return False
    return True


def clear_unless_it_goes_on(folder: Path) -> None:
    """Remove what an interrupted training left, unless it has a state to go on from."""
    if not States(folder / "checkpoint"):
        _clear_if_possible(folder)


def clean_up(folder: Path) -> None:
    """Remove what a process that has ended left of a training, unless another one is at it."""
    with suppress(OSError), _alone(folder) as alone:
        if alone:
            clear_unless_it_goes_on(folder)


def _clear_if_possible(folder: Path) -> None:
    # What is no run is not ours to remove; that it is in the way was said already.
    with suppress(RunError, OSError):
        clear(folder)


def clear(folder: Path) -> None:
    """Remove what an unfinished training left.

    Raises
    ------
    RunError
        If there is something that no training of this package made.
    """
    if not folder.exists() or (folder / "metrics.json").is_file():
        return
    if not (folder / "config.toml").is_file():
        try:
            check_free(folder)
        except RunError:
            raise RunError(
                f"{folder} holds something that is no run\n"
                "Move it elsewhere: a run is to lie there."
            ) from None
    shutil.rmtree(folder)


class SceneAtHand:
    """Opens the scene of a task, and keeps it for the next one."""

    def __init__(self, scenes: Mapping[str, Scene] | None = None) -> None:
        self._scenes: dict[str, Scene] = dict(scenes or {})

    def __call__(self, task: Task) -> Scene:
        """Return the scene."""
        name = task.cell.scene
        if name not in self._scenes:
            self._scenes = {name: open_scene(task.source)}  # one at a time: they may be large
        return self._scenes[name]
