"""Training, validation and test pixels so far apart that their patches share no pixel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.sampling.annealing import find_blocks
from hsi.sampling.class_notes import class_notes
from hsi.sampling.guard import band_notes
from hsi.sampling.overlap import within


class Sets(NamedTuple):
    """Masks ``(rows, cols)``; no pixel is in two of them."""

    train: NDArray[np.bool_]
    validation: NDArray[np.bool_]
    test: NDArray[np.bool_]


def assign_blocks(
    targets: NDArray[np.int64],
    *,
    ids: NDArray[np.int32],
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    guard: int,
    rng: np.random.Generator,
) -> tuple[Sets, list[str]]:
    """Choose pixels so that those of different sets are more than `guard` apart.

    Parameters
    ----------
    targets : ndarray
        ``(rows, cols)``, ``0..K-1``, and -1 where there is no pixel to assign.
    ids : ndarray
        ``(K,)`` label ids of the targets, for messages.
    train, validation : ndarray
        ``(K,)`` pixels wanted of each class, at most as many as there are. Never exceeded.
    guard : int
        Width in pixels of the band between sets that no pixel is taken from. The distance is
        Chebyshev's.
    rng : numpy.random.Generator
        Of the search for blocks, and of the choice among more pixels than wanted.

    Returns
    -------
    Sets
        No class is in the test that is not in the training.
    list of str
        What is not as wanted, in plain words.

    Raises
    ------
    UsageError
        If fewer than two classes (one, where there is but one) can be both learned and tested, or
        if validation is wanted and none is possible.
    """
    classes = len(ids)
    too_wide = f"a guard band of {guard} pixels is too wide for blocks here: "
    advice = "Use a smaller patch_size or guard (--patch-size, --guard), or"
    sets = Sets(*(np.zeros(targets.shape, dtype=bool) for _ in range(3)))
    if (targets >= 0).any():
        blocks = find_blocks(targets, train=train, validation=validation, guard=guard, rng=rng)
        sets = _assign_pixels(targets, *blocks, train, validation, guard, rng)
    learned, validated, tested = (_count(targets, mask, classes) for mask in sets)
    if np.count_nonzero(learned * tested) < min(2, classes):
        raise UsageError(
            f"{too_wide}what lies in it around the training is lost to the test, which leaves "
            f"{'fewer than two classes' if classes > 1 else 'nothing'} to learn and to test\n"
            f"{advice} the random split."
        )
    if validation.any() and not validated.any():
        raise UsageError(
            f"{too_wide}there is no room for validation beside training and test\n"
            f"{advice} do without validation."
        )
    return sets, _notes(targets, ids, sets, train, validation, guard)


def _assign_pixels(
    targets: NDArray[np.int64],
    train_blocks: NDArray[np.bool_],
    validation_blocks: NDArray[np.bool_],
    n_train: NDArray[np.int64],
    n_validation: NDArray[np.int64],
    guard: int,
    rng: np.random.Generator,
) -> Sets:
    """Return the sets that follow from the blocks, exact to the pixel."""
    labelled = targets >= 0

    def testable(train: NDArray[np.bool_], validation: NDArray[np.bool_]) -> NDArray[np.bool_]:
        learned = _count(targets, train, len(n_train)) > 0
        # The target -1 of pixels without a label finds the last entry.
        return np.append(learned, False)[targets] & ~within(train | validation, guard)

    train = labelled & train_blocks
    validation = labelled & validation_blocks & ~within(train, guard)
    test = testable(train, validation)
    # Pixels outside the blocks that are far from the other sets cost nothing: they make up for
    # what the blocks lack. What is more than wanted goes, which may free pixels for the test.
    free = labelled & ~within(test | validation, guard)
    train = _draw(targets, free, train, n_train, rng)
    free = labelled & ~within(test | train, guard)
    validation = _draw(targets, free, validation, n_validation, rng)
    return Sets(train, validation, testable(train, validation))


def _draw(
    targets: NDArray[np.int64],
    allowed: NDArray[np.bool_],
    preferred: NDArray[np.bool_],
    wanted: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Return up to `wanted` allowed pixels of each class at random, preferred ones first."""
    pixels = rng.permutation(np.flatnonzero(allowed))
    pixels = pixels[np.lexsort((~preferred.ravel()[pixels], targets.ravel()[pixels]))]
    classes = targets.ravel()[pixels]
    rank = np.arange(pixels.size) - np.searchsorted(classes, classes)
    drawn = np.zeros(targets.size, dtype=bool)
    drawn[pixels[rank < wanted[classes]]] = True
    return drawn.reshape(targets.shape)


def _notes(
    targets: NDArray[np.int64],
    ids: NDArray[np.int32],
    sets: Sets,
    n_train: NDArray[np.int64],
    n_validation: NDArray[np.int64],
    guard: int,
) -> list[str]:
    """Say what became of the classes and pixels that are not where they were wanted."""
    classes = len(ids)
    learned, validated, tested = (_count(targets, mask, classes) for mask in sets)
    notes = class_notes(
        ids,
        learned=learned,
        validated=validated,
        tested=tested,
        validates=bool(n_validation.any()),
    )
    for name, got, wanted in (
        ("Training", learned, n_train),
        ("Validation", validated, n_validation),
    ):
        if (got < wanted).any():
            share = np.where(got > 0, got / np.maximum(wanted, 1), np.inf)
            least = int(share.argmin())
            notes.append(
                f"{name} has {got.sum():,} of the {wanted.sum():,} pixels asked for; of the "
                f"classes in it, class {ids[least]} has the smallest share ({got[least]:,} of "
                f"{wanted[least]:,})."
            )
    labelled = targets >= 0
    unused = labelled & ~(sets.train | sets.validation | sets.test)
    # They lie in the blocks, out of reach of the other sets, but the class has what was wanted.
    spare = unused & ~within(sets.test | sets.validation, guard)
    if n_validation.any():
        spare |= unused & ~within(sets.test | sets.train, guard)
    of_learned = np.append(learned > 0, False)[targets]
    spare &= of_learned
    band = unused & of_learned & ~spare
    notes += band_notes(band, labelled, guard=guard, near="a pixel of another set")
    if spare.any():
        notes.append(
            f"{np.count_nonzero(spare):,} labelled pixels in the blocks are more than was asked "
            "for and are not used."
        )
    return notes


def _count(targets: NDArray[np.int64], mask: NDArray[np.bool_], classes: int) -> NDArray[np.int64]:
    return np.bincount(targets[mask], minlength=classes)
