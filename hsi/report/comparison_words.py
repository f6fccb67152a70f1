"""What two maps of one scene tell of their models, in words that claim no more than that."""

from __future__ import annotations

from hsi.report.numbers import percents, points

SIGNIFICANT = 0.05


def comparison_sentences(
    names: tuple[str, str],
    *,
    right: tuple[float, float],
    test_pixels: int,
    only_first: int,
    only_second: int,
    p: float,
    same_split: bool,
) -> list[str]:
    """Return the result of a comparison on one split, and what it does not say.

    Parameters
    ----------
    names : tuple of str
        Of the two runs.
    right : tuple of float
        Share of the test pixels that each has right.
    test_pixels : int
        How many these are.
    only_first, only_second : int
        Pixels that only one of them has right.
    p : float
        Of McNemar's test.
    same_split : bool
        Whether both were tested on the same pixels.

    Examples
    --------
    >>> print(comparison_sentences(
    ...     ("a", "b"), right=(0.9, 0.92), test_pixels=100, only_first=1, only_second=3, p=0.625,
    ...     same_split=True)[0])
    The 100 test pixels cannot tell the two maps apart: a has 90.0 % right, b 92.0 %; 1 only a, \
3 only b (McNemar's test, p = 0.62).
    """
    first, second = percents(*right, digits=1)
    counts = f"{only_first:,} only {names[0]}, {only_second:,} only {names[1]}"
    test = f"{counts} (McNemar's test, p {_p(p)})"
    shares = f"{names[0]} has {first} % right, {names[1]} {second} %"
    if p >= SIGNIFICANT:
        result = (
            f"The {test_pixels:,} test pixels cannot tell the two maps apart: {shares}; {test}."
        )
    else:
        better = names[0] if right[0] > right[1] else names[1]
        result = (
            f"On these {test_pixels:,} test pixels {better} is better by "
            f"{points(abs(right[0] - right[1]))} points: {shares}; {test}."
        )
    caveat = (
        "The test counts every pixel as a trial of its own. Neighbours are not, and this is one "
        "split and one seed: whether the models differ, several seeds of both tell."
    )
    sentences = [result, caveat]
    if not same_split:
        sentences.append(
            "The runs were split differently: pixels that either of them learned from are left out."
        )
    return sentences


def _p(p: float) -> str:
    """Return a p-value with its sign, to two digits."""
    return "< 0.0001" if p < 0.0001 else f"= {p:.2g}"
