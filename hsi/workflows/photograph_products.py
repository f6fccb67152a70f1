"""What a finished transfer leaves in its folder: predictions, metrics, figures, report."""

from __future__ import annotations

import shlex
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.files import write_text
from hsi.photographs.counted import counted
from hsi.report import (
    Mistake,
    confusion_figure,
    contact_sheet,
    learning_curve_figure,
    render_report,
    save_figure,
)
from hsi.report.numbers import percent
from hsi.training import Epoch, PhotographClassifier, TransferRun, probabilities
from hsi.workflows.photograph_metrics import photograph_metrics
from hsi.workflows.photograph_sets import SETS, ReadSets
from hsi.workflows.transfer_recipe import recipe_in_words

WORST = 20
SETS_IN_WORDS = {"train": "Training", "validation": "Validation", "test": "Test"}


def save_photograph_products(
    run: TransferRun,
    classifier: PhotographClassifier,
    read: ReadSets,
    history: list[Epoch],
    *,
    read_seconds: float,
    train_seconds: float,
) -> None:
    """Evaluate all sets in one and the same way, and write what follows from it.

    That is where the photographs of the test are looked at for the first time.
    """
    shares = probabilities(classifier.scores(read.decoded.images))
    found = shares.argmax(axis=1)
    metrics = photograph_metrics(run, classifier, read, shares, history=history) | {
        "read_seconds": round(read_seconds, 3),
        "train_seconds": round(train_seconds, 3),
    }
    tested = metrics["tested_on"]
    run.save_table("photographs.csv", _rows(read, found, shares))
    measured = (
        "accuracies of training and validation"
        if metrics["validation_photographs"]
        else "accuracy of the training"
    )
    figures = {
        "confusion.png": (
            f"Confusion matrix of the {tested} photographs",
            confusion_figure(metrics["confusion"], names=read.class_names, counted="photographs"),
        ),
        "learning_curve.png": (
            f"Loss, and {measured} in evaluation mode; the weights are those of epoch "
            f"{metrics['kept_epoch']}",
            learning_curve_figure([epoch.as_row() for epoch in history]),
        ),
    }
    mistakes = _mistakes(read, found, shares, tested=tested, size=classifier.size)
    if mistakes:
        figures["mistakes.png"] = (
            f"The {tested} photographs that were taken for another class most surely, as the "
            "network sees them: true class, predicted class, its probability",
            contact_sheet(mistakes),
        )
    for name, (_, figure) in figures.items():
        save_figure(figure, run.path / name)
    config = (run.path / "config.toml").absolute()
    again = ["hsi", "transfer", str(read.root), "--config", str(config)]
    page = render_report(
        title=f"{read.root.name}: {run.settings.backbone}",
        summary=_summary(run, read, metrics),
        metrics=metrics,
        figures=[(text, (run.path / name).read_bytes()) for name, (text, _) in figures.items()],
        notes=metrics["notes"],
        command=shlex.join(again),
        versions=metrics["versions"],
        tested=tested,
        counted="photographs",
        subject="Photographs, network and training",
    )
    write_text(run.path / "report.html", page, errors="backslashreplace")
    # Last: a run with metrics is a finished one.
    run.save_metrics(metrics)


def _rows(
    read: ReadSets, found: NDArray[np.int64], shares: NDArray[np.float64]
) -> list[dict[str, Any]]:
    return [
        {
            "photograph": read.short(place),
            "set": SETS[read.sets[place]],
            "class": read.folder_names[place],
            "prediction": read.class_names[found[place]],
            "probability": round(float(shares[place, found[place]]), 6),
        }
        for place in range(len(read.paths))
    ]


def _mistakes(
    read: ReadSets,
    found: NDArray[np.int64],
    shares: NDArray[np.float64],
    *,
    tested: str,
    size: int,
) -> list[Mistake]:
    """Return the mistakes that the network is surest of, as it sees them: the central square."""
    edge = (read.decoded.images.shape[1] - size) // 2
    seen = slice(edge, edge + size)
    places = read.of(tested)
    places = places[found[places] != read.targets[places]]
    worst = places[np.argsort(-shares[places, found[places]], kind="stable")][:WORST]
    return [
        Mistake(
            image=np.asarray(read.decoded.images[place, seen, seen]),
            truth=read.class_names[read.targets[place]],
            prediction=read.class_names[found[place]],
            probability=float(shares[place, found[place]]),
            source=read.within[place],
        )
        for place in worst.tolist()
    ]


def _summary(run: TransferRun, read: ReadSets, metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a reader wants to know first, as pairs of label and value."""
    settings = run.settings
    accuracies = ", ".join(
        f"{SETS_IN_WORDS[name].lower()} {percent(metrics['accuracy'][name], digits=2)} % of "
        f"{metrics[f'{name}_photographs']:,}"
        for name in SETS
        if metrics["accuracy"][name] is not None
    )
    network = [
        settings.backbone,
        *([f"attention {settings.attention}"] if settings.attention else []),
        *(["small stem"] if settings.small_stem else []),
        f"{metrics['trained_parameters']:,} of {metrics['parameters']:,} parameters trained"
        + (" (the last layer)" if settings.freeze == "features" else ""),
    ]
    chosen = "best on the validation" if metrics["kept_by"] == "validation" else "the last"
    return [
        ("Photographs", str(read.root)),
        ("Classes", ", ".join(read.class_names)),
        ("Accuracy, measured alike", accuracies),
        ("Validation", _origin(settings.validation or 0.0, read, metrics)),
        ("Network", ", ".join(network)),
        ("Weights", metrics.get("weights") or "fresh"),
        ("Input", f"{settings.side}x{settings.side} pixels"),
        *recipe_in_words(metrics["recipe"]),
        (
            "Training",
            f"{counted(metrics['epochs'], 'epoch')} in {metrics['train_seconds']:.1f} s; the "
            f"weights are those of epoch {metrics['kept_epoch']}, {chosen}",
        ),
        ("Device", metrics["device"]),
    ]


def _origin(share: float, read: ReadSets, metrics: dict[str, Any]) -> str:
    """Return where the validation photographs come from, in words."""
    if not metrics["validation_photographs"]:
        return "none"
    if read.drawn:
        return f"drawn from the training folder, a share of {share:g} of each class"
    return "a folder of its own"
