"""From folders of photographs to a finished run: sets, training, test, report."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from hsi.backbones.weights import lasting
from hsi.errors import RunError, UsageError
from hsi.files import expand_home, folder_name, free_path, usable_path
from hsi.inference import resolve_device
from hsi.interrupts import stoppable
from hsi.photographs import PhotographSets, open_sets
from hsi.sampling.photograph_augmentation import photograph_augmentation
from hsi.training import (
    PhotographClassifier,
    Progress,
    TransferRun,
    TransferSettings,
    check_free,
    fit_photographs,
)
from hsi.training.state_file import Found
from hsi.training.transfer_settings import VALIDATION
from hsi.workflows.going_on import state_to_go_on_from
from hsi.workflows.kept import Kept
from hsi.workflows.photograph_network import untrained
from hsi.workflows.photograph_products import save_photograph_products
from hsi.workflows.photograph_sets import check_held_out, read_sets

Images = str | os.PathLike[str]


def transfer(
    images: Images,
    settings: TransferSettings | None = None,
    *,
    out: Path | str | None = None,
    device: str | torch.device = "auto",
    progress: Progress | None = None,
    reading: Callable[[int, int], None] | None = None,
    started: Callable[[TransferRun], None] | None = None,
    **changes: Any,
) -> TransferRun:
    """Train an image network on folders of photographs, test it, and say what to make of it.

    `images` holds one folder for each class, named after it; or ``train/`` and, if there are any,
    ``validation/`` and ``test/``, each with such folders. Validation photographs are drawn from
    the training where no folder has them. With a test set, the epoch that does best on them gives
    the weights, and the test is made once, at the end. Without one, they are what the network is
    tested on, and choose nothing: the weights are those of the last epoch.

    Parameters
    ----------
    images : path
        The folder.
    settings : TransferSettings, optional
        Where to start from; without, the usual settings.
    out : path, optional
        The run folder, which must not hold anything yet. Without, a new folder under ``runs/``.
    device : str or torch.device
        ``"auto"`` is the first CUDA device or else the CPU.
    progress : Progress, optional
        Told of every step and epoch.
    reading : callable, optional
        Told how many of how many photographs are read.
    started : callable, optional
        Told of the run before the photographs are read.
    **changes
        Settings by name: ``backbone="resnet18"``, ``weights="imagenet"``, ``freeze="features"``,
        ``epochs=3``. See `hsi.training.TransferSettings`.

    Returns
    -------
    TransferRun
        Finished: its `metrics` hold the accuracies of each set, its folder the report.

    Raises
    ------
    UsageError
        If the settings do not fit each other or the photographs.
    PhotographError
        If there are no photographs, or no folders of classes.
    RunError
        If the run folder is taken or cannot be written.
    KeyboardInterrupt
        After the step that goes on, if SIGINT or SIGTERM came; with a note that says what the run
        is good for: `resume_transfer` goes on with it, and from its first epoch on it keeps a
        checkpoint, with which `hsi transfer predict` works. A second signal ends the process.

    Examples
    --------
    >>> import hsi
    >>> run = hsi.transfer("pets", backbone="lenet5", epochs=20)  # doctest: +SKIP
    >>> run.metrics["accuracy"]["train"], run.metrics["oa"]  # doctest: +SKIP
    """
    settings = (settings or TransferSettings()).changed(**changes)
    where = resolve_device(device)
    root = expand_home(usable_path(images, "images"), "images")
    path = usable_path(_free_path(root, settings) if out is None else out, "out")
    check_free(path)
    sets = open_sets(root)
    _check_apart(path, sets)
    check_held_out(sets)
    settings = settings.changed(
        validation=_validation(sets, settings),
        weights=None if settings.weights is None else lasting(settings.weights),
    )
    photograph_augmentation(settings.augmentation, size=settings.side)  # kornia may be missing
    classifier = untrained(sets.train.class_names, settings)

    run = TransferRun.create(path, settings=settings, images=root)
    return _go_on(
        run, sets, classifier, device=where, progress=progress, reading=reading, started=started
    )


def resume_transfer(
    run: TransferRun | Path | str,
    *,
    bitwise: bool = True,
    device: str | torch.device = "auto",
    progress: Progress | None = None,
    reading: Callable[[int, int], None] | None = None,
    started: Callable[[TransferRun], None] | None = None,
    noted: Callable[[str], None] | None = None,
) -> TransferRun:
    """Go on with a transfer that was interrupted, to the same result as without interruption.

    Parameters
    ----------
    run : TransferRun or path
        Its folder.
    bitwise : bool
        Whether to refuse to go on with other versions, another number of threads or another device,
        with which the last bits of the result may differ.
    device, progress, reading, started
        As for `transfer`.
    noted : callable, optional
        Told what is to be known of how it goes on.

    Returns
    -------
    TransferRun
        Finished.

    Raises
    ------
    UsageError
        If the run is finished.
    RunError
        If it is damaged, another process trains it, its photographs are no longer the same, or bits
        could differ.
    """
    run = run if isinstance(run, TransferRun) else TransferRun(run)
    run.check_unfinished(
        f"`hsi transfer IMAGES --config {run.path / 'config.toml'}` trains again, into another "
        "folder."
    )
    where = resolve_device(device)
    found = state_to_go_on_from(run, where, bitwise=bitwise, noted=noted)
    sets = open_sets(Path(run.config["photographs"]["images"]))
    check_held_out(sets)
    classifier = untrained(sets.train.class_names, run.settings)
    return _go_on(
        run, sets, classifier, device=where, progress=progress, reading=reading, started=started,
        found=found,
    )  # fmt: skip


def _go_on(
    run: TransferRun,
    sets: PhotographSets,
    classifier: PhotographClassifier,
    *,
    device: torch.device,
    progress: Progress | None,
    reading: Callable[[int, int], None] | None,
    started: Callable[[TransferRun], None] | None,
    found: Found | None = None,
) -> TransferRun:
    """Read, train from the beginning or from a state, test, and write it all into the run."""
    settings, root = run.settings, Path(run.config["photographs"]["images"])
    with run.alone(), stoppable() as stop:
        kept = Kept(
            run,
            classifier,
            works=f"`hsi transfer predict {run.path} ...` works with",
            stop=stop,
            less_memory=(
                f"Lower --batch-size (now {settings.batch_size}) or --size (now {settings.side}), "
                "or compute elsewhere: --device cpu."
            ),
        )
        with kept.keeping():
            if started:
                started(run)
            start = time.perf_counter()
            read = read_sets(
                root,
                sets,
                side=classifier.side,
                size=classifier.size,
                validation=settings.validation or 0.0,
                seed=settings.seed,
                folder=run.path,
                progress=reading,
            )
            run.states.learned_from = f"{run.begun_with} {read.fingerprint}"
            if found and found.learned_from != run.states.learned_from:
                raise RunError(
                    f"the photographs in {root} are not those that {run.path} was begun with: some "
                    "were added, removed, moved or changed\n"
                    "Put them back as they were, or train anew, into another folder."
                )
            read_seconds = time.perf_counter() - start
            # All but the test comes first, and the test stays out of sight.
            learning = int((read.sets < 2).sum())
            with stop.after_steps():
                history = fit_photographs(
                    classifier,
                    read.decoded.images[:learning],
                    read.targets[:learning],
                    train=read.of("train"),
                    validation=read.of("validation"),
                    choose=bool(len(read.of("test"))),
                    settings=settings,
                    device=device,
                    progress=progress,
                    keep=kept,
                    after_step=kept.after_step,
                    resume=found.state if found else None,
                )
            seconds = time.perf_counter() - start - read_seconds
            seconds += found.state.place.seconds if found else 0.0
            run.save_classifier(classifier)
            run.save_history(history)
            save_photograph_products(
                run, classifier, read, history, read_seconds=read_seconds, train_seconds=seconds
            )
    return run


def _validation(sets: PhotographSets, settings: TransferSettings) -> float:
    """Return the share of the training photographs to draw for validation."""
    if sets.validation is not None:
        if settings.validation:
            raise UsageError(
                f"{sets.validation.path} holds the validation photographs, so that none are drawn "
                "from the training\nLeave out validation (--validation), or move the folder."
            )
        return 0.0
    share = VALIDATION if settings.validation is None else settings.validation
    if not share and sets.test is None:
        raise UsageError(
            "nothing would be left to test on: there is no folder test, and validation is 0\n"
            "Let photographs be drawn for validation: --validation 0.2."
        )
    return share


def _free_path(root: Path, settings: TransferSettings) -> Path:
    """Return a folder under ``runs/`` that says what it holds and is not taken."""
    name = f"{folder_name(root.name)}-{settings.backbone}-{settings.freeze}-seed{settings.seed}"
    return free_path(Path("runs") / name.replace("-none-", "-"))


def _check_apart(path: Path, sets: PhotographSets) -> None:
    """Refuse a run among the classes: the next training would take its pictures for a class."""
    held = [each.path for each in (sets.train, sets.validation, sets.test) if each is not None]
    for folder in held:
        if path.resolve().is_relative_to(folder.resolve()):
            raise RunError(
                f"{path} lies among the photographs of {folder}, and its pictures would be taken "
                "for more of them\nChoose another folder: out=, or --out on the command line."
            )
