"""Accuracy of a run on its test pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.errors import RunError
from hsi.evaluation import confusion_matrix, summarise
from hsi.sampling import Split, to_targets
from hsi.scenes import Scene, load_scene
from hsi.training import Classifier, Run


def evaluate(run: Run, *, device: str | torch.device = "auto") -> dict[str, Any]:
    """Map the scene of `run` anew and compare the map with the labels of the test pixels.

    Returns
    -------
    dict
        ``oa``, ``aa``, ``kappa`` (fractions), ``per_class``, ``confusion``, ``test_pixels``.

    Raises
    ------
    RunError
        If the labels are no longer those that the run was split on.
    """
    scene = load_scene(**run.source)
    class_map = run.classifier.class_map(scene, device=device)
    return accuracy(run.classifier, scene, run.split, class_map)


def accuracy(
    classifier: Classifier, scene: Scene, split: Split, class_map: NDArray[np.int32]
) -> dict[str, Any]:
    """Return the figures that follow from `class_map` and the labels of the test pixels."""
    labels = scene.labels
    if labels is None or labels.shape != split.test.shape or not (labels[split.test] > 0).all():
        raise RunError(
            f"the labels of {scene.name} are not those that this run was split on; "
            "was the file changed?"
        )
    cm = confusion_matrix(
        to_targets(labels[split.test], classifier.class_ids),
        to_targets(class_map[split.test], classifier.class_ids),
        classes=len(classifier.class_ids),
    )
    names = [classifier.class_names[i] for i in classifier.class_ids.tolist()]
    figures = summarise(cm, ids=classifier.class_ids.tolist(), names=names)
    return figures | {"test_pixels": int(split.test.sum())}
