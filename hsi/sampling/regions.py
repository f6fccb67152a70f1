"""A split by regions: each set has its own part of the labelled pixels."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsi.errors import UsageError
from hsi.sampling.amounts import part
from hsi.sampling.blocks import Sets
from hsi.sampling.class_notes import class_notes
from hsi.sampling.draw import check_seed, draw_pixels, labelled_pixels
from hsi.sampling.overlap import check_patch_size
from hsi.sampling.split import Split
from hsi.sampling.targets import count_classes


def split_regions(
    labels: ArrayLike,
    regions: Sets,
    *,
    method: str,
    where: str,
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
    method : str
        The split's name.
    where : str
        What regions are called in messages: "the training `where`".
    train, validation, seed, patch_size, valid
        As for `split_scenes`.

    Returns
    -------
    Split
        No class is in the test that is not in the training.

    Raises
    ------
    UsageError
        If an argument cannot be meant, or there are fewer than two classes to learn or none of
        them to test.
    """
    check_patch_size(patch_size)
    check_seed(seed)
    check_share("train", train, where=where)
    check_share("validation", validation, where=where)
    ids, targets, _, _, notes = labelled_pixels(labels, valid)
    drawn = draw_in(
        targets,
        regions.train,
        classes=ids.size,
        train=train,
        validation=validation,
        rng=np.random.default_rng(int(seed)),
    )
    labelled = targets >= 0
    validated = drawn.validation | (regions.validation & labelled)
    learned = count_classes(targets[drawn.train], ids.size)
    # The target -1 of pixels without a label finds the last entry.
    learnable = np.append(learned > 0, False)[targets]
    sets = Sets(drawn.train, validated & learnable, regions.test & labelled & learnable)
    counts = [learned, *(count_classes(targets[mask], ids.size) for mask in sets[1:])]
    _check_counts(learned, counts[2], where)
    notes += class_notes(
        ids,
        learned=learned,
        validated=counts[1],
        tested=counts[2],
        validates=bool(validation) or bool(regions.validation.any()),
    )
    notes += _unused(drawn.test, regions.test & labelled & ~learnable, where)
    return Split(
        **sets._asdict(),
        method=method,
        seed=int(seed),
        patch_size=int(patch_size),
        notes=tuple(notes),
    )


def draw_in(
    targets: NDArray[np.int64],
    region: NDArray[np.bool_],
    *,
    classes: int,
    train: int | float,
    validation: int | float,
    rng: np.random.Generator,
) -> Sets:
    """Draw training and validation pixels of each class in a region.

    Parameters
    ----------
    targets : ndarray
        ``(rows, cols)``, ``0..K-1``, and -1 where there is no pixel to draw.
    region : ndarray
        ``(rows, cols)``, boolean.
    classes : int
        K.
    train, validation : int or float
        Of each class in the region, a number of pixels or a fraction; 1.0 are all but those for
        validation. A class keeps one pixel to train on.
    rng : numpy.random.Generator
        Decides.

    Returns
    -------
    Sets
        In `test`, what of the region was not drawn.
    """
    own = np.where(region, targets, -1)
    sizes = count_classes(own[own >= 0], classes)
    n_validation = np.array([part(size, validation) for size in sizes.tolist()])
    n_validation = np.minimum(n_validation, np.maximum(sizes - 1, 0))
    wanted = np.array([part(size, train) for size in sizes.tolist()])
    n_train = np.minimum(wanted, sizes - n_validation)
    drawn = draw_pixels(own, n_train, n_validation, rng)
    return Sets(drawn.train, drawn.validation, drawn.test & (own >= 0))


def check_share(name: str, amount: int | float, *, where: str) -> None:
    """Refuse what is no fraction of the pixels of a region and no number of them.

    Raises
    ------
    UsageError
        With the `name` of the amount, and `where` it is taken from.
    """
    most = 1 if name == "train" else 0.999
    none = name == "validation" and amount == 0
    whole = isinstance(amount, Integral) and not isinstance(amount, bool) and amount >= 1
    share = isinstance(amount, Real) and not isinstance(amount, Integral) and 0 < amount <= most
    if not (none or whole or share):
        raise UsageError(
            f"{name} must be a fraction (up to 1.0) of the pixels of each class in the "
            f"training {where}, or a number of them, not {amount!r}"
        )


def _check_counts(learned: NDArray[np.int64], tested: NDArray[np.int64], where: str) -> None:
    if np.count_nonzero(learned) < 2:
        raise UsageError(
            f"in the training {where}, there are labels of "
            f"{'one class only' if learned.any() else 'no class'}; to tell classes apart takes at "
            "least two"
        )
    if not tested.any():
        raise UsageError(f"no class of the training {where} occurs in the test {where}")


def _unused(not_drawn: NDArray[np.bool_], not_learned: NDArray[np.bool_], where: str) -> list[str]:
    """Say how many labelled pixels are in none of the sets."""
    notes = []
    spare = np.count_nonzero(not_drawn)
    if spare:
        notes.append(
            f"{spare:,} labelled pixels of the training {where} are more than was asked for and "
            "are not used."
        )
    strange = np.count_nonzero(not_learned)
    if strange:
        notes.append(f"{strange:,} labelled pixels of the test {where} are of classes not learned.")
    return notes
