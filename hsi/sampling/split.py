"""What a split is: which pixels are for training, which for validation, and which for the test."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsi.errors import UsageError
from hsi.sampling.overlap import Overlap, check_patch_size, overlap_audit
from hsi.sampling.targets import class_ids, count_classes, to_targets
from hsi.scenes import Scene


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
        How it was made: ``"random"``, ``"blocks"``, ``"folds"``, ``"official"``, ``"file"``,
        ``"scenes"``, or a name of one's own.
    seed : int
        What the choice was drawn with.
    patch_size : int
        Side of the patches in pixels that blocks were kept apart for, and that `overlap` is for.
    notes : tuple of str
        What one must know to read results, in plain words: classes on one side only, pixels that
        were left out.
    labels : ndarray of int32, optional
        ``(rows, cols)`` label ids that came with the split and take the place of the scene's.
        None: the pixels are those that the scene itself has labels for.

    Raises
    ------
    UsageError
        If the masks are not boolean and of one shape, or share a pixel, or `labels` are of another
        shape.
    """

    train: NDArray[np.bool_]
    validation: NDArray[np.bool_]
    test: NDArray[np.bool_]
    method: str
    seed: int
    patch_size: int
    notes: tuple[str, ...] = ()
    labels: NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        check_patch_size(self.patch_size)
        masks = {"train": self.train, "validation": self.validation, "test": self.test}
        for name, mask in masks.items():
            if mask.dtype != bool or mask.ndim != 2 or mask.shape != self.train.shape:
                raise UsageError(
                    "train, validation and test must be boolean masks (rows, cols) of one shape; "
                    f"{name} is {mask.dtype} of {mask.shape}"
                )
        if self.labels is not None and self.labels.shape != self.train.shape:
            raise UsageError(
                f"the split is of a scene of {self.train.shape}, its labels are of "
                f"{self.labels.shape}"
            )
        for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
            shared = np.count_nonzero(masks[one] & masks[other])
            if shared:
                raise UsageError(
                    f"{one} and {other} share {shared} pixels; each pixel may be in one set only"
                )

    def labelled(self, scene: Scene) -> Scene:
        """Return `scene` with the labels that came with the split; as it is if none did.

        Raises
        ------
        UsageError
            If the scene has other labels than those which the split's are more than.
        """
        if self.labels is None:
            return scene
        own = scene.labels
        if own is None or own.shape != self.labels.shape or (own != self.labels)[own > 0].any():
            raise UsageError(
                f"the labels that came with the split ({self.method}) are not those of "
                f"{scene.name}: it is another scene, or has other labels"
            )
        return dataclasses.replace(scene, labels=self.labels)

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
            ``(rows, cols)`` label ids that were split. Those that came with the split go before.
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
        labels = np.asarray(labels) if self.labels is None else self.labels
        names = class_names or {}
        if labels.shape != self.train.shape:
            raise UsageError(
                f"the split is of a scene of {self.train.shape}, the labels are of {labels.shape}"
            )
        ids = class_ids(labels)
        targets = to_targets(labels, ids)
        counts = [
            count_classes(targets[mask], ids.size)
            for mask in (self.train, self.validation, self.test)
        ]
        return [
            ClassCount(int(i), names.get(int(i), f"class {i}"), *(int(n[k]) for n in counts))
            for k, i in enumerate(ids)
        ]
