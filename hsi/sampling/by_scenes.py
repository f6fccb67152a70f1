"""A split by scenes: what is learned in some, and tested in others."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsi.errors import UsageError
from hsi.sampling.amounts import part
from hsi.sampling.blocks import Sets
from hsi.sampling.class_notes import class_notes
from hsi.sampling.draw import draw_pixels, labelled_pixels
from hsi.sampling.overlap import check_patch_size
from hsi.sampling.split import Split
from hsi.sampling.targets import count_classes


def split_scenes(
    labels: ArrayLike,
    regions: Sets,
    *,
    train: int | float = 1.0,
    validation: int | float = 0.0,
    seed: int = 0,
    patch_size: int = 25,
    valid: ArrayLike | None = None,
) -> Split:
    """Train, validate and test on the labelled pixels of different regions.

    Parameters
    ----------
    labels : array_like
        ``(rows, cols)`` label ids, 0 = unlabelled.
    regions : Sets
        Masks ``(rows, cols)`` of the pixels that each set may have; for validation, perhaps none.
    train : int or float
        Of each class in the training region, a number of pixels or a fraction, drawn at random;
        1.0 are all. What is not drawn is not used.
    validation : int or float
        The same for validation, without a region for it: drawn from the training region, whose
        pixels are the fewer by these. A class keeps one pixel to train on.
    seed, patch_size, valid
        As for `hsi.split_pixels`.

    Returns
    -------
    Split
        Its `method` is ``"scenes"``. No class is in the test that is not in the training.

    Raises
    ------
    UsageError
        If an argument cannot be meant, validation is wanted twice, or there are fewer than two
        classes to learn or none of them to test.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[1, 1, 2, 0, 1, 2, 3]])
    >>> left = np.arange(7)[None] < 3
    >>> split = split_scenes(labels, Sets(left, np.zeros_like(left), ~left), patch_size=1)
    >>> split.test.astype(int)
    array([[0, 0, 0, 0, 1, 1, 0]])
    >>> split.notes[0]
    'No training pixels, and therefore left out of the test: class 3.'
    """
    check_patch_size(patch_size)
    _check_amounts(train, validation, regions)
    if not isinstance(seed, Integral) or seed < 0:
        raise UsageError(f"seed must be a whole number from 0, not {seed!r}")
    ids, targets, _, _, notes = labelled_pixels(labels, valid)
    own = np.where(regions.train, targets, -1)
    sizes = count_classes(own[own >= 0], ids.size)
    n_validation = np.array([part(size, validation) for size in sizes.tolist()])
    n_validation = np.minimum(n_validation, np.maximum(sizes - 1, 0))
    wanted = np.array([part(size, train) for size in sizes.tolist()])
    n_train = np.minimum(wanted, sizes - n_validation)
    drawn = draw_pixels(own, n_train, n_validation, np.random.default_rng(int(seed)))

    labelled = targets >= 0
    validated = drawn.validation | (regions.validation & labelled)
    # The target -1 of pixels without a label finds the last entry.
    learnable = np.append(n_train > 0, False)[targets]
    sets = Sets(drawn.train, validated & learnable, regions.test & labelled & learnable)
    counts = [count_classes(targets[mask], ids.size) for mask in sets]
    _check_counts(*counts)
    notes += class_notes(
        ids,
        learned=counts[0],
        validated=counts[1],
        tested=counts[2],
        validates=bool(validation) or bool(regions.validation.any()),
    )
    notes += _unused(targets, drawn.test, regions.test & labelled & ~learnable)
    return Split(
        **sets._asdict(),
        method="scenes",
        seed=int(seed),
        patch_size=int(patch_size),
        notes=tuple(notes),
    )


def _check_amounts(train: int | float, validation: int | float, regions: Sets) -> None:
    for name, amount, most in (("train", train, 1), ("validation", validation, 0.999)):
        none = name == "validation" and amount == 0
        whole = isinstance(amount, Integral) and not isinstance(amount, bool) and amount >= 1
        share = isinstance(amount, Real) and not isinstance(amount, Integral) and 0 < amount <= most
        if not (none or whole or share):
            raise UsageError(
                f"{name} must be a fraction (up to 1.0) of the pixels of each class in the "
                f"training scenes, or a number of them, not {amount!r}"
            )
    if validation and regions.validation.any():
        raise UsageError(
            f"validation={validation} would be drawn from the training scenes, but there are "
            "scenes for validation\nLeave out one of them: --validation, or --validation-dataset."
        )
    if not regions.test.any():
        raise UsageError(
            "there are scenes for validation, but none for the test\nName some with --test-dataset."
        )


def _check_counts(
    learned: NDArray[np.int64], validated: NDArray[np.int64], tested: NDArray[np.int64]
) -> None:
    if np.count_nonzero(learned) < 2:
        raise UsageError(
            "the training scenes have labels of "
            f"{'one class only' if learned.any() else 'no class'}; to tell classes apart takes at "
            "least two"
        )
    if not tested.any():
        raise UsageError("no class of the training scenes occurs in the test scenes")


def _unused(
    targets: NDArray[np.int64], not_drawn: NDArray[np.bool_], not_learned: NDArray[np.bool_]
) -> list[str]:
    """Say how many labelled pixels are in none of the sets."""
    notes = []
    spare = np.count_nonzero(not_drawn & (targets >= 0))
    if spare:
        notes.append(
            f"{spare:,} labelled pixels of the training scenes are more than was asked for and "
            "are not used."
        )
    strange = np.count_nonzero(not_learned)
    if strange:
        notes.append(f"{strange:,} labelled pixels of the test scenes are of classes not learned.")
    return notes
