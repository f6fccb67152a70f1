"""Label ids and targets: the one place where one becomes the other.

Labels are a file's own class ids, with gaps as they come and 0 for unlabelled pixels; a network
numbers its classes ``0..K-1`` without gaps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsi.errors import UsageError


def class_ids(labels: ArrayLike) -> NDArray[np.int32]:
    """Return the label ids above 0 that occur, in ascending order.

    Parameters
    ----------
    labels : array_like
        Label ids of any shape, 0 = unlabelled.

    Raises
    ------
    UsageError
        If there are ids that are negative, not whole, or beyond 32 bits.

    Examples
    --------
    >>> class_ids([[0, 14, 1], [10, 1, 0]])
    array([ 1, 10, 14], dtype=int32)
    """
    present = np.unique(np.asarray(labels))
    if present.dtype.kind not in "iuf" or not np.array_equal(present, np.trunc(present)):
        raise UsageError(
            f"labels must be whole numbers (class ids, 0 = unlabelled), not {present.dtype} "
            f"values such as {present[-1]}"
        )
    if present.size and (present[0] < 0 or present[-1] > np.iinfo(np.int32).max):
        wrong = present[0] if present[0] < 0 else present[-1]
        raise UsageError(
            f"labels must be class ids from 0 (unlabelled) to {np.iinfo(np.int32).max}, "
            f"but {wrong} occurs\nIf it marks pixels without a label, set those to 0."
        )
    return present[present > 0].astype(np.int32)


def to_targets(labels: ArrayLike, ids: ArrayLike) -> NDArray[np.int64]:
    """Return the position of each label in `ids`.

    Parameters
    ----------
    labels : array_like
        Label ids of any shape.
    ids : array_like
        ``(K,)`` distinct label ids in the order of the targets, usually those of `class_ids`.

    Returns
    -------
    ndarray
        The shape of `labels`; ``0..K-1``, and -1 where the label is 0 or not in `ids`.

    Raises
    ------
    UsageError
        If `ids` are not distinct ids above 0.

    Examples
    --------
    >>> to_targets([0, 14, 1, 10, 99], ids=[1, 10, 14])
    array([-1,  2,  0,  1, -1])
    """
    ids = _checked(ids)
    labels = np.asarray(labels)
    if ids.size == 0:
        return np.full(labels.shape, -1, dtype=np.int64)
    order = np.argsort(ids)
    place = np.searchsorted(ids[order], labels).clip(max=ids.size - 1)
    target = order[place]
    return np.where(ids[target] == labels, target, -1).astype(np.int64)


def to_labels(targets: ArrayLike, ids: ArrayLike) -> NDArray[np.int32]:
    """Return the label id of each target; the inverse of `to_targets`.

    Parameters
    ----------
    targets : array_like
        ``0..K-1``, or -1 for no class, of any shape.
    ids : array_like
        ``(K,)`` distinct label ids in the order of the targets.

    Returns
    -------
    ndarray
        The shape of `targets`; 0 where the target is -1.

    Raises
    ------
    UsageError
        If `ids` are not distinct ids above 0, or a target is none of -1..K-1.

    Examples
    --------
    >>> to_labels([-1, 2, 0], ids=[1, 10, 14])
    array([ 0, 14,  1], dtype=int32)
    """
    ids = _checked(ids)
    targets = np.asarray(targets)
    if targets.size and (targets.min() < -1 or targets.max() >= ids.size):
        raise UsageError(
            f"targets must be -1 (no class) or 0..{ids.size - 1} for {ids.size} classes; "
            f"these reach from {targets.min()} to {targets.max()}"
        )
    # The 0 stands last, where an index of -1 finds it.
    return np.append(ids, np.int32(0))[targets.astype(np.int64)]


def _checked(ids: ArrayLike) -> NDArray[np.int32]:
    ids = np.asarray(ids)
    if ids.ndim != 1 or (ids <= 0).any() or np.unique(ids).size != ids.size:
        raise UsageError(f"class ids must be distinct whole numbers above 0, not {ids.tolist()}")
    return ids.astype(np.int32)


def count_classes(targets: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Return ``(classes,)``: how many of the `targets`, all from 0, are of each class."""
    return np.bincount(targets, minlength=classes).astype(np.int64)
