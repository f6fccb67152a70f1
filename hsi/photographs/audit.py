"""What is wrong with sets of photographs before anything is learned from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsi.photographs.folders import class_key


@dataclass(frozen=True)
class ClassDifference:
    """How the classes of a set differ from those of the training.

    Attributes
    ----------
    train, other : tuple of str
        Both lists of names, as sorted.
    missing, extra : tuple of str
        Names that only the training has, and only the other.
    shifted : tuple of str
        Names of the other set that a program which numbers folders by their order would take for
        another class of the training.
    """

    train: tuple[str, ...]
    other: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    shifted: tuple[str, ...]


def class_difference(train: Sequence[str], other: Sequence[str]) -> ClassDifference | None:
    """Return how two lists of class names differ; None if they are equal.

    Names that differ in case only, or in how an accent is written, mean the same class.

    Examples
    --------
    >>> found = class_difference(["bird", "cat", "dog"], ["cat", "dog"])
    >>> found.missing, found.shifted
    (('bird',), ('cat', 'dog'))
    """
    if tuple(train) == tuple(other):
        return None
    own = {class_key(name): place for place, name in enumerate(train)}
    keys = [class_key(name) for name in other]
    return ClassDifference(
        train=tuple(train),
        other=tuple(other),
        missing=tuple(name for name in train if class_key(name) not in keys),
        extra=tuple(name for name, key in zip(other, keys, strict=True) if key not in own),
        shifted=tuple(
            name
            for place, (name, key) in enumerate(zip(other, keys, strict=True))
            if key in own and own[key] != place
        ),
    )


def match_targets(
    targets: NDArray[np.int64], names: Sequence[str], *, to: Sequence[str]
) -> NDArray[np.int64]:
    """Return targets that count in `names` as targets that count in `to`; -1 where it lacks one."""
    own = {class_key(name): place for place, name in enumerate(to)}
    return np.array([own.get(class_key(name), -1) for name in names], dtype=np.int64)[targets]


def equal_groups(hashes: Sequence[str]) -> list[list[int]]:
    """Return the places of equal hashes, for each hash that occurs more than once.

    Examples
    --------
    >>> equal_groups(["a", "b", "a", "c", "b", "a"])
    [[0, 2, 5], [1, 4]]
    """
    places: dict[str, list[int]] = {}
    for place, content in enumerate(hashes):
        places.setdefault(content, []).append(place)
    return [group for group in places.values() if len(group) > 1]


def copies_between(train: Sequence[str], other: Sequence[str]) -> NDArray[np.bool_]:
    """Return which hashes of `other` occur in `train`, too.

    Examples
    --------
    >>> copies_between(["a", "b"], ["b", "c"])
    array([ True, False])
    """
    known = set(train)
    return np.array([content in known for content in other], dtype=bool)
