"""The labelled pixels that can be in a split, and a random choice among them."""

from __future__ import annotations

from numbers import Integral
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsi.errors import UsageError
from hsi.sampling.blocks import Sets
from hsi.sampling.targets import class_ids, count_classes, to_targets


class Labelled(NamedTuple):
    """The labelled pixels of a scene."""

    ids: NDArray[np.int32]
    """``(K,)`` label ids."""
    targets: NDArray[np.int64]
    """``(rows, cols)``, ``0..K-1``, and -1 without a label or without data."""
    labelled: NDArray[np.int64]
    """``(K,)`` pixels with a label."""
    sizes: NDArray[np.int64]
    """``(K,)`` those of them that have data."""
    notes: list[str]
    """In plain words, how many have none."""


def labelled_pixels(labels: ArrayLike, valid: ArrayLike | None) -> Labelled:
    """Return the pixels that a split can use.

    Parameters
    ----------
    labels : array_like
        ``(rows, cols)`` label ids, 0 = unlabelled.
    valid : array_like or None
        ``(rows, cols)``, boolean: pixels with data.

    Raises
    ------
    UsageError
        If no pixel is labelled, or the arrays are not what they should be.
    """
    labels = np.asarray(labels)
    if labels.ndim != 2:
        raise UsageError(f"labels must be (rows, cols), not an array of shape {labels.shape}")
    ids = class_ids(labels)
    if ids.size == 0:
        raise UsageError("there is no labelled pixel to split: all labels are 0")
    targets = to_targets(labels, ids)
    labelled = count_classes(targets[targets >= 0], ids.size)
    notes: list[str] = []
    if valid is not None:
        valid = np.asarray(valid)
        if valid.shape != labels.shape or valid.dtype != bool:
            raise UsageError(
                f"valid must be a boolean mask of the shape of the labels {labels.shape}, "
                f"not {valid.dtype} of {valid.shape}"
            )
        empty = np.count_nonzero((targets >= 0) & ~valid)
        if empty:
            pixels = "pixel without data is" if empty == 1 else "pixels without data are"
            notes.append(f"{empty:,} labelled {pixels} in none of the sets.")
            targets = np.where(valid, targets, -1)
    sizes = count_classes(targets[targets >= 0], ids.size)
    return Labelled(ids, targets, labelled, sizes, notes)


def check_seed(seed: int) -> None:
    """Refuse a seed that no generator takes.

    Raises
    ------
    UsageError
        If it is no whole number from 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise UsageError(f"seed must be a whole number from 0, not {seed!r}")


def draw_pixels(
    targets: NDArray[np.int64],
    n_train: NDArray[np.int64],
    n_validation: NDArray[np.int64],
    rng: np.random.Generator,
) -> Sets:
    """Draw that many training and validation pixels of each class; the rest is for the test."""
    flat = targets.ravel()
    sets = Sets(*(np.zeros(flat.size, dtype=bool) for _ in range(3)))
    by_class = np.argsort(flat, kind="stable")
    firsts = np.searchsorted(flat[by_class], np.arange(n_train.size + 1))
    for k, (trained, validated) in enumerate(zip(n_train, n_validation, strict=True)):
        drawn = rng.permutation(by_class[firsts[k] : firsts[k + 1]])
        sets.train[drawn[:trained]] = True
        sets.validation[drawn[trained : trained + validated]] = True
        sets.test[drawn[trained + validated :]] = True
    return Sets(*(mask.reshape(targets.shape) for mask in sets))
