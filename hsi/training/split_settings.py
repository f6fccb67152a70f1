"""Which settings belong to which split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Of each class, where nothing else is said: of splits that draw training pixels, a tenth; of those
# that say themselves which pixels are for training, all.
DRAWN, USUAL_SHARE, ALL = ("random", "blocks"), 0.1, 1.0
# Splits that keep training and test apart by a guard band.
GUARDED = ("blocks", "folds")
# The split that a setting alone stands for.
MEANT = {"split_file": "file", "folds": "folds"}


def usual_train(split: str) -> float:
    """Return the training pixels of each class that a split usually takes, as a fraction.

    Examples
    --------
    >>> usual_train("random"), usual_train("official")
    (0.1, 1.0)
    """
    return USUAL_SHARE if split in DRAWN else ALL


def suit_split(
    settings: Mapping[str, Any], changes: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return settings and changes of them so that they suit one split.

    A file, or a number of folds, is meant for the split that needs it. With another split, the file
    and the guard band of the former one go, and what was its usual number of training pixels
    becomes that of the new one.

    Examples
    --------
    >>> before = {"split": "blocks", "train": 0.1, "guard": 30, "split_file": None}
    >>> suit_split(before, {"split_file": "runs/first"})
    ({'split': 'blocks', 'train': None, 'guard': None, 'split_file': None}, \
{'split': 'file', 'split_file': 'runs/first'})
    """
    whole, changed = dict(settings), dict(changes)
    if "split" not in changed:
        meant = [split for name, split in MEANT.items() if name in changed]
        changed = {"split": meant[0], **changed} if meant else changed
    before, after = whole["split"], changed.get("split", whole["split"])
    if before != after:
        whole |= {"split_file": None, "guard": None}
        if whole["train"] == usual_train(before) and isinstance(whole["train"], float):
            whole["train"] = None
    return whole, changed
