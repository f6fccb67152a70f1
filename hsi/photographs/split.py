"""Validation photographs, drawn from those for training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.photographs.counted import counted


def draw_validation(
    targets: NDArray[np.int64],
    hashes: Sequence[str],
    *,
    class_names: Sequence[str],
    share: float,
    seed: int,
) -> NDArray[np.bool_]:
    """Draw a share of each class, copies of one photograph always on the same side.

    A photograph that lies in the folders of several classes stays in the training, since neither
    answer would be right.

    Parameters
    ----------
    targets : ndarray
        ``(N,)`` class of each photograph.
    hashes : sequence of str
        Content hash of each: equal for copies.
    class_names : sequence of str
        Name of each class.
    share : float
        In (0, 1). Rounded to whole photographs, but at least one of each class.
    seed : int
        Of the draw.

    Returns
    -------
    ndarray
        ``(N,)`` mask of the validation photographs.

    Raises
    ------
    UsageError
        If a class would be left without photographs on one side.
    """
    if not 0 < share < 1:
        raise UsageError(
            f"validation={share} (--validation); expected a fraction between 0 and 1, or 0 for none"
        )
    generator = np.random.default_rng(seed)
    of_hash: dict[str, list[int]] = {}
    for place, content in enumerate(hashes):
        of_hash.setdefault(content, []).append(place)
    groups_of: list[list[list[int]]] = [[] for _ in class_names]
    for places in of_hash.values():
        if len(classes := set(targets[places].tolist())) == 1:
            groups_of[classes.pop()].append(places)
    counts = np.bincount(targets, minlength=len(class_names)).tolist()
    drawn = np.zeros(len(targets), dtype=bool)
    for name, groups, count in zip(class_names, groups_of, counts, strict=True):
        wanted = max(1, round(share * count))
        generator.shuffle(groups)
        taken = 0
        # One is always left for training.
        for places in groups[:-1]:
            if taken < wanted:
                drawn[places] = True
                taken += len(places)
        if not taken:
            raise UsageError(
                f"class '{name}' has {counted(len(groups), 'photograph')} to choose from, without "
                "copies and those that are damaged or in another class, too; to spare one for "
                "validation takes two\n"
                "Add photographs, or train without validation: --validation 0."
            )
    return drawn
