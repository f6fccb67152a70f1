"""A split that is given as masks or label maps, put over the labels of a scene."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsi.errors import UsageError
from hsi.sampling.blocks import Sets
from hsi.sampling.regions import split_regions
from hsi.sampling.split import Split

# Maps that differ from the labels in more of their pixels than this number their classes otherwise.
MOST_CLASHES = 0.5


class GivenSets(NamedTuple):
    """What is given of each set: ``(rows, cols)``, a boolean mask or label ids, 0 elsewhere."""

    train: NDArray[np.bool_] | NDArray[np.int32]
    validation: NDArray[np.bool_] | NDArray[np.int32] | None = None
    test: NDArray[np.bool_] | NDArray[np.int32] | None = None
    """None: all labelled pixels that no other set has."""


def split_given(
    labels: ArrayLike,
    given: GivenSets,
    *,
    method: str,
    name: str,
    adds_labels: bool = False,
    train: int | float = 1.0,
    validation: int | float = 0.0,
    seed: int = 0,
    patch_size: int = 25,
    valid: ArrayLike | None = None,
) -> Split:
    """Train, validate and test on the pixels that masks or label maps name.

    Parameters
    ----------
    labels : array_like
        ``(rows, cols)`` label ids of the scene, 0 = unlabelled.
    given : GivenSets
        The sets.
    method : str
        The split's name.
    name : str
        What the maps are called in messages, after "the training map of".
    adds_labels : bool
        Whether label maps label pixels that `labels` leave out; else these are in none of the
        sets. Pixels of another class than in `labels` never are.
    train, validation : int or float
        As for `split_scenes`, of the training map.
    seed, patch_size, valid
        As for `hsi.split_pixels`.

    Returns
    -------
    Split
        With `labels` of its own if the maps have added some.

    Raises
    ------
    UsageError
        If shapes differ, a pixel is in two sets, a set lacks any labelled pixel, the classes of a
        map are numbered otherwise than those of the labels, or an argument cannot be meant.

    Examples
    --------
    A label of the training map that the scene lacks, and one that the scene says otherwise:

    >>> import numpy as np
    >>> given = GivenSets(train=np.array([[1, 2, 2, 1, 0, 0]]))
    >>> labels = np.array([[1, 2, 0, 2, 1, 2]])
    >>> split = split_given(labels, given, method="official", name="a field", adds_labels=True)
    >>> split.train.astype(int), split.test.astype(int), split.labels
    (array([[1, 1, 1, 0, 0, 0]]), array([[0, 0, 0, 0, 1, 1]]), \
array([[1, 2, 2, 2, 1, 2]], dtype=int32))
    """
    labels = np.asarray(labels).astype(np.int32)
    _check_shapes(labels, given, name)
    members = [None if each is None else each > 0 for each in given]
    _check_apart(members, name)
    if validation and members[1] is not None and members[1].any():
        raise UsageError(
            f"validation={validation} would be drawn from the training map of {name}, which has "
            "validation pixels of its own\nLeave out validation (--validation)."
        )
    whole, notes, regions = labels.copy(), [], []
    for each, member, what in zip(given, members, _NAMES, strict=True):
        if each is None or member is None:
            regions.append(np.zeros(labels.shape, dtype=bool))
            continue
        of_labels = each.dtype != bool
        clash = member & (labels > 0) & (each != labels) if of_labels else np.zeros_like(member)
        new = member & (labels == 0)
        if np.count_nonzero(clash) > MOST_CLASHES * np.count_nonzero(member & (labels > 0)):
            raise UsageError(
                f"the {what} map of {name} has another class than the labels in "
                f"{np.count_nonzero(clash):,} of {np.count_nonzero(member):,} pixels: it seems to "
                "number them otherwise\nRenumber it, or set its pixels to 1 (a mask)."
            )
        if of_labels and adds_labels:
            whole[new] = each[new]
            notes += _added(new, what)
            new = np.zeros_like(new)
        regions.append(member & ~clash & ~new)
        notes += _dropped(member, new, clash, what)
    if given.test is None:
        others = [member for member in members if member is not None]
        regions[2] = (whole > 0) & ~np.logical_or.reduce(others)
    _check_filled(regions, name)
    split = split_regions(
        whole,
        Sets(*regions),
        method=method,
        where="map",
        train=train,
        validation=validation,
        seed=seed,
        patch_size=patch_size,
        valid=valid,
    )
    own = whole if (whole != labels).any() else None
    values = {mask: getattr(split, mask) for mask in Sets._fields}
    return Split(
        **values,
        method=split.method,
        seed=split.seed,
        patch_size=split.patch_size,
        notes=(*notes, *split.notes),
        labels=own,
    )


_NAMES = ("training", "validation", "test")


def _check_shapes(labels: NDArray[np.int32], given: GivenSets, name: str) -> None:
    for each, what in zip(given, _NAMES, strict=True):
        if each is not None and each.shape != labels.shape:
            turned = each.shape == labels.shape[::-1]
            raise UsageError(
                f"the {what} map of {name} is {each.shape[0]} x {each.shape[1]} pixels, the scene "
                f"{labels.shape[0]} x {labels.shape[1]}: it "
                f"{'looks transposed' if turned else 'is of another scene'}"
            )


def _check_apart(members: list[NDArray[np.bool_] | None], name: str) -> None:
    for one, other in ((0, 1), (0, 2), (1, 2)):
        first, second = members[one], members[other]
        if first is None or second is None:
            continue
        shared = np.count_nonzero(first & second)
        if shared:
            raise UsageError(
                f"the {_NAMES[one]} and the {_NAMES[other]} map of {name} share {shared:,} "
                "pixels; each pixel may be in one set only"
            )


def _check_filled(regions: list[NDArray[np.bool_]], name: str) -> None:
    for what, region in (("training", regions[0]), ("test", regions[2])):
        if not region.any():
            raise UsageError(f"{name} has no {what} pixel that is labelled")


def _added(new: NDArray[np.bool_], what: str) -> list[str]:
    count = np.count_nonzero(new)
    if not count:
        return []
    return [
        f"{count:,} pixels of the {what} map are unlabelled in the ground truth; their labels are "
        "those of the map."
    ]


def _dropped(
    member: NDArray[np.bool_], new: NDArray[np.bool_], clash: NDArray[np.bool_], what: str
) -> list[str]:
    parts = [
        f"{np.count_nonzero(mask):,} {how}"
        for mask, how in ((new, "without a label"), (clash, "of another class"))
        if mask.any()
    ]
    if not parts:
        return []
    return [
        f"Of the {np.count_nonzero(member):,} pixels of the {what} map, {' and '.join(parts)} in "
        "the ground truth are in none of the sets."
    ]
