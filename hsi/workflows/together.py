"""One training by all processes that torchrun has started, of which the first writes and prints."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hsi.errors import DivergedError, UsageError
from hsi.interrupts import INTERRUPTED, stoppable
from hsi.sampling import Split
from hsi.scenes import Scene, open_scene
from hsi.training import Progress, Run, Settings
from hsi.training.ranks import Ranks
from hsi.training.state import Capture, State
from hsi.workflows.going_on import state_to_go_on_from
from hsi.workflows.learn import Learning
from hsi.workflows.products import versions
from hsi.workflows.splitting import prepared, with_split
from hsi.workflows.train import learn_and_map, run_path, settings_for


class _Prepared(NamedTuple):
    """What a rank has before the first step."""

    scene: Scene
    split: Split
    settings: Settings
    learning: Learning
    path: Path
    state: State | None = None


def train_together(
    ranks: Ranks,
    opened: Callable[[], tuple[Scene, Settings]],
    *,
    out: Path | str | None = None,
    report: bool = True,
    progress: Progress | None = None,
    started: Callable[[Run], None] | None = None,
    noted: Callable[[str], None] | None = None,
) -> Run | None:
    """Train as `hsi.train` does, each rank with its part of every batch.

    The batch is as many times that of the settings as there are ranks, and the run's settings have
    the whole: to rounding, the result is that of one process with this batch. Where torchrun has
    started the processes again, the run goes on that was begun before.

    Parameters
    ----------
    ranks : Ranks
        All of them; each must call this.
    opened : callable
        Returns scene and settings. Called in each rank; what it raises ends all of them.
    out, report, progress, started
        As for `hsi.train`; those to be told, in the first rank.
    noted : callable, optional
        Told what is to be known of how the work is shared or goes on.

    Returns
    -------
    Run or None
        Finished. None in all ranks but the first, which may be done before it.

    Raises
    ------
    HsiError
        In the first rank, of whatever rank. The others end with `SystemExit`.
    """
    begun = ranks.gathered(ranks.begun())[0]
    if begun is not None and ranks.agreed(lambda: (Path(begun) / "config.toml").is_file()):
        if ranks.agreed(lambda: Run(begun).finished):
            return Run(begun) if ranks.first else None
        return resume_together(
            ranks, begun, report=report, progress=progress, started=started, noted=noted
        )

    def prepare() -> _Prepared:
        scene, settings = opened()
        whole = settings.recipe.batch_size * ranks.size
        settings = settings_for(with_split(settings, scene, asked=None), scene)
        settings = settings.changed(batch_size=whole)
        path = run_path(out, scene, settings) if ranks.first else Path()
        scene, split = prepared(scene, settings)
        learning = _learning(scene, split, settings, ranks)
        return _Prepared(scene, split, settings, learning, path)

    ready = ranks.agreed(prepare)
    cube = ranks.agreed(lambda: ready.scene.fingerprint)
    _check_alike(ranks, ready, cube)

    def create() -> None:
        assert ready.scene.labels is not None  # else there is no split
        # Said first: a process that is killed right after it has made the run is to find it again.
        ranks.begin(str(ready.path.absolute()))
        try:
            Run.create(
                ready.path,
                settings=ready.settings,
                source=ready.scene.source,
                split=ready.split,
                labels=ready.scene.labels,
                cube=cube,
            )
        except BaseException:
            ranks.begin("")  # what may be there is somebody else's
            raise

    ranks.agreed(create if ranks.first else lambda: None)
    if noted and ranks.first:
        batch = ready.settings.recipe.batch_size
        noted(f"{ranks.size} processes share batches of {batch}, {batch // ranks.size} each")
    return _go_on(ranks, ready, report=report, progress=progress, started=started)


def resume_together(
    ranks: Ranks,
    path: Path | str,
    *,
    bitwise: bool = True,
    check: Callable[[Run], None] | None = None,
    report: bool = True,
    progress: Progress | None = None,
    started: Callable[[Run], None] | None = None,
    noted: Callable[[str], None] | None = None,
) -> Run | None:
    """Go on as `hsi.resume` does, each rank with its part of every batch.

    Parameters
    ----------
    ranks : Ranks
        All of them; each must call this.
    path : path
        The run, which all ranks can read.
    bitwise
        As for `hsi.resume`; the number of ranks counts, too. The batch stays as it was begun with.
    check : callable, optional
        Raises what speaks against the run.
    report, progress, started, noted
        As for `train_together`.

    Returns
    -------
    Run or None
        As for `train_together`, and so are the errors.
    """

    def prepare() -> _Prepared:
        run = Run(path)
        if check:
            check(run)
        if run.finished:
            raise UsageError(f"the training of {run.path} is finished")
        scene, settings = run.labelled(open_scene(run.source)), run.settings
        found = state_to_go_on_from(
            run,
            ranks.device,
            bitwise=bitwise,
            noted=noted if ranks.first else None,
            processes=ranks.size,
        )
        learning = _learning(scene, run.split, settings, ranks)
        state = found.state if found else None
        return _Prepared(scene, run.split, settings, learning, run.path, state)

    ready = ranks.agreed(prepare)
    _check_alike(ranks, ready, cube="as the run has it")
    if ranks.first:
        ranks.begin(str(ready.path.absolute()))
    return _go_on(ranks, ready, report=report, progress=progress, started=started)


def _learning(scene: Scene, split: Split, settings: Settings, ranks: Ranks) -> Learning:
    learning = Learning(scene, split, settings, device=ranks.device)
    if not learning.has_steps:
        raise UsageError(
            f"{settings.model} is not trained in steps that processes could share\n"
            "Train it without torchrun."
        )
    return learning


def _check_alike(ranks: Ranks, ready: _Prepared, cube: str) -> None:
    """Refuse ranks that would learn from different things."""
    masks = [ready.split.train, ready.split.validation, ready.split.test]
    ranks.check_alike(
        {
            "scene": cube,
            "set of labels": _sum(np.asarray(ready.scene.labels)),
            "split": _sum(np.stack(masks)),
            "set of settings": ready.settings.model_dump_json(),
            "state of the run": str(ready.state and ready.state.place),
            **{f"version of {name}": number for name, number in versions().items()},
        }
    )


def _sum(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()


def _go_on(
    ranks: Ranks,
    ready: _Prepared,
    *,
    report: bool,
    progress: Progress | None,
    started: Callable[[Run], None] | None,
) -> Run | None:
    """Take the steps; in the first rank do all that is to be done once."""
    with ExitStack() as held:
        run = Run(ready.path) if ranks.first else None
        ranks.agreed(lambda: held.enter_context(run.alone()) if run else None)
        if run is None:
            with _others_end_after_the_first(ranks):
                _take_part(ranks, ready)
            return None
        learn_and_map(
            run,
            ready.scene,
            ready.learning,
            device=ranks.device,
            report=report,
            progress=progress,
            started=started,
            state=ready.state,
            ranks=ranks,
        )
        return run


def _take_part(ranks: Ranks, ready: _Prepared) -> None:
    with stoppable(ranks.highest, patience=ranks.patience) as stop:

        def after_step(_: Capture) -> None:
            stop.confer()
            stop.check()

        with stop.after_steps():
            ready.learning.run(after_step=after_step, resume=ready.state, ranks=ranks)


@contextmanager
def _others_end_after_the_first(ranks: Ranks) -> Iterator[None]:
    """Leave it to the first rank to say what happens to all of them alike."""
    try:
        yield
    except (UsageError, DivergedError, KeyboardInterrupt) as error:
        ranks.outlast_the_first()
        raise SystemExit(getattr(error, "exit_code", INTERRUPTED)) from error
