"""From two modalities to a finished run: split, reductions, training, test."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hsi.errors import RunError
from hsi.files import folder_name, free_path, usable_path
from hsi.inference import resolve_device
from hsi.interrupts import stoppable
from hsi.retrieval import MODALITIES
from hsi.sampling import to_targets
from hsi.training import Progress, check_free
from hsi.training.fit_retrieval import fit_retrieval
from hsi.training.retrieval_run import RetrievalRun
from hsi.training.retrieval_settings import RetrievalSettings
from hsi.training.retriever import Retriever
from hsi.training.state import State
from hsi.workflows.going_on import state_to_go_on_from
from hsi.workflows.kept import Kept
from hsi.workflows.retrieve.pair import Pair, open_pair
from hsi.workflows.retrieve.preparing import check_sets, resolved, untrained, with_data
from hsi.workflows.retrieve.products import save_retrieval_products
from hsi.workflows.splitting import prepared


def train_retrieval(
    pair: Pair,
    settings: RetrievalSettings | None = None,
    *,
    out: Path | str | None = None,
    report: bool = True,
    device: str | torch.device = "auto",
    progress: Progress | None = None,
    started: Callable[[RetrievalRun], None] | None = None,
    **changes: Any,
) -> RetrievalRun:
    """Bring two modalities into one space on part of the labelled pixels; test on the rest.

    Parameters
    ----------
    pair : Pair
        With labels; see `raster_pair` and `feature_pair`.
    settings : RetrievalSettings, optional
        Where to start from; without, the usual settings.
    out : path, optional
        The run folder, which must not hold anything yet. Without, a new folder under ``runs/``.
    report : bool
        Whether to draw queries with what they found.
    device : str or torch.device
        ``"auto"`` is the first CUDA device or else the CPU.
    progress : Progress, optional
        Told of every step and epoch.
    started : callable, optional
        Told of the run before its training starts.
    **changes
        Settings by name; see `hsi.training.retrieval_settings.RetrievalSettings`.

    Returns
    -------
    RetrievalRun
        Finished: its `metrics` hold the mean average precisions.

    Raises
    ------
    UsageError
        If the settings do not fit each other or the pair.
    RunError
        If the folder is taken or cannot be written.
    KeyboardInterrupt
        After the step that goes on, if SIGINT or SIGTERM came; with a note that says what the run
        is good for. `resume_retrieval` goes on with it. A second signal ends the process.

    Examples
    --------
    >>> import hsi
    >>> from hsi.workflows.retrieve import raster_pair, train_retrieval
    >>> pair = raster_pair(hsi.load_scene("salinas_a"), "rgb")  # doctest: +SKIP
    >>> run = train_retrieval(pair, split="blocks")  # doctest: +SKIP
    >>> run.metrics["map"]["first_to_second"], run.metrics["chance"]["mean"]  # doctest: +SKIP
    """
    settings = (settings or RetrievalSettings()).changed(**changes)
    settings = resolved(settings, pair, asked=changes.get("split"))
    where = resolve_device(device)
    path = usable_path(_free_path(pair, settings) if out is None else out, "out")
    check_free(path)
    scene, split = prepared(pair.first, settings.of_split)
    pair = dataclasses.replace(pair, first=scene)
    split = with_data(split, pair)
    check_sets(scene, split)
    retriever = untrained(pair, split, settings)
    run = RetrievalRun.create(
        path,
        settings=settings,
        source=pair.source,
        split=split,
        labels=scene.labels,
        fingerprint=pair.fingerprint,
    )
    return _go_on(
        run, pair, retriever, device=where, report=report, progress=progress, started=started
    )


def resume_retrieval(
    run: RetrievalRun | Path | str,
    pair: Pair | None = None,
    *,
    bitwise: bool = True,
    report: bool = True,
    device: str | torch.device = "auto",
    progress: Progress | None = None,
    started: Callable[[RetrievalRun], None] | None = None,
    noted: Callable[[str], None] | None = None,
) -> RetrievalRun:
    """Go on with a training that was interrupted, to the same result as without interruption.

    Parameters
    ----------
    run : RetrievalRun or path
        Its folder.
    pair : Pair, optional
        What it is trained on; without, it is opened from where the run found it.
    bitwise : bool
        Whether to refuse to go on with other versions, another number of threads or another device,
        with which the last bits of the result may differ.
    report, device, progress, started
        As for `train_retrieval`.
    noted : callable, optional
        Told what is to be known of how it goes on.

    Raises
    ------
    UsageError
        If the run is finished.
    RunError
        If it is damaged, another process trains it, its data are no longer the same, or bits could
        differ.
    """
    run = run if isinstance(run, RetrievalRun) else RetrievalRun(run)
    run.check_unfinished(f"`hsi retrieve query {run.path} --at ROW,COL` searches with it.")
    where = resolve_device(device)
    pair = pair_of(run, pair)
    found = state_to_go_on_from(run, where, bitwise=bitwise, noted=noted)
    retriever = untrained(pair, run.split_file.split, run.settings)
    return _go_on(
        run, pair, retriever, device=where, report=report, progress=progress, started=started,
        state=found.state if found else None,
    )  # fmt: skip


def pair_of(run: RetrievalRun, pair: Pair | None = None) -> Pair:
    """Return the pair of a run, opened where it is not handed over, with the run's labels.

    Raises
    ------
    RunError
        If values or labels are not those that the run was trained on.
    """
    pair = open_pair(run.config["pair"]) if pair is None else pair
    known = run.split_file
    if pair.fingerprint != known.cube:
        raise RunError(
            f"the values of {pair.first.name} or {pair.second.name} are not those that {run.path} "
            "was trained on\nWere their files changed, or others put in their places?"
        )
    scene = known.labelled(pair.first)
    if not known.is_of(scene.labels):
        raise RunError(
            f"the labels of {scene.name} are not those that {run.path} was split on; was their "
            "file changed?"
        )
    return dataclasses.replace(pair, first=scene)


def _go_on(
    run: RetrievalRun,
    pair: Pair,
    retriever: Retriever,
    *,
    device: torch.device,
    report: bool,
    progress: Progress | None,
    started: Callable[[RetrievalRun], None] | None,
    state: State | None = None,
) -> RetrievalRun:
    """Train from the beginning or from a state, test, and write it all into the run."""
    split, settings = run.split_file.split, run.settings
    assert pair.first.labels is not None
    run.states.learned_from = run.begun_with
    with run.alone(), stoppable() as stop:
        kept = Kept(
            run,
            retriever,
            works=f"`hsi retrieve query {run.path} ...` works with",
            stop=stop,
            less_memory=(
                f"Lower --batch-size (now {settings.batch_size}) or --patch-size (now "
                f"{settings.side}), or compute elsewhere: --device cpu."
            ),
        )
        with kept.keeping():
            if started:
                started(run)
            sources = {
                modality: retriever.patches(modality, pair.scene(modality), device=device)
                for modality in MODALITIES
            }
            # Labels of test pixels are not at hand while something is learned or chosen.
            known = np.where(split.train | split.validation, pair.first.labels, 0)
            with stop.after_steps():
                history = fit_retrieval(
                    retriever,
                    sources,
                    to_targets(known, retriever.class_ids),
                    train=np.argwhere(split.train),
                    validation=np.argwhere(split.validation),
                    settings=settings,
                    device=device,
                    progress=progress,
                    keep=kept,
                    after_step=kept.after_step,
                    resume=state,
                )
            run.save_classifier(retriever)
            run.save_history(history)
            save_retrieval_products(
                run, pair, retriever, sources, history, device=device, report=report
            )
    return run


def _free_path(pair: Pair, settings: RetrievalSettings) -> Path:
    """Return a folder under ``runs/`` that says what it holds and is not taken."""
    name = f"{folder_name(pair.first.name)}-retrieval-{settings.split}-seed{settings.seed}"
    return free_path(Path("runs") / name)
