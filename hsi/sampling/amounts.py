"""How many pixels of each class a training takes, and whether there are enough."""

from __future__ import annotations

import math
from fractions import Fraction
from numbers import Integral, Real

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError

# Classes that a message names at most; and more than this, no ground truth has.
NAMED, MOST_CLASSES = 5, 255


def check_sizes(
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
        more = small.size - NAMED
        named += f", and {more:,} more {'class has' if more == 1 else 'classes have'} too few"
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


def wanted(
    sizes: NDArray[np.int64], train: int | float, validation: int | float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many training and validation pixels each class gives, leaving one to test.

    Where they do not all fit, a fraction gives way to a count, and validation to training, which
    keeps one pixel at least.
    """
    n_train, n_validation = np.zeros_like(sizes), np.zeros_like(sizes)
    for k, size in enumerate(sizes.tolist()):
        reserved = min(part(size, validation), 1)
        if isinstance(train, Integral):
            reserved = 0
        elif isinstance(validation, Integral):
            reserved = int(validation)
        n_train[k] = max(0, min(part(size, train), max(1, size - 1 - reserved), size - 1))
        n_validation[k] = max(0, min(part(size, validation), size - 1 - n_train[k]))
    return n_train, n_validation


def part(size: int, amount: int | float) -> int:
    """Return `amount` itself, or that fraction of `size` to the nearest, halves up, at least 1."""
    if isinstance(amount, Integral) or amount == 0:
        return int(amount)
    # As the decimal that was written: 0.145 of 100 is 14.5, which no float product says.
    return max(1, math.floor(Fraction(str(amount)) * size + Fraction(1, 2)))


def check_amounts(train: int | float, validation: int | float) -> None:
    """Refuse what is neither a fraction nor a number of pixels, and fractions without a rest.

    Raises
    ------
    UsageError
        Which of them it is.
    """
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
