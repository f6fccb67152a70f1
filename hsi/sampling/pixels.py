"""Which labelled pixels are for training, which for validation, and which for the test."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hsi.errors import UsageError, unknown_name
from hsi.sampling.amounts import check_amounts, check_sizes, wanted
from hsi.sampling.blocks import assign_blocks
from hsi.sampling.draw import check_seed, draw_pixels, labelled_pixels
from hsi.sampling.guard import guard_notes, guard_of
from hsi.sampling.overlap import check_patch_size
from hsi.sampling.split import Split

METHODS = ("random", "blocks")


def split_pixels(
    labels: ArrayLike,
    *,
    method: Literal["random", "blocks"] = "random",
    train: int | float = 0.1,
    validation: int | float = 0.0,
    seed: int = 0,
    patch_size: int = 25,
    guard: int | None = None,
    valid: ArrayLike | None = None,
) -> Split:
    """Divide the labelled pixels into training, validation and test pixels.

    ``"random"`` draws pixels of each class at random, as most papers do. Each class has at least
    one training and one test pixel, and what is neither for training nor for validation is for the
    test. The training pixels do not depend on `validation`, and those of a smaller `train` are
    among those of a larger one of the same seed.

    ``"blocks"`` takes training (and validation) pixels from rectangular blocks, and the test pixels
    from what lies at least `patch_size` pixels away, so that patches of different sets share no
    pixel. Pixels in between, the guard band, are not used. A seeded search looks for blocks that
    have all classes on both sides, nearly the training pixels asked for, and most pixels left to
    test on; `notes` say how far it got.

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
    guard : int, optional
        Of blocks, the width of the guard band in pixels. Without, ``patch_size - 1``. With a larger
        one, networks with patches up to ``guard + 1`` can be compared on the same pixels; with a
        smaller one, patches overlap, and `notes` say how many.
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
    if guard is not None and method != "blocks":
        raise UsageError(
            f"guard={guard} is the distance of blocks; a {method} split keeps none"
            "\nUse method='blocks', or leave out guard."
        )
    width = guard_of(guard, int(patch_size))
    check_amounts(train, validation)
    check_seed(seed)
    ids, targets, labelled, sizes, notes = labelled_pixels(labels, valid)
    if method == "random":
        check_sizes(ids, labelled, sizes, train, validation)
    n_train, n_validation = wanted(sizes, train, validation)
    rng = np.random.default_rng(int(seed))
    if method == "random":
        sets = draw_pixels(targets, n_train, n_validation, rng)
    else:
        sets, more = assign_blocks(
            targets,
            ids=ids,
            train=n_train,
            validation=n_validation,
            guard=width,
            rng=rng,
        )
        apart = guard_notes(sets.train, sets.test, patch_size=int(patch_size), guard=width)
        notes = [*notes, *more, *apart]
    return Split(
        **sets._asdict(),
        method=method,
        seed=int(seed),
        patch_size=int(patch_size),
        notes=tuple(notes),
    )
