"""From a scene to a finished run: split, reduction, training, map, report."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hsi.backbones.weights import lasting
from hsi.errors import UsageError
from hsi.files import folder_name, free_path, usable_path
from hsi.inference import resolve_device
from hsi.interrupts import stoppable
from hsi.sampling import Split
from hsi.scenes import Scene, open_scene
from hsi.training import Progress, Run, Settings, check_free
from hsi.training.ranks import Ranks
from hsi.training.state import State
from hsi.workflows.going_on import state_to_go_on_from
from hsi.workflows.kept import Kept
from hsi.workflows.learn import Learning
from hsi.workflows.products import save_products
from hsi.workflows.splitting import prepared, with_split


def train(
    scene: Scene,
    settings: Settings | None = None,
    *,
    out: Path | str | None = None,
    pixels: Split | None = None,
    report: bool = True,
    device: str | torch.device = "auto",
    progress: Progress | None = None,
    started: Callable[[Run], None] | None = None,
    **changes: Any,
) -> Run:
    """Train a network on part of the labelled pixels of `scene`, map the scene, test on the rest.

    Parameters
    ----------
    scene : Scene
        With labels. Of several scenes (`hsi.load_scenes`, `hsi.join_scenes`), each is also mapped
        by itself, into ``maps/NAME`` in the run folder.
    settings : Settings, optional
        Where to start from; without, the usual settings.
    out : path, optional
        The run folder, which must not hold anything yet. Without, a new folder under ``runs/``.
    pixels : Split, optional
        Those to learn from and to test on; without, the settings say how they are chosen.
    report : bool
        Whether to draw figures and write the page. Without, the folder holds settings, split,
        model, history, metrics and the class map as a raster.
    device : str or torch.device
        ``"auto"`` is the first CUDA device or else the CPU.
    progress : Progress, optional
        Told of every step and epoch.
    started : callable, optional
        Told of the run before its training starts.
    **changes
        Settings by name, those of the recipe too: ``model="hybridsn"``, ``train=0.05``,
        ``recipe="paper"``, ``epochs=10``. See `hsi.Settings`.

    Returns
    -------
    Run
        Finished: its `metrics` hold the accuracies, its folder the map and the report.

    Raises
    ------
    UsageError
        If the settings do not fit each other or the scene.
    RunError
        If the folder is taken or cannot be written.
    KeyboardInterrupt
        After the step that goes on, if SIGINT or SIGTERM came; with a note that says what the run
        is good for: `resume` goes on with it, and from its first epoch on it keeps a checkpoint,
        with which `hsi.map_scene` and `hsi.evaluate` work. A second signal ends the process.

    Examples
    --------
    >>> import hsi
    >>> scene = hsi.load_scene("synthetic")
    >>> run = hsi.train(scene, model="hybridsn-dw", train=0.1, out="runs/first")  # doctest: +SKIP
    >>> run.metrics["oa"]  # doctest: +SKIP
    """
    settings = (settings or Settings()).changed(**changes)
    if pixels is None:
        settings = with_split(settings, scene, asked=changes.get("split"))
    settings = settings_for(settings, scene)
    where = resolve_device(device)
    path = run_path(out, scene, settings)
    if pixels is None:
        scene, split = prepared(scene, settings)
    else:
        scene = pixels.labelled(scene)
        split = _as_given(pixels, scene, settings)
    assert scene.labels is not None  # else there is no split
    learning = Learning(scene, split, settings, device=where)

    run = Run.create(
        path,
        settings=settings,
        source=scene.source,
        split=split,
        labels=scene.labels,
        cube=scene.fingerprint,
    )
    return _go_on(
        run, scene, learning, device=where, report=report, progress=progress, started=started
    )


def run_path(out: Path | str | None, scene: Scene, settings: Settings) -> Path:
    """Return the folder of a new run: `out`, or one under ``runs/``; refuse one that is taken."""
    path = usable_path(_free_path(scene, settings) if out is None else out, "out")
    check_free(path)
    return path


def settings_for(settings: Settings, scene: Scene) -> Settings:
    """Return settings with nothing left open, as a run keeps them."""
    return settings.resolved(scene).changed(weights=lasting(settings.weights))


def resume(
    run: Run | Path | str,
    scene: Scene | None = None,
    *,
    bitwise: bool = True,
    report: bool = True,
    device: str | torch.device = "auto",
    progress: Progress | None = None,
    started: Callable[[Run], None] | None = None,
    noted: Callable[[str], None] | None = None,
) -> Run:
    """Go on with a training that was interrupted, to the same result as without interruption.

    Parameters
    ----------
    run : Run or path
        Its folder.
    scene : Scene, optional
        What it is trained on; without, it is opened from where the run found it.
    bitwise : bool
        Whether to refuse to go on with other versions, another number of threads or another device,
        with which the last bits of the result may differ.
    report, device, progress, started
        As for `train`.
    noted : callable, optional
        Told what is to be known of how it goes on.

    Returns
    -------
    Run
        Finished.

    Raises
    ------
    UsageError
        If the run is finished.
    RunError
        If it is damaged, another process trains it, its scene is no longer the same, or bits
        could differ.
    """
    run = run if isinstance(run, Run) else Run(run)
    run.check_unfinished(
        f"`hsi evaluate {run.path}` tests it anew; `hsi train --config "
        f"{run.path / 'config.toml'}` trains again, into another folder."
    )
    where = resolve_device(device)
    settings = run.settings
    scene = run.labelled(open_scene(run.source) if scene is None else scene)
    found = state_to_go_on_from(run, where, bitwise=bitwise, noted=noted)
    learning = Learning(scene, run.split, settings, device=where)
    return _go_on(
        run, scene, learning, device=where, report=report, progress=progress, started=started,
        state=found.state if found else None,
    )  # fmt: skip


def _go_on(
    run: Run,
    scene: Scene,
    learning: Learning,
    *,
    device: torch.device,
    report: bool,
    progress: Progress | None,
    started: Callable[[Run], None] | None,
    state: State | None = None,
) -> Run:
    """Have the run for oneself, and finish it."""
    with run.alone():
        learn_and_map(
            run, scene, learning, device=device, report=report, progress=progress,
            started=started, state=state,
        )  # fmt: skip
    return run


def learn_and_map(
    run: Run,
    scene: Scene,
    learning: Learning,
    *,
    device: torch.device,
    report: bool,
    progress: Progress | None,
    started: Callable[[Run], None] | None,
    state: State | None,
    ranks: Ranks | None = None,
) -> None:
    """Train from the beginning or from a state, map, test, and write it all into the run.

    Parameters
    ----------
    run : Run
        That this process has for itself.
    scene, learning
        What it learns from, and what learns.
    device, report, progress, started
        As for `train`.
    state : State or None
        Where to go on.
    ranks : Ranks, optional
        Who train it together; this is the first.
    """
    run.states.learned_from = run.begun_with
    run.states.processes = ranks.size if ranks else 1
    how: dict[str, Any] = {"agree": ranks.highest, "patience": ranks.patience} if ranks else {}
    with stoppable(**how) as stop:
        kept = Kept(
            run,
            learning.classifier,
            works=f"`hsi map {run.path}` and `hsi evaluate {run.path}` work with",
            settle=learning.settle,
            stop=stop,
            less_memory=_less_memory(run.settings),
            command=f"{ranks.launched.command} -m {run.COMMAND}" if ranks else None,
        )
        with kept.keeping():
            if started:
                started(run)
            with stop.after_steps() if learning.has_steps else nullcontext():
                learned = learning.run(
                    progress=progress,
                    keep=kept,
                    after_step=kept.after_step,
                    resume=state,
                    ranks=ranks,
                )
            run.save_classifier(learned.classifier)
            if learned.history:
                run.save_history(learned.history)
            save_products(run, scene, learned, device=device, report=report)


def _less_memory(settings: Settings) -> str:
    batch = f"--batch-size (now {settings.recipe.batch_size})"
    if settings.side == 1:
        return f"Lower {batch}, or compute elsewhere: --device cpu."
    parts = f"--patch-size (now {settings.side})"
    if settings.components:
        parts += f" or --components (now {settings.components})"
    return f"Lower {batch}; if that is not enough, {parts}; or compute elsewhere: --device cpu."


def _as_given(split: Split, scene: Scene, settings: Settings) -> Split:
    """Return a split that was handed over, with the patches of this training."""
    if scene.labels is None or split.train.shape != scene.labels.shape:
        raise UsageError(
            f"the split is of a scene of {split.train.shape}; {scene.name} has "
            f"{'no labels' if scene.labels is None else f'labels of {scene.labels.shape}'}"
        )
    used = split.train | split.validation | split.test
    lost = int(np.count_nonzero(used & ~((scene.labels > 0) & scene.valid)))
    if lost:
        raise UsageError(
            f"{lost:,} pixels of the split are without a label or without data in {scene.name}"
        )
    return dataclasses.replace(split, patch_size=settings.side)


def _free_path(scene: Scene, settings: Settings) -> Path:
    """Return a folder under ``runs/`` that says what it holds and is not taken."""
    name = f"{folder_name(scene.name)}-{settings.network}-{settings.split}-seed{settings.seed}"
    return free_path(Path("runs") / name)
