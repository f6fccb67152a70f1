"""Which pixels each training step sees, and in which parts of the scene they lie.

A step may cut the patch of each pixel (`Patches`), or take regions of the scene as a whole and
compute the trunk once for all patches in them: the one region around all training pixels
(`Region`), or some crops of a scene so large that one region would cost too much (`Crops`).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsi.models import PatchNetwork

# Pixels of the largest scene that is one region: a step on it takes as long as patches would.
LARGEST_REGION = 300 * 300
# Side of a crop in pixels. The margin of a patch around it is computed, too.
CROP = 64
# Crops drawn for each one that is taken.
CANDIDATES = 8
# Weights in the loss make up for classes that crops hold too few pixels of, up to this factor.
LARGEST_WEIGHT = 4.0


@dataclass(frozen=True, kw_only=True)
class Part:
    """What part of a batch the pixels of a process are.

    Attributes
    ----------
    places : Tensor
        ``(N,)`` which pixels of the whole batch they are.
    pixels : int
        Those of the whole batch.
    weight : Tensor
        The sum of their weights in the loss.
    """

    places: Tensor
    pixels: int
    weight: Tensor


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The pixels of one step.

    Attributes
    ----------
    rows, cols : Tensor
        ``(N,)`` place of each pixel, in the scene or in its region.
    truth : Tensor
        ``(N,)`` targets.
    class_weights : Tensor
        ``(K,)`` of the loss.
    corners : Tensor or None
        ``(R, 2)`` upper left pixel of each region; None: the patches are cut one by one.
    size : tuple of int
        Rows and columns of a region.
    regions : Tensor or None
        ``(N,)`` the region of each pixel.
    part : Part or None
        None: this is all of the batch.
    """

    rows: Tensor
    cols: Tensor
    truth: Tensor
    class_weights: Tensor
    corners: Tensor | None = None
    size: tuple[int, int] = (0, 0)
    regions: Tensor | None = None
    part: Part | None = None


class Batches(ABC):
    """The batches of an epoch.

    Parameters
    ----------
    pixels : ndarray
        ``(N, 2)`` rows and columns of the training pixels.
    targets : ndarray
        ``(rows, cols)``.
    batch_size : int
        Pixels in a batch, nearly.
    class_balance : float
        0: all pixels weigh the same in the loss; 1: all classes do; between, a class of n pixels
        weighs n to the power of 1 - `class_balance`.
    device : torch.device
        Where they are wanted.
    """

    def __init__(
        self,
        pixels: NDArray[np.int64],
        targets: NDArray[np.int64],
        *,
        batch_size: int,
        class_balance: float,
        device: torch.device,
    ) -> None:
        self.pixels = pixels
        self.truth = targets[pixels[:, 0], pixels[:, 1]]
        self.classes = int(targets.max()) + 1
        self.device = device
        self.count = batch_count(len(pixels), batch_size)
        counts = np.bincount(self.truth, minlength=self.classes)
        # A class without pixels has no weight either. The mean over all pixels is 1.
        weights = np.where(counts, np.maximum(counts, 1.0) ** -class_balance, 0.0)
        self.weights = weights * len(pixels) / (weights @ counts)

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return self.count

    @abstractmethod
    def epoch(self, generator: torch.Generator) -> Iterator[Batch]:
        """Yield the batches of one pass over the training pixels."""

    def _shuffled(self, generator: torch.Generator) -> list[NDArray[np.int64]]:
        order = torch.randperm(len(self.pixels), generator=generator).numpy()
        return np.array_split(order, self.count)

    def _tensors(self, pixels: NDArray[np.int64], chosen: NDArray[np.int64]) -> dict[str, Any]:
        rows, cols = torch.from_numpy(pixels.T.copy()).to(self.device)
        return {
            "rows": rows,
            "cols": cols,
            "truth": self._here(self.truth[chosen]),
            "class_weights": self._here(self.weights.astype(np.float32)),
        }

    def _here(self, values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)


class Patches(Batches):
    """Pixels in random order."""

    def epoch(self, generator: torch.Generator) -> Iterator[Batch]:
        """Yield each training pixel once."""
        for chosen in self._shuffled(generator):
            yield Batch(**self._tensors(self.pixels[chosen], chosen))


class Region(Batches):
    """Pixels in random order, in the smallest rectangle that holds all training pixels."""

    def epoch(self, generator: torch.Generator) -> Iterator[Batch]:
        """Yield each training pixel once."""
        corner, size = bounding_box(self.pixels)
        for chosen in self._shuffled(generator):
            yield Batch(
                **self._tensors(self.pixels[chosen] - corner, chosen),
                corners=self._here(corner[None]),
                size=size,
                regions=torch.zeros(len(chosen), dtype=torch.int64, device=self.device),
            )


class Crops(Batches):
    """Pixels of a few crops at a time, in the proportions of the classes.

    Crops are drawn around training pixels, and those are taken that together come nearest to the
    classes' shares of a batch. Of a class with more pixels than its share, some are drawn; what a
    class lacks, others fill up, and weights in the loss restore the proportions.
    """

    def __init__(
        self,
        pixels: NDArray[np.int64],
        targets: NDArray[np.int64],
        *,
        batch_size: int,
        class_balance: float,
        device: torch.device,
    ) -> None:
        super().__init__(
            pixels, targets, batch_size=batch_size, class_balance=class_balance, device=device
        )
        rows, cols = targets.shape
        self.size = min(CROP, rows), min(CROP, cols)
        self.last_corner = np.array([rows - self.size[0], cols - self.size[1]])
        self.shares = np.bincount(self.truth, minlength=self.classes) / len(pixels)
        self.batch = math.ceil(len(pixels) / self.count)
        self.crops = self._crops_of_a_batch()

    def epoch(self, generator: torch.Generator) -> Iterator[Batch]:
        """Yield as many batches as one pass has; chance decides how often a pixel is seen."""
        rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        for _ in range(self.count):
            yield self._batch(rng)

    def _crops_of_a_batch(self) -> int:
        """Return how many crops hold a batch of pixels, by what they hold on average."""
        corners = self._draw_corners(np.random.default_rng(0), 64)
        held = np.mean([len(self._inside(corner)) for corner in corners])
        return max(2, math.ceil(self.batch / held))

    def _draw_corners(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Return ``(count, 2)`` corners of crops, each with some training pixel inside."""
        anchors = self.pixels[rng.integers(len(self.pixels), size=count)]
        corners: NDArray[np.int64] = anchors - rng.integers(0, self.size, size=(count, 2))
        return corners.clip(0, self.last_corner)

    def _inside(self, corner: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which training pixels lie in the crop at `corner`."""
        place = self.pixels - corner
        return np.flatnonzero(((place >= 0) & (place < self.size)).all(axis=1))

    def _batch(self, rng: np.random.Generator) -> Batch:
        wanted = self.shares * self.batch
        candidates = self._draw_corners(rng, CANDIDATES * self.crops)
        inside = [self._inside(corner) for corner in candidates]
        counts = np.stack(
            [np.bincount(self.truth[held], minlength=self.classes) for held in inside]
        )
        taken: list[int] = []
        total = np.zeros(self.classes)
        for _ in range(self.crops):
            # A pixel of a class that is still wanted counts by how rare the class is.
            gain = (np.minimum(total + counts, wanted) / np.maximum(wanted, 1)).sum(axis=1)
            gain[taken] = -1
            taken.append(int(gain.argmax()))
            total += counts[taken[-1]]
        members = np.concatenate([inside[n] for n in taken])
        regions = np.repeat(np.arange(len(taken)), [len(inside[n]) for n in taken])

        order = rng.permutation(len(members))
        classes = self.truth[members[order]]
        rank = _rank_in_class(classes)
        # First what each class is due, then whatever there is.
        order = order[np.argsort(rank >= np.ceil(wanted)[classes], kind="stable")][: self.batch]
        chosen, regions = members[order], regions[order]
        corners = candidates[taken]
        got = np.bincount(self.truth[chosen], minlength=self.classes) / len(chosen)
        more = np.divide(self.shares, got, out=np.ones_like(got), where=got > 0)
        tensors = self._tensors(self.pixels[chosen] - corners[regions], chosen)
        tensors["class_weights"] *= self._here(more.clip(max=LARGEST_WEIGHT).astype(np.float32))
        return Batch(
            **tensors,
            corners=self._here(corners),
            size=self.size,
            regions=self._here(regions),
        )


def plan_batches(
    model: PatchNetwork,
    pixels: NDArray[np.int64],
    targets: NDArray[np.int64],
    *,
    batch_size: int,
    class_balance: float,
    device: torch.device,
) -> Batches:
    """Return the batches whose steps cost least.

    A step's cost is counted in positions of the trunk's output: ``k * k`` for each patch, or all
    of the regions' once. Networks without a trunk see patches.
    """

    def make(kind: type[Batches]) -> Batches:
        return kind(
            pixels, targets, batch_size=batch_size, class_balance=class_balance, device=device
        )

    if not model.has_trunk:
        return make(Patches)
    _, (height, width) = bounding_box(pixels)
    k = model.window_size
    by_patches = len(pixels) / batch_count(len(pixels), batch_size) * k**2
    if height * width <= LARGEST_REGION:
        at_once = (height + k - 1) * (width + k - 1)
        return make(Region if at_once < by_patches else Patches)
    crops = Crops(
        pixels, targets, batch_size=batch_size, class_balance=class_balance, device=device
    )
    at_once = crops.crops * (crops.size[0] + k - 1) * (crops.size[1] + k - 1)
    return crops if at_once < by_patches else make(Patches)


def batch_count(pixels: int, batch_size: int) -> int:
    """Return into how many batches to divide an epoch; all are nearly equal, none has one pixel.

    A batch norm has no spread to go by when its only input is one value for each channel.

    Examples
    --------
    >>> batch_count(1027, 512), batch_count(65, 64), batch_count(3, 2)
    (2, 1, 1)
    """
    return max(1, min(round(pixels / batch_size), pixels // 2))


def bounding_box(pixels: NDArray[np.int64]) -> tuple[NDArray[np.int64], tuple[int, int]]:
    """Return the upper left corner and the size of the smallest rectangle around `pixels`."""
    corner = pixels.min(axis=0)
    height, width = (pixels.max(axis=0) - corner + 1).tolist()
    return corner, (height, width)


def _rank_in_class(classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each element how many of its class stand before it."""
    order = np.argsort(classes, kind="stable")
    ordered = classes[order]
    rank = np.empty_like(classes)
    rank[order] = np.arange(len(classes)) - np.searchsorted(ordered, ordered)
    return rank
