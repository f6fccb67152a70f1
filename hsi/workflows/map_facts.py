"""By what a map knows the classifier of a run and what computes its scores."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from hsi.mapping.facts import hash_of
from hsi.training import Classifier


def classifier_facts(classifier: Classifier) -> dict[str, Any]:
    """Return what tells this classifier from others: its weights, its reduction, its classes."""
    weights = classifier.network.state_dict()
    arrays = classifier.reduction.to_arrays()
    ids = classifier.class_ids.tolist()
    return {
        "network": classifier.options["name"],
        "weights": hash_of(
            part
            for name, weight in weights.items()
            for part in (name.encode(), weight.reshape(-1).view(torch.uint8).numpy(force=True))
        ),
        "reduction": hash_of(
            np.ascontiguousarray(arrays[name]).tobytes() for name in sorted(arrays)
        ),
        "classes": {str(i): classifier.class_names[i] for i in ids},
    }


def versions_of_numbers() -> dict[str, str]:
    """Return the versions of what computes scores, which may change their last digits."""
    return {name: version(name) for name in ("hsi", "torch", "numpy")}
