"""The search for rectangles of training and validation pixels that leave most to test on.

Simulated annealing over a handful of rectangles, on a grid of small cells where one trial takes
some tens of microseconds. Whatever keeps its distance from all rectangles is for the test.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsi.sampling.cells import Cells

# Starts help more than steps. All of it takes about 1 s for Indian Pines and Pavia University.
STARTS, STEPS = 3, 4000
# The score's whole part counts classes. At first the search lets go of a class now and then; in
# the end it does not accept to lose a thousandth of the pixels.
FIRST_TEMPERATURE, LAST_TEMPERATURE = 0.2, 0.0005
# A relative loss of training pixels weighs double one of test pixels: training sets of the size
# asked for are what makes splits comparable.
TRAIN_WEIGHT = 2 / 3
# Which set a cell belongs to.
_NONE, _TRAIN, _VALIDATION, _TEST = range(4)


def find_blocks(
    targets: NDArray[np.int64],
    *,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    guard: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the best blocks for training and for validation that a seeded search finds.

    Best is to have most classes in training and test; among those, to be nearest to the pixels
    wanted for training and validation and to leave most to the test.

    Parameters
    ----------
    targets : ndarray
        ``(rows, cols)``, ``0..K-1``, and -1 where there is no pixel to assign; one at least is.
    train, validation : ndarray
        ``(K,)`` pixels wanted of each class.
    guard : int
        Pixels of different sets are further apart than this, in Chebyshev's distance.
    rng : numpy.random.Generator
        Decides.

    Returns
    -------
    train, validation : ndarray
        ``(rows, cols)``, boolean: what lies in the rectangles, labelled or not. They may be too
        near to each other; pixels for validation must still be kept away from training.
    """
    grid = _Grid(targets, train=train, validation=validation, guard=guard)
    best = max((_anneal(grid, rng) for _ in range(STARTS)), key=grid.score)
    return grid.pixels_of(best, for_validation=False), grid.pixels_of(best, for_validation=True)


class _Block(NamedTuple):
    """A rectangle of cells."""

    top: int
    left: int
    bottom: int
    right: int
    for_validation: bool


class _Grid(Cells):
    """The scene in cells, and how good blocks of them are."""

    def __init__(
        self,
        targets: NDArray[np.int64],
        *,
        train: NDArray[np.int64],
        validation: NDArray[np.int64],
        guard: int,
    ) -> None:
        super().__init__(targets, classes=len(train))
        self.guard = self.reach(guard)
        # of each class that occurs, the rows of `pixels` that have some of it
        self.places = [np.flatnonzero(column) for column in self.pixels.T if column.any()]
        self.validates = bool(validation.any())
        # of each cell and class that occurs in it: the cell, the class, and the number of pixels
        found, self._classes = np.nonzero(self.pixels)
        self._cells = self.labelled[found]
        self._numbers = self.pixels[found, self._classes].astype(np.float64)
        test = self.pixels.sum(axis=0) - train - validation
        # (train, validation, test; classes)
        self.wanted = np.maximum(np.stack([train, validation, test]), 1)

    def score(self, blocks: list[_Block]) -> float:
        """Return the number of classes on both sides, plus how near all is to what is wanted."""
        counts = self.counts(blocks)
        both = np.count_nonzero((counts[0] > 0) & (counts[2] > 0))
        reached = np.minimum(counts, self.wanted)
        of_class = self._nearness(reached / self.wanted).mean()
        of_all = self._nearness(reached.sum(axis=1) / self.wanted.sum(axis=1))
        # Equal parts, so that neither rare classes nor large ones are given up for the others.
        return both + float(of_class + of_all) / 2

    def _nearness(self, shares: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return one figure in 0..1 for each column of shares of (train, validation, test)."""
        train, validation, test = shares
        nearness: NDArray[np.floating] = train**TRAIN_WEIGHT * test ** (1 - TRAIN_WEIGHT)
        return nearness * (1 + np.sqrt(validation)) / 2 if self.validates else nearness

    def counts(self, blocks: list[_Block]) -> NDArray[np.float64]:
        """Return the pixels of (train, validation, test) in each class."""
        # What is painted later prevails: no pixel for validation is near to training.
        sets = np.full((self.rows, self.cols), _TEST, dtype=np.uint8)
        train = [block for block in blocks if not block.for_validation]
        if self.validates:
            validation = [block for block in blocks if block.for_validation]
            _paint(sets, validation, margin=self.guard, value=_NONE)
            _paint(sets, validation, margin=0, value=_VALIDATION)
        _paint(sets, train, margin=self.guard, value=_NONE)
        _paint(sets, train, margin=0, value=_TRAIN)
        found = np.bincount(
            self._classes * 4 + sets.ravel()[self._cells],
            weights=self._numbers,
            minlength=4 * self.pixels.shape[1],
        )
        return found.reshape(-1, 4).T[_TRAIN:].astype(np.float64)

    def pixels_of(self, blocks: list[_Block], *, for_validation: bool) -> NDArray[np.bool_]:
        """Return a mask of the scene's pixels in the blocks of one kind."""
        mask = np.zeros(self.scene_shape, dtype=bool)
        labelled_area = mask[self.first_row :, self.first_col :]
        for block in blocks:
            if block.for_validation == for_validation:
                rows = slice(block.top * self.side, block.bottom * self.side)
                labelled_area[rows, block.left * self.side : block.right * self.side] = True
        return mask


def _paint(sets: NDArray[np.uint8], blocks: list[_Block], *, margin: int, value: int) -> None:
    """Set the cells of `blocks`, widened by `margin` cells, to `value`."""
    for top, left, bottom, right, _ in blocks:
        sets[max(top - margin, 0) : bottom + margin, max(left - margin, 0) : right + margin] = value


def _anneal(grid: _Grid, rng: np.random.Generator) -> list[_Block]:
    """Return the best blocks that one run of simulated annealing meets."""
    blocks = [_new(grid, rng)]
    score = grid.score(blocks)
    best, best_score = blocks, score
    for temperature in np.geomspace(FIRST_TEMPERATURE, LAST_TEMPERATURE, STEPS).tolist():
        changed = _changed(blocks, grid, rng)
        changed_score = grid.score(changed)
        gain = changed_score - score
        if gain >= 0 or rng.random() < math.exp(gain / temperature):
            blocks, score = changed, changed_score
            if score > best_score:
                best, best_score = blocks, score
    return best


def _changed(blocks: list[_Block], grid: _Grid, rng: np.random.Generator) -> list[_Block]:
    """Return `blocks` with one of them new, replaced, gone, moved or stretched."""
    if not blocks:
        return [_new(grid, rng)]
    which = int(rng.integers(len(blocks)))
    others = blocks[:which] + blocks[which + 1 :]
    match int(rng.integers(16)):
        case 0:
            return [*blocks, _new(grid, rng)]
        case 1:
            return [*others, _new(grid, rng)]
        case 2 | 3:
            return others
        case 4 | 5 | 6 | 7 | 8 | 9:
            return [*others, _moved(blocks[which], grid, rng)]
        case _:
            return [*others, _stretched(blocks[which], grid, rng)]


def _new(grid: _Grid, rng: np.random.Generator) -> _Block:
    """Return a block around some pixel of some class; small classes are as likely as large ones."""
    places = grid.places[rng.integers(len(grid.places))]
    row, col = divmod(int(grid.labelled[places[rng.integers(places.size)]]), grid.cols)
    height, width = rng.integers(1, max(2, grid.guard), size=2).tolist()
    top = max(0, row - int(rng.integers(height)))
    left = max(0, col - int(rng.integers(width)))
    bottom, right = min(top + height, grid.rows), min(left + width, grid.cols)
    return _Block(top, left, bottom, right, grid.validates and bool(rng.random() < 0.5))


def _moved(block: _Block, grid: _Grid, rng: np.random.Generator) -> _Block:
    """Return `block` elsewhere, up to half a guard band away and within the grid."""
    reach = max(1, grid.guard // 2)
    down, across = rng.integers(-reach, reach + 1, size=2).tolist()
    down = min(max(down, -block.top), grid.rows - block.bottom)
    across = min(max(across, -block.left), grid.cols - block.right)
    top, left, bottom, right, for_validation = block
    return _Block(top + down, left + across, bottom + down, right + across, for_validation)


def _stretched(block: _Block, grid: _Grid, rng: np.random.Generator) -> _Block:
    """Return `block` with one edge moved a little, at least a cell large and within the grid."""
    by = int(rng.integers(1, 2 + max(2, grid.guard // 4))) * (1 if rng.random() < 0.5 else -1)
    match int(rng.integers(4)):
        case 0:
            return block._replace(top=min(max(block.top + by, 0), block.bottom - 1))
        case 1:
            return block._replace(left=min(max(block.left + by, 0), block.right - 1))
        case 2:
            return block._replace(bottom=max(min(block.bottom + by, grid.rows), block.top + 1))
        case _:
            return block._replace(right=max(min(block.right + by, grid.cols), block.left + 1))
