"""What a finished transfer leaves in its folder: predictions, metrics, figures, report."""

from __future__ import annotations

import shlex
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.evaluation import Gap, accuracy_gap, confusion_matrix, summarise
from hsi.files import write_text
from hsi.report import (
    Mistake,
    confusion_figure,
    contact_sheet,
    learning_curve_figure,
    render_report,
    save_figure,
)
from hsi.report import transfer_words as words
from hsi.training import Epoch, PhotographClassifier, TransferRun, probabilities
from hsi.workflows.photograph_sets import SETS, ReadSets
from hsi.workflows.products import versions

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
    tested = "test" if len(read.of("test")) else "validation"
    mode = words.mode_sentence(
        learning=_kept_epoch(history, chosen=tested == "test").loss,
        evaluated=_loss(read, shares),
    )
    metrics = _metrics(run, classifier, read, found, tested, mode) | {
        "epochs": len(history),
        "read_seconds": round(read_seconds, 3),
        "train_seconds": round(train_seconds, 3),
    }
    run.save_table("photographs.csv", _rows(read, found, shares))
    figures = {
        "confusion.png": (
            f"Confusion matrix of the {tested} photographs",
            confusion_figure(metrics["confusion"], names=read.class_names, counted="photographs"),
        ),
        "learning_curve.png": (
            "Loss, and accuracies of training and validation in evaluation mode",
            learning_curve_figure([epoch.as_row() for epoch in history]),
        ),
    }
    mistakes = _mistakes(read, found, shares, tested)
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


def _metrics(
    run: TransferRun,
    classifier: PhotographClassifier,
    read: ReadSets,
    found: NDArray[np.int64],
    tested: str,
    mode: str | None,
) -> dict[str, Any]:
    right = found == read.targets
    counts = {name: len(read.of(name)) for name in SETS}
    correct = {name: int(right[read.of(name)].sum()) for name in SETS}
    accuracy = {name: correct[name] / counts[name] if counts[name] else None for name in SETS}

    def gap(one: str, other: str) -> Gap | None:
        if not counts[one] or not counts[other]:
            return None
        return accuracy_gap(correct[one], counts[one], correct[other], counts[other])

    gaps = {
        f"{one}-{other}": gap(one, other)
        for one, other in (("train", "validation"), ("train", "test"), ("validation", "test"))
    }
    held_out = "validation" if counts["validation"] else "test"
    overfit = gaps[f"train-{held_out}"]
    assert overfit is not None
    copies, copy_notes = _copies(read, right, accuracy)
    notes = [
        words.gap_sentence(
            train=accuracy["train"] or 0.0,
            held_out=accuracy[held_out] or 0.0,
            name=held_out,
            gap=overfit,
        ),
        _shift(read, accuracy, gaps["validation-test"]),
        _learned(read, accuracy["train"] or 0.0),
        mode,
        *copy_notes,
        *read.notes,
        None if tested == "test" else words.VALIDATION_IS_THE_TEST,
    ]
    target, prediction = read.targets[read.of(tested)], found[read.of(tested)]
    cm = confusion_matrix(target, prediction, classes=len(read.class_names))
    network = classifier.network
    last = network.get_submodule(network.last_layer)
    device = next(network.parameters()).device
    frozen = run.settings.freeze == "features"
    return summarise(
        cm,
        ids=range(len(read.class_names)),
        names=read.class_names,
        counted="photographs",
    ) | {
        "tested_on": tested,
        "weights": None if network.loaded is None else str(network.loaded),
        **{f"{name}_photographs": counts[name] for name in SETS},
        "accuracy": accuracy,
        "gaps": {
            name: {"difference": each.difference, "low": each.low, "high": each.high}
            for name, each in gaps.items()
            if each
        },
        "overfit": words.is_large(overfit),
        **read.findings,
        "copies_of_training": copies,
        "notes": [note for note in notes if note],
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "trained_parameters": sum(
            weight.numel() for weight in (last if frozen else network).parameters()
        ),
        "versions": versions(
            "pillow", *(["kornia"] if run.settings.augmentation != "none" else [])
        ),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "threads": torch.get_num_threads(),
        "seed": run.settings.seed,
    }


def _kept_epoch(history: list[Epoch], *, chosen: bool) -> Epoch:
    """Return the epoch that gave the weights: that which did best, and of such the last."""
    if not chosen or history[-1].validation_accuracy is None:
        return history[-1]
    return max(history, key=lambda each: (each.validation_accuracy or 0.0, each.epoch))


def _loss(read: ReadSets, shares: NDArray[np.float64]) -> float:
    """Return the mean cross-entropy of the training photographs in evaluation mode."""
    train = read.of("train")
    return float(-np.log(np.maximum(shares[train, read.targets[train]], 1e-12)).mean())


def _copies(
    read: ReadSets, right: NDArray[np.bool_], accuracy: dict[str, float | None]
) -> tuple[dict[str, list[str]], list[str]]:
    """Return the held-out photographs that are in the training, too, and what that is worth."""
    found: dict[str, list[str]] = {}
    notes = []
    for name in ("validation", "test"):
        places, copies = read.of(name), read.copies(name)
        found[name] = [read.short(place) for place in places[copies].tolist()]
        if not found[name]:
            continue
        first = int(places[copies][0])
        others = right[places[~copies]]
        notes.append(
            words.copies_sentence(
                name=name,
                copies=len(found[name]),
                total=len(places),
                example=(read.short(first), read.short(read.original_of(first))),
                accuracy=accuracy[name] or 0.0,
                without=float(others.mean()) if others.size else None,
            )
        )
    return found, notes


def _shift(read: ReadSets, accuracy: dict[str, float | None], gap: Gap | None) -> str | None:
    validation, test = accuracy["validation"], accuracy["test"]
    if gap is None or validation is None or test is None:
        return None
    return words.shift_sentence(validation=validation, test=test, drawn=read.drawn, gap=gap)


def _learned(read: ReadSets, train: float) -> str | None:
    counts = np.bincount(read.targets[read.of("train")], minlength=len(read.class_names))
    return words.learned_sentence(
        train=train,
        most_frequent=float(counts.max() / counts.sum()),
        name=read.class_names[int(counts.argmax())],
    )


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
    read: ReadSets, found: NDArray[np.int64], shares: NDArray[np.float64], tested: str
) -> list[Mistake]:
    """Return the mistakes that the network is surest of."""
    places = read.of(tested)
    places = places[found[places] != read.targets[places]]
    worst = places[np.argsort(-shares[places, found[places]], kind="stable")][:WORST]
    return [
        Mistake(
            image=np.asarray(read.decoded.images[place]),
            truth=read.class_names[read.targets[place]],
            prediction=read.class_names[found[place]],
            probability=float(shares[place, found[place]]),
            source=read.paths[place].name,
        )
        for place in worst.tolist()
    ]


def _summary(run: TransferRun, read: ReadSets, metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a reader wants to know first, as pairs of label and value."""
    settings = run.settings
    trained = f"{metrics['trained_parameters']:,} of {metrics['parameters']:,} parameters trained"
    accuracies = ", ".join(
        f"{SETS_IN_WORDS[name].lower()} {100 * metrics['accuracy'][name]:.2f} % of "
        f"{metrics[f'{name}_photographs']:,}"
        for name in SETS
        if metrics["accuracy"][name] is not None
    )
    return [
        ("Photographs", str(read.root)),
        ("Classes", ", ".join(read.class_names)),
        ("Accuracy, measured alike", accuracies),
        ("Network", f"{settings.backbone}, {trained}"),
        ("Weights", metrics.get("weights") or "fresh"),
        ("Input", f"{settings.side}x{settings.side} pixels, augmentation {settings.augmentation}"),
        ("Training", f"{metrics['epochs']} epochs in {metrics['train_seconds']:.1f} s"),
        ("Device", metrics["device"]),
    ]
