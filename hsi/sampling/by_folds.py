"""A split by folds: every pixel is tested in one of them, and never near its training."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsi.errors import UsageError, check_whole_number
from hsi.sampling.arranging import arrange_folds
from hsi.sampling.class_notes import class_notes
from hsi.sampling.draw import check_seed, labelled_pixels
from hsi.sampling.guard import band_notes, guard_notes, guard_of
from hsi.sampling.overlap import check_patch_size, within
from hsi.sampling.regions import check_share, draw_in
from hsi.sampling.split import Split
from hsi.sampling.targets import count_classes


def split_folds(
    labels: ArrayLike,
    *,
    folds: int = 5,
    fold: int = 0,
    train: int | float = 1.0,
    validation: int | float = 0.0,
    seed: int = 0,
    patch_size: int = 25,
    guard: int | None = None,
    valid: ArrayLike | None = None,
) -> Split:
    """Test on one of several parts of the scene, and train on what lies far enough from it.

    The scene is divided into blocks, and these into folds, by a seeded search for folds that have
    all classes, about equally many pixels, and much to train on beyond the guard band. Each
    labelled pixel is in the test of exactly one fold.

    Parameters
    ----------
    labels : array_like
        ``(rows, cols)`` label ids, 0 = unlabelled.
    folds : int
        Number of folds, 2 or more.
    fold : int
        The one that is the test, from 0.
    train : int or float
        Of each class among the pixels that may be trained on, a fraction or a number, drawn at
        random; 1.0 are all.
    validation : int or float
        The same for validation, drawn from among them, so that they are the fewer. Patches of
        validation and training overlap; those of the test overlap with neither.
    seed : int
        From 0. Equal seeds give equal folds.
    patch_size : int
        Side of the patches in pixels, odd.
    guard : int, optional
        Width in pixels of the band around the test that is not trained on. Without,
        ``patch_size - 1``, so that no test patch shares a pixel with a training patch.
    valid : array_like, optional
        ``(rows, cols)``, boolean: pixels with data. The others are in no fold.

    Returns
    -------
    Split
        Its `method` is ``"folds"``. Classes whose pixels all lie in or near the test are tested
        all the same; its `notes` name them.

    Raises
    ------
    UsageError
        If an argument cannot be meant, or the scene is too small for so many folds with such a
        guard band.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.tile([[1, 2, 0, 14]], (8, 6))
    >>> splits = [split_folds(labels, folds=3, fold=fold, patch_size=3) for fold in range(3)]
    >>> sum(int(split.test.sum()) for split in splits), int(np.count_nonzero(labels))
    (144, 144)
    >>> max(split.overlap.shares for split in splits)
    0.0
    """
    check_patch_size(patch_size)
    check_seed(seed)
    for name, amount in (("train", train), ("validation", validation)):
        check_share(name, amount, where="part of the scene")
    check_folds(folds, fold)
    width = guard_of(guard, int(patch_size))
    ids, targets, _, _, notes = labelled_pixels(labels, valid)
    arranged = arranged_folds(targets, ids.size, folds=int(folds), guard=width, seed=int(seed))
    test, region = pixels_of_fold(targets, arranged, int(fold), width)
    drawn = draw_in(
        targets,
        region,
        classes=ids.size,
        train=train,
        validation=validation,
        rng=np.random.default_rng([int(seed), int(fold)]),
    )
    learned, validated, tested = (
        count_classes(targets[mask], ids.size) for mask in (drawn.train, drawn.validation, test)
    )
    labelled = targets >= 0
    band = labelled & ~test & ~region
    notes += [
        f"Fold {int(fold) + 1} of {int(folds)}: other folds test the other pixels.",
        *class_notes(
            ids,
            learned=learned,
            validated=validated,
            tested=tested,
            validates=bool(validation),
        ),
        *band_notes(band, labelled, guard=width, near="the test", where=" in this fold"),
        *_drawn_notes(drawn.validation, drawn.test),
        *guard_notes(drawn.train | drawn.validation, test, patch_size=int(patch_size), guard=width),
    ]
    return Split(
        train=drawn.train,
        validation=drawn.validation,
        test=test,
        method="folds",
        seed=int(seed),
        patch_size=int(patch_size),
        notes=tuple(notes),
    )


def check_folds(folds: int, fold: int = 0) -> None:
    """Refuse a number of folds that cannot be, or a fold that is none of them.

    Raises
    ------
    UsageError
        Which of them it is.
    """
    check_whole_number("folds", folds)
    check_whole_number("fold", fold)
    if folds < 2:
        raise UsageError(
            f"folds must be 2 or more, so that there is a rest to train on; not {folds}"
        )
    if not 0 <= fold < folds:
        raise UsageError(f"fold must be one of 0..{folds - 1}, not {fold}")


def arranged_folds(
    targets: NDArray[np.int64], classes: int, *, folds: int, guard: int, seed: int
) -> NDArray[np.int64]:
    """Return the fold of each pixel, in an arrangement where all folds can be trained and tested.

    Parameters
    ----------
    targets : ndarray
        ``(rows, cols)``, ``0..K-1``, and -1 where there is no pixel.
    classes : int
        K.
    folds, guard, seed
        As for `split_folds`.

    Raises
    ------
    UsageError
        If there is no such arrangement.
    """
    advice = "Use fewer folds, or a smaller patch_size or guard (--folds, --patch-size, --guard)."
    arranged = arrange_folds(targets, classes=classes, folds=folds, guard=guard, seed=seed)
    if arranged is None:
        raise UsageError(
            f"the labelled pixels lie in too few places for {folds} folds of blocks\n{advice}"
        )
    for fold in range(folds):
        test, region = pixels_of_fold(targets, arranged, fold, guard)
        learned = np.bincount(targets[region], minlength=classes) > 0
        if learned.sum() < min(2, classes) or not learned[targets[test]].any():
            raise UsageError(
                f"fold {fold + 1} of {folds} has too little to train on: a guard band of {guard} "
                f"pixels around its test leaves {learned.sum()} of {classes} classes\n{advice}"
            )
    return arranged


def pixels_of_fold(
    targets: NDArray[np.int64], arranged: NDArray[np.int64], fold: int, guard: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the pixels of a fold, and those that the guard band does not keep from training."""
    test = arranged == fold
    return test, (targets >= 0) & ~within(test, guard)


def _drawn_notes(validation: NDArray[np.bool_], spare: NDArray[np.bool_]) -> list[str]:
    notes = []
    if validation.any():
        notes.append(
            "Validation pixels are drawn from among the training pixels: what they say of accuracy "
            "is of the training's neighbourhood, not of a new place."
        )
    if spare.any():
        notes.append(
            f"{np.count_nonzero(spare):,} labelled pixels outside the test are more than was asked "
            "for and are not used."
        )
    return notes
