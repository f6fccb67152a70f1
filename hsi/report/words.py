"""What must be said of a split or a map before anyone reads its accuracies."""

from __future__ import annotations

import math

from hsi.report.numbers import percent


def as_sentence(note: str) -> str:
    """Return a note, which others put after a colon, as a sentence of its own.

    Examples
    --------
    >>> as_sentence("nothing was learned")
    'Nothing was learned.'
    """
    return f"{note[0].upper()}{note[1:]}."


def overlap_sentence(contains: float, shares: float) -> str:
    """Return what the patches of the test pixels see of the training, as a sentence.

    Parameters
    ----------
    contains, shares : float
        As in `hsi.sampling.Overlap`: shares (0..1) of the test pixels; nan if there are none.

    Examples
    --------
    >>> overlap_sentence(0.0, 0.0)
    "No test pixel's patch shares a pixel with a training patch."
    """
    if math.isnan(contains):
        return "There is no test pixel."
    if shares == 0:
        return "No test pixel's patch shares a pixel with a training patch."
    if contains == 0:
        return (
            "No test pixel has a training pixel inside its patch, but "
            f"{percent(shares, digits=1)} % of their patches share pixels with a training patch."
        )
    if contains == 1:
        seen, extent = "Every test pixel has a training pixel inside its patch", ""
    else:
        share = percent(contains, digits=1)
        seen = f"{share} % of the test pixels have a training pixel inside their patch"
        extent = "to that extent, "
    return f"{seen}: {extent}the accuracies speak of the neighbourhood of the training pixels."


def pixel_counts(*, train: int, validation: int, test: int) -> str:
    """Return how many pixels each set has, in words; nothing of a validation that was not.

    Examples
    --------
    >>> pixel_counts(train=1024, validation=0, test=9225)
    '1,024 training, 9,225 test pixels'
    """
    validated = f"{validation:,} validation, " if validation else ""
    return f"{train:,} training, {validated}{test:,} test pixels"
