"""A split by scenes: what is learned in some, and tested in others."""

from __future__ import annotations

from numpy.typing import ArrayLike

from hsi.errors import UsageError
from hsi.sampling.blocks import Sets
from hsi.sampling.regions import split_regions
from hsi.sampling.split import Split


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
    """Train, validate and test on the labelled pixels of different scenes.

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
    if validation and regions.validation.any():
        raise UsageError(
            f"validation={validation} would be drawn from the training scenes, but there are "
            "scenes for validation\nLeave out one of them: --validation, or --validation-dataset."
        )
    if not regions.test.any():
        raise UsageError(
            "there are scenes for validation, but none for the test\nName some with --test-dataset."
        )
    return split_regions(
        labels,
        regions,
        method="scenes",
        where="scenes",
        train=train,
        validation=validation,
        seed=seed,
        patch_size=patch_size,
        valid=valid,
    )
