"""How good a ranking is: average precision, and what it would be by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Values of similarities that are held at a time.
BLOCK_VALUES = 2**24


def cosines(queries: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine ``(Q, N)`` of each query ``(Q, d)`` with each of a gallery ``(N, d)``.

    Rows of zeros have cosine 0 with everything.
    """
    return _directions(queries) @ _directions(gallery).T


def average_precisions(
    queries: NDArray[np.float32],
    gallery: NDArray[np.float32],
    *,
    classes: NDArray[np.integer],
    block_values: int = BLOCK_VALUES,
) -> NDArray[np.float64]:
    """Return the average precision ``(N,)`` of each query.

    Row ``i`` of `queries` and of `gallery` are the same place in two modalities. Every place is a
    query for all others, which are ranked by the cosine; those of its own class are right. The
    average precision is the mean, over the ranks of what is right, of the share that is right up to
    there. Places of equal similarity share a rank, the last of theirs, so that their order in the
    file does not matter.

    Parameters
    ----------
    queries, gallery : ndarray
        ``(N, d)``.
    classes : ndarray
        ``(N,)``.
    block_values : int
        The most similarities to hold at a time.

    Returns
    -------
    ndarray
        NaN for a place whose class has no other.
    """
    number = len(classes)
    found = np.full(number, np.nan)
    directions = _directions(gallery)
    ranks = np.arange(1, number + 1)
    step = max(1, block_values // number)
    for start in range(0, number, step):
        places = np.arange(start, min(start + step, number))
        similar = _directions(queries[places]) @ directions.T
        # A place is no answer to itself: it comes last, and is not right.
        similar[places - start, places] = -np.inf
        # Where similarities are equal, the order does not matter.
        order = np.argsort(-similar, axis=1)
        right = classes[order] == classes[places, None]
        right &= order != places[:, None]
        shares = right.cumsum(axis=1) / ranks
        ranked = np.take_along_axis(similar, order, axis=1)
        tied = ranked[:, :-1] == ranked[:, 1:]
        if tied.any():
            shares = np.take_along_axis(shares, _ends(tied), axis=1)
        counts = right.sum(axis=1)
        with np.errstate(invalid="ignore"):  # 0 / 0 where the class has no other
            found[places] = (shares * right).sum(axis=1) / counts
    return found


def chance_precision(right: int, number: int) -> float:
    """Return the expected average precision of a random order.

    A little more than the share that is right: what comes first is a rank of its own. With R of N
    right, what is right at rank k has (k - 1)(R - 1) / (N - 1) others before it on average, so that
    the expectation is the mean over k of (1 + (k - 1)(R - 1) / (N - 1)) / k.

    Parameters
    ----------
    right, number : int
        How many of how many are right, one at least.

    Examples
    --------
    >>> chance_precision(1, 2), round(chance_precision(500, 1000), 3)
    (0.75, 0.503)
    """
    if number == 1:
        return 1.0
    harmonic = float((1 / np.arange(1, number + 1)).sum())
    return (harmonic + (right - 1) / (number - 1) * (number - harmonic)) / number


def chance_precisions(classes: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the expected average precision ``(N,)`` of each place, the others in random order.

    NaN for a place whose class has no other, as in `average_precisions`.
    """
    _, members, counts = np.unique(classes, return_inverse=True, return_counts=True)
    others = len(classes) - 1
    expected = [
        chance_precision(int(count) - 1, others) if count > 1 else np.nan for count in counts
    ]
    return np.array(expected, dtype=np.float64)[members]


def _ends(tied: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the last place ``(Q, N)`` of those that each is equal to; `tied`: with the next."""
    number = tied.shape[1] + 1
    ends = np.broadcast_to(np.arange(number), (len(tied), number)).copy()
    ends[:, :-1][tied] = number - 1
    return np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]


def _directions(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    directions: NDArray[np.float32] = rows / lengths
    return directions
