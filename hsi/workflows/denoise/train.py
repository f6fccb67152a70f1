"""From scenes to a finished run of a denoiser."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.denoising import DnCNN, Ranges
from hsi.errors import RunError, UsageError
from hsi.files import folder_name, free_path, usable_path
from hsi.inference import resolve_device
from hsi.interrupts import stoppable
from hsi.scenes import Scene, open_scene
from hsi.training import (
    Denoiser,
    DenoiseRun,
    DenoiseSettings,
    Progress,
    fit_denoiser,
)
from hsi.training.state_file import Found, computing_with
from hsi.workflows.going_on import state_to_go_on_from
from hsi.workflows.kept import Kept

Sources = Sequence[Mapping[str, Any]]


def train_denoiser(
    scenes: Sequence[Scene],
    settings: DenoiseSettings | None = None,
    *,
    validation: Sequence[Scene] = (),
    out: Path | str | None = None,
    device: str | torch.device = "auto",
    progress: Progress | None = None,
    started: Callable[[DenoiseRun], None] | None = None,
    **changes: Any,
) -> DenoiseRun:
    """Train a network that takes noise out of scenes.

    Noise is added to the scenes, which are taken to be clean, anew in each step; what noise they
    have themselves is not learned.

    Parameters
    ----------
    scenes : sequence of Scene
        To learn from; they may have different bands. They are read into memory.
    settings : DenoiseSettings, optional
        Where to start from; without, the usual settings.
    validation : sequence of Scene
        Other scenes, which only tell how the training goes.
    out : path, optional
        The run folder, which must not hold anything yet. Without, a new folder under ``runs/``.
    device : str or torch.device
        ``"auto"`` is the first CUDA device or else the CPU.
    progress : Progress, optional
        Told of every step and epoch.
    started : callable, optional
        Told of the run before its training starts.
    **changes
        Settings by name: ``sigma="0-55"``, ``on="bands"``. See `hsi.training.DenoiseSettings`.

    Returns
    -------
    DenoiseRun
        Finished.

    Raises
    ------
    UsageError
        If the settings do not fit each other or the scenes.
    RunError
        If the run folder is taken or cannot be written.
    KeyboardInterrupt
        After the step that goes on, if SIGINT or SIGTERM came; with a note that says what the run
        is good for: `resume_denoiser` goes on with it. A second signal ends the process.
    """
    settings = (settings or DenoiseSettings()).changed(**changes)
    where = resolve_device(device)
    if not scenes:
        raise UsageError("there is no scene to learn from: name one or more")
    cubes, held_out = _cubes(scenes, settings), _cubes(validation, settings)
    path = usable_path(_free_path(scenes, settings) if out is None else out, "out")
    run = DenoiseRun.create(
        path,
        settings=settings,
        scenes=[scene.source for scene in scenes],
        validation=[scene.source for scene in validation],
    )
    return _go_on(run, cubes, held_out, device=where, progress=progress, started=started)


def resume_denoiser(
    run: DenoiseRun | Path | str,
    *,
    bitwise: bool = True,
    device: str | torch.device = "auto",
    progress: Progress | None = None,
    started: Callable[[DenoiseRun], None] | None = None,
    noted: Callable[[str], None] | None = None,
) -> DenoiseRun:
    """Go on with a training that was interrupted, to the same result as without interruption.

    Parameters
    ----------
    run : DenoiseRun or path
        Its folder.
    bitwise : bool
        Whether to refuse to go on with other versions, another number of threads or another device,
        with which the last bits of the result may differ.
    device, progress, started
        As for `train_denoiser`.
    noted : callable, optional
        Told what is to be known of how it goes on.

    Returns
    -------
    DenoiseRun
        Finished.

    Raises
    ------
    UsageError
        If the run is finished.
    RunError
        If it is damaged, another process trains it, its scenes are no longer the same, or bits
        could differ.
    """
    run = run if isinstance(run, DenoiseRun) else DenoiseRun(run)
    run.check_unfinished(
        f"`hsi denoise train --config {run.path / 'config.toml'}` trains again, into another "
        "folder."
    )
    where = resolve_device(device)
    found = state_to_go_on_from(run, where, bitwise=bitwise, noted=noted)
    cubes, held_out = (
        _cubes([open_scene(each) for each in _sources(run, name)], run.settings)
        for name in ("scenes", "validation")
    )
    return _go_on(
        run, cubes, held_out, device=where, progress=progress, started=started, found=found
    )


def _sources(run: DenoiseRun, name: str) -> Sources:
    """Return how the scenes of a run are opened."""
    sources: Sources = run.config["denoise"][name]
    if any(not each for each in sources):
        raise RunError(
            f"{run.path} was trained on a scene that was made in memory, and cannot open it again\n"
            "Write the scene to a file, and train on that."
        )
    return sources


def _go_on(
    run: DenoiseRun,
    cubes: Sequence[NDArray[np.float32]],
    validation: Sequence[NDArray[np.float32]],
    *,
    device: torch.device,
    progress: Progress | None,
    started: Callable[[DenoiseRun], None] | None,
    found: Found | None = None,
) -> DenoiseRun:
    """Train from the beginning or from a state, and write it all into the run."""
    settings = run.settings
    denoiser = _untrained(settings)
    run.states.learned_from = f"{run.begun_with} {_fingerprint((*cubes, *validation))}"
    if found and found.learned_from != run.states.learned_from:
        raise RunError(
            f"the scenes of {run.path} are not those that it was begun with: a file was changed\n"
            "Put them back as they were, or train anew, into another folder."
        )
    with run.alone(), stoppable() as stop:
        kept = Kept(
            run,
            denoiser,
            works=f"`hsi denoise apply {run.path} ...` works with",
            stop=stop,
            less_memory=(
                f"Lower --batch-size (now {settings.batch_size}) or --patch-size (now "
                f"{settings.patch_size}), or compute elsewhere: --device cpu."
            ),
        )
        with kept.keeping():
            if started:
                started(run)
            start = time.perf_counter()
            with stop.after_steps():
                history = fit_denoiser(
                    denoiser,
                    cubes,
                    validation=validation,
                    settings=settings,
                    device=device,
                    progress=progress,
                    keep=kept,
                    after_step=kept.after_step,
                    resume=found.state if found else None,
                )
            seconds = time.perf_counter() - start + (found.state.place.seconds if found else 0.0)
            run.save_classifier(denoiser)
            run.save_history(history)
            run.save_metrics(
                {
                    "noise_removed": history[-1].train_accuracy,
                    "validation_noise_removed": history[-1].validation_accuracy,
                    "loss": history[-1].loss,
                    "parameters": sum(each.numel() for each in denoiser.network.parameters()),
                    "layers": settings.layers,
                    "steps": settings.epochs * settings.steps,
                    "pixels": int(sum(np.prod(cube.shape[:2]) for cube in cubes)),
                    "train_seconds": seconds,
                    "seed": settings.seed,
                    "computed_with": computing_with(device),
                }
            )
    return run


def _untrained(settings: DenoiseSettings) -> Denoiser:
    """Return a denoiser with fresh weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = DnCNN(channels=settings.channels, depth=settings.layers)
    learned = {"sigma": settings.sigma, "noise": list(settings.noise)}
    return Denoiser(network=network, on=settings.on, learned=learned)


def _cubes(scenes: Sequence[Scene], settings: DenoiseSettings) -> list[NDArray[np.float32]]:
    """Return scenes, and each part of mosaics, in shares of their bands' ranges; NaN without data.

    Raises
    ------
    UsageError
        If one is smaller than a patch, or has fewer bands than are denoised together.
    """
    cubes, denoiser = [], _untrained(settings)
    for scene in scenes:
        if min(scene.shape[:2]) < settings.patch_size:
            raise UsageError(
                f"{scene.name} has {scene.rows} x {scene.cols} pixels, and a patch "
                f"{settings.patch_size} x {settings.patch_size}: choose smaller ones (--patch-size)"
            )
        denoiser.check_bands(scene.bands, name=scene.name)
        if scene.valid.sum() < 2:
            raise UsageError(f"{scene.name} has no pixel with data in every band to learn from")
        shares = np.full(scene.shape, np.nan, dtype=np.float32)
        values = np.asarray(scene.cube[:], dtype=np.float64)
        ranges = Ranges.of(values[scene.valid])
        shares[scene.valid] = ranges.shares(values[scene.valid])
        cubes.append(shares)
    return cubes


def _fingerprint(cubes: Sequence[NDArray[np.float32]]) -> str:
    digest = hashlib.sha256()
    for cube in cubes:
        digest.update(repr(cube.shape).encode())
        digest.update(np.ascontiguousarray(cube).data)
    return digest.hexdigest()


def _free_path(scenes: Sequence[Scene], settings: DenoiseSettings) -> Path:
    """Return a folder under ``runs/`` that says what it holds and is not taken."""
    name = f"denoise-{folder_name(scenes[0].name)}-{settings.on}-seed{settings.seed}"
    return free_path(Path("runs") / name)
