"""The search for an arrangement of a scene's blocks into folds.

Each fold is the test once, and what lies near it is lost to its training. Compact folds lose
little; scattered ones have pixels of every class. Simulated annealing weighs one against the other:
blocks of several sizes are tried, and blocks go from fold to fold, or are exchanged.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from hsi.sampling.cells import Cells
from hsi.sampling.overlap import within

# Blocks in the scene for each fold. Which of these is best depends on how large fields are compared
# with patches; all of it takes about 2 s for Indian Pines and Pavia University.
BLOCKS_PER_FOLD = (3, 6, 12, 24, 48)
MOST_BLOCKS = 400
STEPS, STEPS_PER_BLOCK = 3000, 50
# In the score's unit: a share of the pixels.
FIRST_TEMPERATURE, LAST_TEMPERATURE = 0.01, 0.0002
# Blocks beside which one is likely to end up in a fold, and how often it is tried.
NEIGHBOURS, LOCAL = 8, 0.7
EXCHANGES = 0.3


def arrange_folds(
    targets: NDArray[np.int64],
    *,
    classes: int,
    folds: int,
    guard: int,
    seed: int,
) -> NDArray[np.int64] | None:
    """Return the fold of each pixel, in an arrangement that a seeded search finds best.

    Best is to have training pixels for what is tested, classes spread evenly over the folds, and
    much left to train on beyond the guard band, on the average over folds.

    Parameters
    ----------
    targets : ndarray
        ``(rows, cols)``, ``0..K-1``, and -1 where there is no pixel to assign; one at least is.
    classes : int
        K.
    folds : int
        Number of folds.
    guard : int
        Training pixels are further than this from the test, in Chebyshev's distance.
    seed : int
        Decides.

    Returns
    -------
    ndarray or None
        ``(rows, cols)``, not writeable: ``0..folds-1``, and -1 where there is no pixel. Each fold
        has some. None: the pixels lie in too few places for so many folds.
    """
    content = np.ascontiguousarray(targets, dtype=np.int32).tobytes()
    return _arranged(content, targets.shape, classes, folds, guard, seed)


# Whoever trains on one fold trains on the others of the same arrangement.
@functools.lru_cache(maxsize=4)
def _arranged(
    content: bytes, shape: tuple[int, ...], classes: int, folds: int, guard: int, seed: int
) -> NDArray[np.int64] | None:
    targets = np.frombuffer(content, dtype=np.int32).reshape(shape).astype(np.int64)
    rng = np.random.default_rng(seed)
    cells = Cells(targets, classes=classes)
    best, best_score = None, -math.inf
    for per_fold in BLOCKS_PER_FOLD:
        side = max(1, round(math.sqrt(cells.rows * cells.cols / (per_fold * folds))))
        corner = rng.integers(side, size=2)
        blocks = _block_of_cells(cells, side, corner)
        if not folds <= int(blocks.max()) + 1 <= MOST_BLOCKS:
            continue
        search = _Search(cells, blocks, folds=folds, guard=guard, rng=rng)
        search.run()
        if search.best_score > best_score:
            best, best_score = search.best[blocks], search.best_score
    if best is None:
        return None
    fold_of = np.full(targets.shape, -1, dtype=np.int64)
    fold_of[targets >= 0] = best[cells.place]
    fold_of.setflags(write=False)  # since it is kept for others
    return fold_of


def _block_of_cells(cells: Cells, side: int, corner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the block of each labelled cell, ``0..B-1``, of a grid that begins before a corner."""
    rows, cols = np.divmod(cells.labelled, cells.cols)
    down, across = (rows + corner[0]) // side, (cols + corner[1]) // side
    _, block = np.unique(down * (cells.cols + 1) + across, return_inverse=True)
    return block.astype(np.int64)


class _Search:
    """Folds of blocks, how good they are, and better ones."""

    def __init__(
        self,
        cells: Cells,
        block: NDArray[np.int64],
        *,
        folds: int,
        guard: int,
        rng: np.random.Generator,
    ) -> None:
        self.folds, self.rng, self.count = folds, rng, int(block.max()) + 1
        occurs = cells.pixels.any(axis=0)
        self.pixels = np.ascontiguousarray(cells.pixels[:, occurs])
        self.sizes = self.pixels.sum(axis=0, dtype=np.float64)
        # (blocks, classes)
        self.of_block = np.zeros((self.count, self.sizes.size))
        np.add.at(self.of_block, block, self.pixels)
        self.near = _near(cells, block, self.count, cells.reach(guard))
        self.centres = _centres(cells, block, self.count)
        apart = ((self.centres[:, None] - self.centres) ** 2).sum(axis=2)
        self.neighbours = np.argsort(apart, axis=1, kind="stable")[:, 1 : 1 + NEIGHBOURS]
        self._start()

    def _start(self) -> None:
        """Begin with the blocks around random ones, so that folds are compact."""
        around = self.centres[self.rng.choice(self.count, self.folds, replace=False)]
        self.fold = ((self.centres[:, None] - around) ** 2).sum(axis=2).argmin(axis=1)
        # Blocks may have one centre; each fold needs a block all the same.
        for empty in sorted(set(range(self.folds)) - set(self.fold.tolist())):
            full = int(np.bincount(self.fold, minlength=self.folds).argmax())
            self.fold[np.flatnonzero(self.fold == full)[0]] = empty
        members = [self.fold == fold for fold in range(self.folds)]
        # (folds, labelled cells): how many blocks of the fold are near
        self.crowd = np.stack([self.near[each].sum(axis=0, dtype=np.int16) for each in members])
        # (folds, classes)
        self.test = np.stack([self.of_block[each].sum(axis=0) for each in members])
        self.train = np.stack([self._learned(each) for each in self.crowd])
        self.score = self._score(self.train, self.test)
        self.best, self.best_score = self.fold.copy(), self.score

    def run(self) -> None:
        """Look for better folds; `best` is what was met."""
        steps = min(STEPS, STEPS_PER_BLOCK * self.count)
        for temperature in np.geomspace(FIRST_TEMPERATURE, LAST_TEMPERATURE, steps).tolist():
            moves = self._moves()
            if moves:
                self._try(moves, temperature)

    def _moves(self) -> list[tuple[int, int, int]]:
        """Return (block, from fold, to fold): one that moves, or two that change places."""
        block = int(self.rng.integers(self.count))
        here = int(self.fold[block])
        if self.rng.random() < LOCAL:
            beside = self.neighbours[block]
            there = int(self.fold[beside[int(self.rng.integers(beside.size))]])
        else:
            there = int(self.rng.integers(self.folds))
        exchanges = self.rng.random() < EXCHANGES
        if there == here:
            return []
        if exchanges:
            others = np.flatnonzero(self.fold == there)
            other = int(others[int(self.rng.integers(others.size))])
            return [(block, here, there), (other, there, here)]
        if np.count_nonzero(self.fold == here) == 1:
            return []
        return [(block, here, there)]

    def _try(self, moves: list[tuple[int, int, int]], temperature: float) -> None:
        _, one, other = moves[0]
        both = [one, other]
        crowd, test, train = self.crowd[both], self.test.copy(), self.train.copy()
        for block, here, there in moves:
            crowd[both.index(here)] -= self.near[block]
            crowd[both.index(there)] += self.near[block]
            test[here] -= self.of_block[block]
            test[there] += self.of_block[block]
        train[both] = [self._learned(each) for each in crowd]
        score = self._score(train, test)
        gain = score - self.score
        if gain < 0 and self.rng.random() >= math.exp(gain / temperature):
            return
        for block, _, there in moves:
            self.fold[block] = there
        self.crowd[both], self.test, self.train, self.score = crowd, test, train, score
        if score > self.best_score:
            self.best, self.best_score = self.fold.copy(), score

    def _learned(self, crowd: NDArray[np.int16]) -> NDArray[np.float64]:
        """Return ``(classes,)`` pixels that are far from a fold."""
        return ((crowd == 0).astype(np.float32) @ self.pixels).astype(np.float64)

    def _score(self, train: NDArray[np.float64], test: NDArray[np.float64]) -> float:
        """Return the share that is tested after training, plus how near all is to what is ideal.

        Each is of classes, whatever their sizes; the latter is of all pixels as well.
        """
        tested = ((test * (train > 0)).sum(axis=0) / self.sizes).mean()
        of_class = _nearness(train, test, self.sizes, self.folds).mean()
        total = self.sizes.sum(keepdims=True)
        of_all = _nearness(
            train.sum(axis=1, keepdims=True), test.sum(axis=1, keepdims=True), total, self.folds
        ).mean()
        return float(tested + (of_class + of_all) / 2)


def _nearness(
    train: NDArray[np.float64], test: NDArray[np.float64], sizes: NDArray[np.float64], folds: int
) -> NDArray[np.float64]:
    """Return one figure in 0..1 for each fold and class.

    It is 1 where a fold's share of the class is tested and all the rest of it trained on; a
    relative loss of either weighs the same.
    """
    learned = train / np.maximum(sizes - test, 1)
    tested = np.minimum(1, test * folds / sizes)
    nearness: NDArray[np.float64] = np.sqrt(learned * tested)
    return nearness


def _near(cells: Cells, block: NDArray[np.int64], count: int, reach: int) -> NDArray[np.int16]:
    """Return ``(blocks, labelled cells)``: 1 where a cell is near to one of a block, else 0."""
    near = np.zeros((count, cells.labelled.size), dtype=np.int16)
    for each in range(count):
        mask = np.zeros(cells.rows * cells.cols, dtype=bool)
        mask[cells.labelled[block == each]] = True
        around = within(mask.reshape(cells.rows, cells.cols), reach)
        near[each] = around.ravel()[cells.labelled]
    return near


def _centres(cells: Cells, block: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return ``(blocks, 2)``: row and column of the middle of each block's cells."""
    places = np.divmod(cells.labelled, cells.cols)
    numbers = np.bincount(block, minlength=count)
    sums = [np.bincount(block, weights=each, minlength=count) for each in places]
    return np.stack(sums, axis=1) / numbers[:, np.newaxis]
