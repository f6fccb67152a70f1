"""What a trial is judged by: the validation pixels, and nothing of the test."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.errors import UsageError, unknown_name
from hsi.evaluation import aa, confusion_matrix, kappa, oa
from hsi.inference import scores_of_pixels
from hsi.sampling import Split, to_targets
from hsi.scenes import Scene
from hsi.training import Classifier, Epoch, Settings
from hsi.workflows.learn import learn

Objective = Literal["aa", "oa", "kappa"]
"""Average accuracy (of the classes), overall accuracy (of the pixels), or Cohen's kappa."""

MEASURES: dict[str, Callable[[NDArray[np.int64]], float]] = {"aa": aa, "oa": oa, "kappa": kappa}
# How far a training is, as trials of any length are compared.
TENTHS = 10

Watch = Callable[[int, float], None]
"""Takes the tenth of a training that was reached, and the best validation accuracy so far."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What one training came to on the validation pixels.

    Attributes
    ----------
    accuracies : dict
        ``oa``, ``aa`` and ``kappa``.
    epochs : int
        That were trained.
    seconds : float
        That it took.
    chosen : dict
        Hyperparameters that the classifier chose itself.
    """

    accuracies: dict[str, float]
    epochs: int
    seconds: float
    chosen: dict[str, Any]


def check_objective(objective: str) -> None:
    """Refuse what no trial can be judged by."""
    if objective not in get_args(Objective):
        raise unknown_name("objective", objective, get_args(Objective))


def without_test_labels(scene: Scene, split: Split) -> Scene:
    """Return the scene with labels at training and validation pixels alone.

    A class that has no pixel there keeps its labels, which then say no more than that it exists:
    the network has an output for it.
    """
    scene = split.labelled(scene)
    assert scene.labels is not None
    known = split.train | split.validation
    seen = np.unique(scene.labels[known])
    labels = np.where(known | ~np.isin(scene.labels, seen), scene.labels, 0).astype(np.int32)
    return dataclasses.replace(scene, labels=labels)


def train_and_judge(
    scene: Scene,
    split: Split,
    settings: Settings,
    *,
    device: torch.device,
    watch: Watch | None = None,
) -> Judged:
    """Train on the training pixels, and see what comes of it on the validation pixels.

    Parameters
    ----------
    scene : Scene
        Labels of test pixels are of no use; see `without_test_labels`.
    split : Split
        With validation pixels.
    settings : Settings
        Of the training.
    device : torch.device
        Where to compute.
    watch : callable, optional
        Told of the progress; what it raises ends the training.

    Raises
    ------
    HsiError
        If the settings do not fit each other or the scene, or the loss is no longer finite.
    """
    progress = None if watch is None else _Tenths(watch)
    learned = learn(scene, split, settings, device=device, progress=progress)
    confusion = validation_confusion(learned.classifier, scene, split, device=device)
    return Judged(
        accuracies={name: measure(confusion) for name, measure in MEASURES.items()},
        epochs=len(learned.history),
        seconds=round(learned.seconds, 3),
        chosen=learned.chosen,
    )


def validation_confusion(
    classifier: Classifier, scene: Scene, split: Split, *, device: torch.device
) -> NDArray[np.int64]:
    """Return the confusion matrix ``(K, K)`` of the validation pixels, rows = truth."""
    assert scene.labels is not None
    if not split.validation.any():
        raise UsageError("there are no validation pixels to judge by; ask for some (--validation)")
    cube = torch.from_numpy(classifier.components(scene)).permute(2, 0, 1).to(device)
    pixels = torch.from_numpy(np.argwhere(split.validation)).to(device)
    scores = scores_of_pixels(classifier.network, cube, pixels)
    return confusion_matrix(
        to_targets(scene.labels, classifier.class_ids)[split.validation],
        scores.argmax(1).cpu().numpy(),
        classes=len(classifier.class_ids),
    )


class _Tenths:
    """Progress of a training that tells of each tenth once, with the best accuracy until then."""

    def __init__(self, watch: Watch) -> None:
        self.watch, self.told, self.best = watch, 0, 0.0

    def step(self, done: int, total: int) -> None:
        """Do nothing: between epochs, nothing is known."""

    def epoch(self, epoch: Epoch, total: int) -> None:
        """Tell of the tenth that this epoch completes."""
        self.best = max(self.best, epoch.validation_accuracy or 0.0)
        tenth = TENTHS * epoch.epoch // total
        # Of a finished training more is known than this.
        if self.told < tenth < TENTHS:
            self.told = tenth
            self.watch(tenth, self.best)


def seeds_from(settings: Settings, seeds: int) -> Iterator[Settings]:
    """Yield the settings with as many seeds: the split stays, all else that is random differs."""
    for more in range(seeds):
        yield settings.changed(seed=settings.seed + more)
