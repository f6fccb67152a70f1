"""Hyperparameters of classifiers of spectra: chosen by pixels that are not learned from meanwhile.

With validation pixels, a candidate is judged by them, after it has learned from the training
pixels. Without, it is judged by stratified cross-validation within the training pixels: in turn,
each fold is left out and predicted by what was learned from the others. There are five folds, or as
many as the smallest class has pixels, so that every class is in every fold. A class of one pixel
cannot be judged: that pixel is learned from in every turn, and does not count for the number of
folds. Where no two classes can be judged, the usual hyperparameters are taken.

What decides is the share of pixels that are right (overall accuracy, of all folds together); of
equals, the candidate that is nearest to the usual one. The test pixels have no part in it. Of very
many training pixels, a part that is drawn class by class serves for the choice, since some
classifiers take time by the square of their number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsi.models.decision_rule import DecisionRule, Hyperparameters

FOLDS = 5
# Training pixels that a choice is made with, nearly.
ENOUGH = 5000


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was chosen, in what way, and the accuracy that decided (None if none could)."""

    hyperparameters: Hyperparameters
    how: str
    accuracy: float | None


def choose(
    rule: DecisionRule,
    spectra: NDArray[np.float32],
    targets: NDArray[np.int64],
    *,
    validation: tuple[NDArray[np.float32], NDArray[np.int64]] | None,
    seed: int,
) -> Choice:
    """Choose among the candidates of `rule`; see the module for how.

    Parameters
    ----------
    rule : DecisionRule
        Not changed.
    spectra, targets : ndarray
        ``(n, bands)`` and ``(n,)`` of the training pixels.
    validation : tuple or None
        The same of the validation pixels.
    seed : int
        Of folds, of the part of many pixels, and of what is random in a candidate.
    """
    rng = np.random.default_rng(seed)
    part = _part(targets, rng)
    spectra, targets = spectra[part], targets[part]
    if validation is not None:
        turns = [(spectra, targets, *validation)]
        judged = f"on {len(validation[1]):,} validation pixels"
    else:
        fold_of = assign_folds(targets, rng)
        if fold_of is None:
            return Choice(
                hyperparameters=rule.candidates(len(targets))[0],
                how="usual ones: no two classes have training pixels to spare",
                accuracy=None,
            )
        left_out = [fold_of == fold for fold in range(fold_of.max() + 1)]
        turns = [(spectra[~out], targets[~out], spectra[out], targets[out]) for out in left_out]
        judged = f"in {len(turns)}-fold cross-validation of {len(targets):,} training pixels"

    candidates = rule.candidates(min(len(learned) for _, learned, _, _ in turns))
    right = np.zeros(len(candidates), dtype=np.int64)
    for some, learned, others, truth in turns:
        for number, candidate in enumerate(candidates):
            fitted = rule.fit(some, learned, candidate, seed=seed)
            right[number] += np.count_nonzero(fitted.predict(others) == truth)
    best = int(right.argmax())
    return Choice(
        hyperparameters=candidates[best],
        how=f"best of {len(candidates)} {judged}",
        accuracy=float(right[best] / sum(len(truth) for *_, truth in turns)),
    )


def assign_folds(targets: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64] | None:
    """Return the fold ``(n,)`` of each pixel, -1 for those never left out; None if two are none.

    Each class is spread over the folds as evenly as it can be, and so are all pixels together.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> folds = assign_folds(np.array([0, 0, 0, 1, 2, 2, 2, 2]), rng)
    >>> folds[:3].tolist(), folds[3].item(), folds[4:].tolist()
    ([1, 2, 0], -1, [0, 2, 1, 0])
    """
    sizes = np.bincount(targets)
    judged = np.flatnonzero(sizes >= 2)
    if len(judged) < 2:
        return None
    folds = min(FOLDS, int(sizes[judged].min()))
    fold_of = np.full(len(targets), -1, dtype=np.int64)
    dealt = 0
    for each in judged:
        pixels = rng.permutation(np.flatnonzero(targets == each))
        fold_of[pixels] = (dealt + np.arange(len(pixels))) % folds
        dealt += len(pixels)
    return fold_of


def _part(targets: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the pixels to choose with: all, or of very many the same share of each class."""
    if len(targets) <= ENOUGH:
        return np.arange(len(targets))
    share = ENOUGH / len(targets)
    chosen = []
    for each in np.unique(targets):
        pixels = np.flatnonzero(targets == each)
        chosen.append(rng.permutation(pixels)[: int(np.ceil(share * len(pixels)))])
    return np.sort(np.concatenate(chosen))
