"""What a transfer learned, in numbers and in words, from the predictions of all photographs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.evaluation import Gap, accuracy_gap, against_guessing, confusion_matrix, summarise
from hsi.report import photograph_words
from hsi.report import transfer_words as words
from hsi.training import Epoch, PhotographClassifier, TransferRun
from hsi.workflows.photograph_sets import SETS, ReadSets
from hsi.workflows.products import versions
from hsi.workflows.transfer_recipe import resolved_recipe


def photograph_metrics(
    run: TransferRun,
    classifier: PhotographClassifier,
    read: ReadSets,
    shares: NDArray[np.float64],
    *,
    history: list[Epoch],
) -> dict[str, Any]:
    """Return what goes into `metrics.json`, but for the times.

    Parameters
    ----------
    run : TransferRun
        Of the training.
    classifier : PhotographClassifier
        The trained one.
    read : ReadSets
        All photographs.
    shares : ndarray
        ``(N, classes)`` the probabilities that it gives to each of them.
    history : list of Epoch
        Of the training.
    """
    found = shares.argmax(axis=1)
    right = found == read.targets
    counts = {name: len(read.of(name)) for name in SETS}
    correct = {name: int(right[read.of(name)].sum()) for name in SETS}
    accuracy = {name: correct[name] / counts[name] if counts[name] else None for name in SETS}
    tested = "test" if counts["test"] else "validation"
    held_out = "validation" if counts["validation"] else "test"
    chosen = tested == "test" and history[-1].validation_accuracy is not None
    kept = _kept_epoch(history, chosen=chosen)

    def gap(one: str, other: str) -> Gap | None:
        if not counts[one] or not counts[other]:
            return None
        return accuracy_gap(correct[one], counts[one], correct[other], counts[other])

    gaps = {
        f"{one}-{other}": gap(one, other)
        for one, other in (("train", "validation"), ("train", "test"), ("validation", "test"))
    }
    overfit = gaps[f"train-{held_out}"]
    assert overfit is not None
    copies, copy_notes = _copies(read, right, accuracy)
    confusion = {name: _confusion(read, found, name) for name in SETS if counts[name]}
    guessing, guessing_notes = _guessing(run, read, confusion)
    notes = [
        words.gap_sentence(
            train=accuracy["train"] or 0.0,
            held_out=accuracy[held_out] or 0.0,
            name=held_out,
            photographs=(counts["train"], counts[held_out]),
            gap=overfit,
        ),
        _shift(read, accuracy, gaps["validation-test"]),
        _learned(read, accuracy["train"] or 0.0),
        *guessing_notes,
        words.mode_sentence(learning=kept.loss, evaluated=_loss(read, shares)),
        *copy_notes,
        *read.notes,
        None if tested == "test" else words.VALIDATION_IS_THE_TEST,
    ]
    network = classifier.network
    last = network.get_submodule(network.last_layer)
    device = next(network.parameters()).device
    frozen = run.settings.freeze == "features"
    return summarise(
        confusion[tested],
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
        "guessing": guessing,
        **read.findings,
        "copies_of_training": copies,
        "notes": [note for note in notes if note],
        "recipe": resolved_recipe(run.settings, photographs=counts["train"], device=device),
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
        "epochs": len(history),
        "kept_epoch": kept.epoch,
        "kept_by": "validation" if chosen else "last",
    }


def _confusion(read: ReadSets, found: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    places = read.of(name)
    return confusion_matrix(read.targets[places], found[places], classes=len(read.class_names))


def _guessing(
    run: TransferRun, read: ReadSets, confusion: dict[str, NDArray[np.int64]]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Compare the held-out accuracies with always answering the most frequent class."""
    findings: dict[str, dict[str, Any]] = {}
    notes: list[str] = []
    for name in ("validation", "test"):
        found = against_guessing(confusion[name]) if name in confusion else None
        if found is None:
            continue
        class_name = read.class_names[found.most_frequent]
        findings[name] = {
            "class": class_name,
            "share": found.guessed / found.total,
            "p_value": found.p_value,
        }
        said = words.guessing_sentence(found, name=name, class_name=class_name)
        if said:
            notes.append(said)
    if notes:
        settings = run.settings
        causes = words.guessing_causes(fresh=settings.weights is None, side=settings.side)
        notes[-1] += f" {causes}"
    return findings, notes


def _kept_epoch(history: list[Epoch], *, chosen: bool) -> Epoch:
    """Return the epoch that gave the weights: that which did best, and of such the last."""
    if not chosen:
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
            photograph_words.copies_sentence(
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
