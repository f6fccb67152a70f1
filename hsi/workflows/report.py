"""The page of a run made again, or made for another scene."""

from __future__ import annotations

import csv
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hsi.errors import RunError
from hsi.evaluation import ALL_LABELLED
from hsi.files import check_possible_folder, folder_name, page_path, write_text
from hsi.inference import resolve_device
from hsi.report import class_map_figure, confusion_figure, figure_png, render_report
from hsi.report.explorer import Mapped
from hsi.report.sections import PageFigure
from hsi.report.words import as_sentence
from hsi.sampling import Split
from hsi.scenes import Scene, open_scene
from hsi.scenes.common import with_ids_of
from hsi.scenes.levels import level_notes
from hsi.scenes.trained_bands import comparison_notes
from hsi.sums import check_sum
from hsi.training import Classifier, Run
from hsi.workflows.assess import accuracy, remarks
from hsi.workflows.mapped import map_and_confidence
from hsi.workflows.products import versions
from hsi.workflows.run_page import CAPTIONS, explorer_of, render_run, run_figures, scene_size


def write_report(
    run: Run,
    scene: Scene | None = None,
    *,
    out: Path | str | None = None,
    device: str | torch.device = "auto",
) -> Path:
    """Map a scene with a run's classifier and write a page to look at; return its path.

    Parameters
    ----------
    run : Run
        A finished run.
    scene : Scene, optional
        Another scene of the same bands. Its labelled pixels, if there are any, are the test.
        Without, the scene of the run, with the run's own test pixels.
    out : path, optional
        The page, ``NAME.html``. Without, ``report.html`` in the run, or for another scene in
        ``maps/NAME`` there; a page that is already there is replaced.
    device : str or torch.device
        As for `hsi.predict_scene`.

    Raises
    ------
    UsageError
        If the bands of the scene are not those of the run, or `out` is no name of a page, or that
        of another one in a run.
    RunError
        If the run is damaged or did not finish, its scene was changed, or the page cannot be
        written.
    """
    own = scene is None or (bool(scene.source) and scene.source == run.config["scene"])
    path = _page_path(run, None if own else scene, out)
    scene = scene or open_scene(run.source)
    stored = run.metrics
    scene = run.labelled(scene) if own else with_ids_of(scene, run.classifier.class_names)
    mapped, seconds = map_and_confidence(run.classifier, scene, device=device)
    if own:
        page = _own_page(run, scene, mapped, stored)
    else:
        where = resolve_device(device)
        page = _other_page(run, scene, mapped, seconds=seconds, device=where)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, page)
    except OSError as error:
        raise RunError(f"cannot write the page {path}: {error.strerror or error}") from error
    return path


def _page_path(run: Run, other: Scene | None, out: Path | str | None) -> Path:
    if out is None:
        folder = run.path if other is None else run.path / "maps" / folder_name(other.name)
        return folder / "report.html"
    path = page_path(out, own=run.path if other is None else None)
    check_possible_folder(path.parent)
    return path


def _own_page(run: Run, scene: Scene, mapped: Mapped, stored: dict[str, Any]) -> str:
    metrics = stored | accuracy(run.classifier, scene, run.split, mapped.class_map)
    history = _history(run) if metrics["epochs"] else []
    figures = run_figures(scene, run.split, metrics, history)
    pictures = {name: figure_png(figure) for name, figure in figures.items()}
    # "cpu", or the name of a CUDA device.
    device = torch.device("cpu" if metrics["device"] == "cpu" else "cuda")
    return render_run(
        run,
        scene,
        mapped,
        split=run.split,
        metrics=metrics,
        history=history,
        pictures={"class_map.png": _map_picture(run, scene, mapped)} | pictures,
        device=device,
    )


def _other_page(
    run: Run, scene: Scene, mapped: Mapped, *, seconds: float, device: torch.device
) -> str:
    """Return a page about another scene than that of the run."""
    split, notes = _all_tested(run.classifier, scene, mapped)
    notes.insert(0, _relation(run, scene))
    metrics = None
    figures = [PageFigure(CAPTIONS["class_map.png"][0], _map_picture(run, scene, mapped))]
    told = comparison_notes(scene, run.classifier.bands)
    told += level_notes(scene, run.classifier.reduction)
    notes += map(as_sentence, told)
    if split is not None:
        metrics = accuracy(run.classifier, scene, split, mapped.class_map)
        notes += map(as_sentence, remarks(metrics, split))
        names = [each["name"] for each in metrics["per_class"]]
        confusion = figure_png(confusion_figure(metrics["confusion"], names=names))
        caption, chart = CAPTIONS["confusion.png"]
        figures.append(PageFigure(caption, confusion, chart))
    command = ["hsi", "report", str(run.path.absolute()), *_scene_options(scene.source)]
    return render_report(
        title=f"{scene.name}: {run.settings.network}, trained on {_trained_on(run)}",
        summary=[
            ("Scene", scene_size(scene)),
            ("Run", str(run.path.absolute())),
            ("Map", f"{seconds:.2f} s on {device.type}"),
        ],
        metrics=metrics,
        figures=figures,
        notes=notes,
        command=shlex.join(command),
        versions=versions(),
        subject="Scene and run",
        explorer=explorer_of(scene, mapped, split=split, metrics=metrics),
    )


def _relation(run: Run, scene: Scene) -> str:
    """Return what a scene, other than that of the run as a whole, has to do with its training."""
    place = scene.source.get("dataset"), scene.source.get("key")
    for part in run.config["scene"].get("parts", []):
        if place == (part["dataset"], part.get("key")):
            return {
                "validation": "By this scene the training was watched: its pixels are not unseen.",
                "test": "This is one of the scenes of the run's own test.",
            }.get(
                part.get("role", "train"),
                "The network was trained on this scene: what it does here says little of others.",
            )
    if run.holds_cube_of(scene):
        return (
            "These are the pixels of the scene that the network was trained on: what it does here "
            "says little of others."
        )
    return "This is not the scene that the network was trained on."


def _all_tested(
    classifier: Classifier, scene: Scene, mapped: Mapped
) -> tuple[Split | None, list[str]]:
    """Return all labelled pixels of known classes as a test, and what must be said of it."""
    notes: list[str] = []
    if scene.labels is None:
        return None, notes
    labelled = (scene.labels > 0) & (mapped.class_map > 0)
    known = labelled & np.isin(scene.labels, classifier.class_ids)
    for i in scene.class_ids.tolist():
        theirs, own = scene.class_names[i], classifier.class_names.get(i)
        if own is not None and own != theirs and f"class {i}" not in (own, theirs):
            known &= scene.labels != i
            notes.append(f"Its class {i} is {theirs!r}, that of the network {own!r}: not tested.")
    if not known.any():
        return None, [*notes, "None of its labelled pixels is of a class that the network knows."]
    notes.append("Accuracies are of all labelled pixels of classes that the network knows.")
    strange = int(np.count_nonzero(labelled & ~known))
    if strange:
        notes.append(
            f"{strange:,} labelled pixels are of classes that it does not know; they do not count."
        )
    nothing = np.zeros_like(known)
    split = Split(
        train=nothing,
        validation=nothing,
        test=known,
        method=ALL_LABELLED,
        seed=0,
        patch_size=classifier.network.patch_size,
    )
    return split, notes


def _map_picture(run: Run, scene: Scene, mapped: Mapped) -> bytes:
    return figure_png(
        class_map_figure(
            mapped.class_map,
            labels=scene.labels,
            names=scene.class_names | dict(mapped.names),
            colors=scene.class_colors | dict(mapped.colors),
            title=f"{scene.name}: {run.settings.network}",
        )
    )


def _trained_on(run: Run) -> str:
    source = run.config["scene"]
    if "parts" in source:
        count = sum(part.get("role", "train") == "train" for part in source["parts"])
        return f"{count} scene{'' if count == 1 else 's'}"
    return Path(str(source.get("dataset", "a scene in memory"))).name


def _scene_options(source: dict[str, Any]) -> list[str]:
    """Return the options that name a scene on the command line."""
    words = []
    for name, value in source.items():
        option = "--scene" if name == "dataset" else f"--{name.replace('_', '-')}"
        words += [option] if value is True else [option, str(value)]
    return words


def _history(run: Run) -> list[dict[str, Any]]:
    """Return the rows of `history.csv`; None where nothing was measured."""
    path = run.path / "history.csv"
    check_sum(path)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [
                {name: float(value) if value else None for name, value in row.items()}
                | {"epoch": int(row["epoch"])}
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path} is missing or damaged: {error}") from error
