"""What maps and trainings tell of two models, in words that claim no more than that."""

from __future__ import annotations

from hsi.evaluation.paired import (
    MOST_SEEDS,
    SIGNIFICANT,
    PairedDifference,
    fewest_seeds,
)
from hsi.report.numbers import percents, points

PIXELS_ARE_NO_TRIALS = "The test counts every pixel as a trial of its own. Neighbours are not"


def comparison_sentences(
    names: tuple[str, str],
    *,
    right: tuple[float, float],
    test_pixels: int,
    only_first: int,
    only_second: int,
    p: float,
    train_pixels: tuple[int, int],
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
    train_pixels : tuple of int
        How many each learned from.
    same_split : bool
        Whether both have the same training, validation and test pixels.

    Examples
    --------
    >>> print(comparison_sentences(
    ...     ("a", "b"), right=(0.9, 0.92), test_pixels=100, only_first=1, only_second=3, p=0.625,
    ...     train_pixels=(10, 10), same_split=True)[0])
    The 100 test pixels cannot tell the two maps apart: a has 90.0 % right, b 92.0 %; 1 only a, \
3 only b (McNemar's test, p = 0.62).
    """
    first, second = percents(*right, digits=1)
    test = pixel_words(names, only_first=only_first, only_second=only_second, p=p)
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
        f"{PIXELS_ARE_NO_TRIALS}, and this is one split and one seed: whether the models differ, "
        "several seeds of both tell."
    )
    sentences = [result, caveat]
    if not same_split:
        one, two = train_pixels
        learned = (
            f"{one:,} training pixels each" if one == two else f"{one:,} and {two:,} to train on"
        )
        sentences.append(
            f"The runs were split differently, with {learned}: pixels that either of them learned "
            "from are left out."
        )
    return sentences


def pixel_words(
    names: tuple[str, str], *, only_first: int, only_second: int, p: float, corrected: bool = False
) -> str:
    """Return how many pixels only one of two maps has right, and what McNemar's test says of it.

    Examples
    --------
    >>> pixel_words(("a", "b"), only_first=1, only_second=3, p=0.625, corrected=True)
    "1 only a, 3 only b (McNemar's test, corrected p = 0.62)"
    """
    counts = f"{only_first:,} only {names[0]}, {only_second:,} only {names[1]}"
    return f"{counts} (McNemar's test, {'corrected ' if corrected else ''}p {p_words(p)})"


def seeds_sentence(
    names: tuple[str, str], *, difference: PairedDifference, p: float, comparisons: int = 1
) -> str:
    """Return what several seeds tell of two models, as a sentence.

    A model is said to be better only where both agree: the interval of the mean difference, and
    Wilcoxon's test after its correction for several comparisons.

    Parameters
    ----------
    names : tuple of str
        The models; `difference` is the first minus the second.
    difference : PairedDifference
        Of fractions.
    p : float
        Of Wilcoxon's test, corrected for all `comparisons`.

    Examples
    --------
    >>> from hsi.evaluation.paired import paired_difference
    >>> found = paired_difference([0.95, 0.96, 0.97, 0.96, 0.95, 0.97], [0.94] * 6)
    >>> seeds_sentence(("a", "b"), difference=found, p=found.p)
    'a is better than b by 2.0 points, 95 % interval 1.1 to 2.9, on 6 seeds.'
    """
    count, mean = difference.seeds, difference.mean
    ahead, behind = names if mean >= 0 else names[::-1]
    lead = points(abs(mean))
    if count == 1:
        apart = f"{ahead} is ahead of {behind} by {lead} points" if mean else "both are equal"
        return (
            f"One seed cannot tell {names[0]} and {names[1]} apart ({apart}): another split or "
            f"other weights may turn it round. {fewest_seeds(comparisons)} seeds or more can."
        )
    low, high = difference.low, difference.high
    if mean < 0:
        low, high = -high, -low
    interval = _interval(low, high)
    if mean == 0 and difference.spread == 0:
        return f"{names[0]} and {names[1]} are equal on all {count} seeds."
    if low > 0:
        if p < SIGNIFICANT:
            return (
                f"{ahead} is better than {behind} by {lead} points, {interval}, on {count} seeds."
            )
        return (
            f"{ahead} is ahead of {behind} by {lead} points, {interval}, on {count} seeds, "
            f"{_unconfirmed(difference, p, comparisons)}"
        )
    if p < SIGNIFICANT:
        return _decided_by_few(names, difference, p, comparisons)
    needed = difference.seeds_needed(comparisons=comparisons)
    if mean == 0:
        more = "on average they are equal"
    elif needed is None:
        more = f"more than {MOST_SEEDS:,} would be needed"
    else:
        more = f"about {_rounded(needed):,} would be needed"
    apart = f"{ahead} is ahead by {lead} points, {interval}" if mean else interval
    return f"{count} seeds cannot tell {names[0]} and {names[1]} apart ({apart}); {more}."


def _decided_by_few(
    names: tuple[str, str], difference: PairedDifference, p: float, comparisons: int
) -> str:
    """Return what to make of ranks that agree, where the mean depends on a few seeds."""
    turned = -1 if difference.ahead[1] > difference.ahead[0] else 1
    ahead, behind = names[::turned]
    most, mean = max(difference.ahead), turned * difference.mean
    low, high = sorted((turned * difference.low, turned * difference.high))
    seeds = f"all {most}" if most == difference.seeds else f"{most} of {difference.seeds}"
    found = (
        f"{ahead} is ahead of {behind} on {seeds} seeds (Wilcoxon's test, "
        f"{_corrected(comparisons)}p {p_words(p)})"
    )
    interval = _interval(low, high)
    if mean < 0:
        return f"{found}, but behind by {points(-mean)} points on average ({interval})."
    return (
        f"{found}, by {points(mean)} points on average, but the {interval} holds 0: by how much, "
        "a few seeds decide."
    )


def p_words(p: float) -> str:
    """Return a p-value with its sign, to two digits."""
    return "< 0.0001" if p < 0.0001 else f"= {p:.2g}"


def _interval(low: float, high: float) -> str:
    return f"95 % interval {points(low)} to {points(high)}"


def _unconfirmed(difference: PairedDifference, p: float, comparisons: int) -> str:
    """Return why Wilcoxon's test does not confirm what the interval says, and what may."""
    count, fewest = difference.seeds, fewest_seeds(comparisons)
    if count < fewest:
        several = f"of {comparisons} comparisons " if comparisons > 1 else ""
        why = f"which Wilcoxon's test {several}cannot confirm with fewer than {fewest}."
    else:
        corrected = f"{_corrected(comparisons)}p {p_words(p)}"
        why = f"which Wilcoxon's test does not confirm ({corrected})."
    needed = difference.seeds_needed(comparisons=comparisons)
    if needed is None or needed <= count:
        return why
    return f"{why} About {_rounded(needed):,} would be needed."


def _corrected(comparisons: int) -> str:
    return f"corrected for {comparisons} comparisons, " if comparisons > 1 else ""


def _rounded(count: int) -> int:
    """Return a number rounded up to two digits: it is an estimate."""
    step = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step
