"""Hyperparameters that a classifier of spectra chose, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hsi.report.numbers import percent

# Where scikit-learn's name says less than another.
_LABELS = {"n_neighbors": "neighbours", "max_features": "bands of a split"}


def chosen_in_words(chosen: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what was chosen, how, and how large the classifier came out, as label and value.

    Parameters
    ----------
    chosen : mapping
        ``chosen`` of a run's metrics: numbers by name, ``how`` and ``accuracy``.

    Examples
    --------
    >>> chosen = {"C": 1e3, "gamma": 1 / 1920, "how": "best of 20 on 80 validation pixels",
    ...           "accuracy": 0.9074, "support_vectors": 1349}
    >>> for label, value in chosen_in_words(chosen):
    ...     print(f"{label}: {value}")
    C: 1,000
    gamma: 0.0005208
    chosen as: best of 20 on 80 validation pixels, 90.7% right
    support vectors: 1,349
    """
    pairs = []
    for name, value in chosen.items():
        if name == "how":
            accuracy = chosen["accuracy"]
            right = "" if accuracy is None else f", {percent(accuracy, digits=1)}% right"
            pairs.append(("chosen as", f"{value}{right}"))
        elif name != "accuracy":
            whole = float(value).is_integer()
            text = f"{int(value):,}" if whole else f"{value:.4g}"
            pairs.append((_LABELS.get(name, name.replace("_", " ")), text))
    return pairs


def chosen_in_a_line(chosen: Mapping[str, Any]) -> str:
    """Return the same in one line.

    Examples
    --------
    >>> chosen_in_a_line({"n_neighbors": 1, "how": "usual ones", "accuracy": None})
    'neighbours 1, chosen as usual ones'
    """
    return ", ".join(f"{label} {value}" for label, value in chosen_in_words(chosen))
