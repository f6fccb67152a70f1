"""Which labelled pixels are for training, which for validation, and which for the test."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from numbers import Integral, Real
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsi.errors import UsageError, unknown_name
from hsi.sampling.blocks import Sets, assign_blocks
from hsi.sampling.overlap import Overlap, check_patch_size, overlap_audit
from hsi.sampling.targets import class_ids, to_targets

METHODS = ("random", "blocks")
# Classes that a message names at most; and more than this, no ground truth has.
NAMED, MOST_CLASSES = 5, 255


class ClassCount(NamedTuple):
    """How many pixels of one class each set has."""

    id: int
    name: str
    train: int
    validation: int
    test: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Masks of the training, validation and test pixels of a scene. No pixel is in two of them.

    Attributes
    ----------
    train, validation, test : ndarray
        ``(rows, cols)``, boolean.
    method : str
        How it was made: ``"random"``, ``"blocks"``, or a name of one's own.
    seed : int
        What the choice was drawn with.
    patch_size : int
        Side of the patches in pixels that blocks were kept apart for, and that `overlap` is for.
    notes : tuple of str
        What one must know to read results, in plain words: classes on one side only, pixels that
        were left out.

    Raises
    ------
    UsageError
        If the masks are not boolean and of one shape, or share a pixel.
    """

    train: NDArray[np.bool_]
    validation: NDArray[np.bool_]
    test: NDArray[np.bool_]
    method: str
    seed: int
    patch_size: int
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_patch_size(self.patch_size)
        masks = {"train": self.train, "validation": self.validation, "test": self.test}
        for name, mask in masks.items():
            if mask.dtype != bool or mask.ndim != 2 or mask.shape != self.train.shape:
                raise UsageError(
                    "train, validation and test must be boolean masks (rows, cols) of one shape; "
                    f"{name} is {mask.dtype} of {mask.shape}"
                )
        for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
            shared = np.count_nonzero(masks[one] & masks[other])
            if shared:
                raise UsageError(
                    f"{one} and {other} share {shared} pixels; each pixel may be in one set only"
                )

    @cached_property
    def overlap(self) -> Overlap:
        """What the patches of the test pixels see of the training pixels."""
        return overlap_audit(self.train, self.test, self.patch_size)

    def summary(
        self, labels: ArrayLike, class_names: Mapping[int, str] | None = None
    ) -> list[ClassCount]:
        """Count the pixels of each class in each set.

        Parameters
        ----------
        labels : array_like
            ``(rows, cols)`` label ids that were split.
        class_names : mapping, optional
            By label id.

        Returns
        -------
        list of ClassCount
            One for each class of `labels`, in ascending order of ids.

        Raises
        ------
        UsageError
            If the labels have another shape.
        """
        labels, names = np.asarray(labels), class_names or {}
        if labels.shape != self.train.shape:
            raise UsageError(
                f"the split is of a scene of {self.train.shape}, the labels are of {labels.shape}"
            )
        ids = class_ids(labels)
        targets = to_targets(labels, ids)
        counts = [
            _count(targets[mask], ids.size) for mask in (self.train, self.validation, self.test)
        ]
        return [
            ClassCount(int(i), names.get(int(i), f"class {i}"), *(int(n[k]) for n in counts))
            for k, i in enumerate(ids)
        ]


def split_pixels(
    labels: ArrayLike,
    *,
    method: Literal["random", "blocks"] = "random",
    train: int | float = 0.1,
    validation: int | float = 0.0,
    seed: int = 0,
    patch_size: int = 25,
    valid: ArrayLike | None = None,
) -> Split:
    """Divide the labelled pixels into training, validation and test pixels.

    ``"random"`` draws pixels of each class at random, as most papers do. Each class has at least
    one training and one test pixel, and what is neither for training nor for validation is for the
    test. The training pixels do not depend on `validation`, and those of a smaller `train` are
    among those of a larger one of the same seed.

    ``"blocks"`` takes training (and validation) pixels from rectangular blocks, and the test pixels
    from what lies at least `patch_size` pixels away, so that patches of different sets share no
    pixel. Pixels in between are not used. A seeded search looks for blocks that have all classes on
    both sides, nearly the training pixels asked for, and most pixels left to test on; `notes` say
    how far it got.

    Parameters
    ----------
    labels : array_like
        ``(rows, cols)`` label ids, 0 = unlabelled.
    method : {"random", "blocks"}
        How the pixels are chosen.
    train : int or float
        Pixels for each class: a number from 1, or a fraction between 0 and 1 of the class, rounded
        to the nearest whole number (halves up), but at least 1. For blocks it is what the search
        aims for and never exceeds.
    validation : int or float
        The same for validation, of all pixels of the class; 0 means none. Of a class so small that
        training and test need all its pixels, a fraction may be none.
    seed : int
        From 0. Equal seeds give equal splits. In a small scene, blocks of different seeds may be
        nearly the same: there are not many ways to place them.
    patch_size : int
        Side of the patches in pixels, odd.
    valid : array_like, optional
        ``(rows, cols)``, boolean: pixels with data. The others are in none of the sets.

    Returns
    -------
    Split
        The masks, and in its `notes` what was left out.

    Raises
    ------
    UsageError
        If an argument cannot be meant, if a class has too few pixels (each is named), or if
        blocks of this patch size leave nothing to learn or to test.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.repeat([[1, 14]], 10, axis=0)
    >>> split = split_pixels(labels, train=0.25, seed=0)
    >>> split.summary(labels, {1: "Broccoli", 14: "Lettuce"})
    [ClassCount(id=1, name='Broccoli', train=3, validation=0, test=7), \
ClassCount(id=14, name='Lettuce', train=3, validation=0, test=7)]
    """
    if method not in METHODS:
        raise unknown_name("split method", str(method), METHODS)
    check_patch_size(patch_size)
    _check_amounts(train, validation)
    if not isinstance(seed, Integral) or seed < 0:
        raise UsageError(f"seed must be a whole number from 0, not {seed!r}")
    labels = np.asarray(labels)
    if labels.ndim != 2:
        raise UsageError(f"labels must be (rows, cols), not an array of shape {labels.shape}")
    ids = class_ids(labels)
    if ids.size == 0:
        raise UsageError("there is no labelled pixel to split: all labels are 0")
    targets = to_targets(labels, ids)
    labelled = _count(targets[targets >= 0], ids.size)
    notes = []
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

    sizes = _count(targets[targets >= 0], ids.size)
    if method == "random":
        _check_sizes(ids, labelled, sizes, train, validation)
    n_train, n_validation = _wanted(sizes, train, validation)
    rng = np.random.default_rng(int(seed))
    if method == "random":
        sets = _assign_random(targets, n_train, n_validation, rng)
    else:
        sets, more = assign_blocks(
            targets,
            ids=ids,
            train=n_train,
            validation=n_validation,
            patch_size=int(patch_size),
            rng=rng,
        )
        notes += more
    return Split(
        **sets._asdict(),
        method=method,
        seed=int(seed),
        patch_size=int(patch_size),
        notes=tuple(notes),
    )


def _assign_random(
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


def _check_sizes(
    ids: NDArray[np.int32],
    labelled: NDArray[np.int64],
    sizes: NDArray[np.int64],
    train: int | float,
    validation: int | float,
) -> None:
    """Refuse classes with too few pixels for one in training, one in the test, or the counts.

    `sizes` are those of the `labelled` pixels that have data.
    """
    least = 1 + (int(train) if isinstance(train, Integral) else 1)
    if isinstance(validation, Integral):
        least += int(validation)
    small = np.flatnonzero(sizes < least)
    if small.size == 0:
        return
    named = ", ".join(
        f"class {ids[k]} has {_pixels(int(labelled[k]), int(sizes[k]))}" for k in small[:NAMED]
    )
    if small.size > NAMED:
        named += f", and {small.size - NAMED:,} more classes have too few"
    advice = "set the labels of such a class to 0 to leave it out, or merge it with another"
    if least > 2:
        advice = f"ask for fewer pixels or for a fraction, or {advice}"
    if ids.size > MOST_CLASSES:
        advice = f"{ids.size:,} classes: this looks like an image or a map of ids, not like labels"
    raise UsageError(
        f"{named}; with train={train} and validation={validation} each class needs at least "
        f"{least}, one of them to test\n{advice[0].upper()}{advice[1:]}."
    )


def _pixels(labelled: int, with_data: int) -> str:
    text = f"{labelled} labelled pixel{'' if labelled == 1 else 's'}"
    if with_data < labelled:
        text += f", {with_data or 'none'} with data"
    return text


def _wanted(
    sizes: NDArray[np.int64], train: int | float, validation: int | float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many training and validation pixels each class gives, leaving one to test.

    Where they do not all fit, a fraction gives way to a count, and validation to training, which
    keeps one pixel at least.
    """
    n_train, n_validation = np.zeros_like(sizes), np.zeros_like(sizes)
    for k, size in enumerate(sizes.tolist()):
        reserved = min(_part(size, validation), 1)
        if isinstance(train, Integral):
            reserved = 0
        elif isinstance(validation, Integral):
            reserved = int(validation)
        n_train[k] = max(0, min(_part(size, train), max(1, size - 1 - reserved), size - 1))
        n_validation[k] = max(0, min(_part(size, validation), size - 1 - n_train[k]))
    return n_train, n_validation


def _part(size: int, amount: int | float) -> int:
    """Return `amount` itself, or that fraction of `size` to the nearest, halves up, at least 1."""
    if isinstance(amount, Integral) or amount == 0:
        return int(amount)
    # As the decimal that was written: 0.145 of 100 is 14.5, which no float product says.
    return max(1, math.floor(Fraction(str(amount)) * size + Fraction(1, 2)))


def _check_amounts(train: int | float, validation: int | float) -> None:
    for name, amount in (("train", train), ("validation", validation)):
        none = name == "validation" and amount == 0
        whole = isinstance(amount, Integral) and not isinstance(amount, bool) and amount >= 1
        part = isinstance(amount, Real) and not isinstance(amount, Integral) and 0 < amount < 1
        if not (none or whole or part):
            raise UsageError(
                f"{name} must be a fraction between 0 and 1 or a number of pixels for each class "
                f"(1, 2, ...), not {amount!r}"
            )
    if (
        not isinstance(train, Integral)
        and not isinstance(validation, Integral)
        and train + validation >= 1
    ):
        raise UsageError(
            f"train={train} and validation={validation} leave nothing to test; "
            "together they must stay below 1"
        )


def _count(targets: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    return np.bincount(targets, minlength=classes).astype(np.int64)
