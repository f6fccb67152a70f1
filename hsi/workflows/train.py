"""From a scene to a finished run: split, reduction, training, map, report."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from hsi.backbones.weights import NO_WEIGHTS, lasting
from hsi.errors import UsageError
from hsi.files import folder_name, free_path, usable_path
from hsi.inference import resolve_device
from hsi.models import build_model, check_once
from hsi.sampling import BandPCA, Split, to_targets
from hsi.scenes import Scene
from hsi.training import Classifier, Progress, Run, Settings, check_free, fit, settle
from hsi.workflows.kept import Kept
from hsi.workflows.products import save_products
from hsi.workflows.splitting import split_for, with_split


def train(
    scene: Scene,
    settings: Settings | None = None,
    *,
    out: Path | str | None = None,
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
        With a note that says what the run is good for: from its first epoch on, it keeps a
        checkpoint, with which `hsi.map_scene` and `hsi.evaluate` work.

    Examples
    --------
    >>> import hsi
    >>> scene = hsi.load_scene("synthetic")
    >>> run = hsi.train(scene, model="hybridsn-dw", train=0.1, out="runs/first")  # doctest: +SKIP
    >>> run.metrics["oa"]  # doctest: +SKIP
    """
    settings = (settings or Settings()).changed(**changes)
    settings = with_split(settings, scene, asked=changes.get("split")).changed(
        components=settings.components or min(scene.components, scene.bands),
        weights=lasting(settings.weights),
    )
    where = resolve_device(device)
    path = usable_path(_free_path(scene, settings) if out is None else out, "out")
    check_free(path)
    split = split_for(scene, settings)
    assert scene.labels is not None  # else there is no split
    classifier = _untrained(scene, split, settings)
    cube = classifier.components(scene)

    run = Run.create(path, settings=settings, source=scene.source, split=split, labels=scene.labels)
    works = f"`hsi map {path}` and `hsi evaluate {path}` work with"
    learning: dict[str, Any] = {
        "train": split.train,
        "recipe": settings.recipe,
        "seed": settings.seed,
        "device": where,
    }
    targets = to_targets(scene.labels, classifier.class_ids)
    kept = Kept(
        run,
        classifier,
        works=works,
        settle=lambda: settle(classifier.network, cube, targets, **learning),
    )
    try:
        if started:
            started(run)
        start = time.perf_counter()
        history = fit(
            classifier.network,
            cube,
            targets,
            validation=split.validation,
            progress=progress,
            keep=kept,
            **learning,
        )
        seconds = time.perf_counter() - start
        run.save_classifier(classifier)
        run.save_history(history)
        save_products(run, scene, classifier, history, device=where, train_seconds=seconds)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(kept.save())
        raise
    except BaseException:
        run.discard_if_untrained()
        raise
    return run


def _untrained(scene: Scene, split: Split, settings: Settings) -> Classifier:
    """Return a classifier with fitted components and fresh weights."""
    assert settings.components is not None
    if settings.components > scene.bands:
        raise UsageError(
            f"{settings.components} components cannot be made of the {scene.bands} bands of "
            f"{scene.name}; choose fewer components (--components)"
        )
    options: dict[str, Any] = {
        "name": settings.model,
        "bands": settings.components,
        "classes": len(scene.class_ids),
        "patch_size": settings.patch_size,
        "norm": settings.norm,
        "dropout": settings.recipe.dropout,
        "attention": None if settings.attention == "none" else settings.attention,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        # Not among the options: a trained model needs no file to start from.
        network = build_model(**options, weights=_weights(settings))
    check_once(network)
    fit_on = split.train if settings.pca_fit == "train" else scene.valid
    reduction = BandPCA(settings.components, whiten=settings.whiten)
    return Classifier(
        network=network,
        options=options,
        reduction=reduction.fit(scene.cube, mask=fit_on),
        class_ids=scene.class_ids,
        class_names=scene.class_names,
        class_colors=scene.class_colors,
        wavelengths=scene.wavelengths,
        fwhm=scene.fwhm,
        file_bands=scene.file_bands,
    )


def _weights(settings: Settings) -> str | None:
    return None if settings.weights == NO_WEIGHTS else settings.weights


def _free_path(scene: Scene, settings: Settings) -> Path:
    """Return a folder under ``runs/`` that says what it holds and is not taken."""
    name = f"{folder_name(scene.name)}-{settings.network}-{settings.split}-seed{settings.seed}"
    return free_path(Path("runs") / name)
