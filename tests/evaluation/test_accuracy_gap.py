"""The difference of two accuracies, against the table of the paper and against its own coverage."""

import numpy as np
import pytest

from hsi.errors import UsageError
from hsi.evaluation import accuracy_gap


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        # Newcombe (1998), table II, method 10.
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_the_intervals_of_the_paper(counts, low, high):
    gap = accuracy_gap(*counts)
    assert (gap.low, gap.high) == pytest.approx((low, high), abs=5e-5)
    assert gap.difference == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3])


def test_exchanging_the_two_turns_the_sign():
    one, other = accuracy_gap(18, 20, 35, 60), accuracy_gap(35, 60, 18, 20)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


def test_it_holds_the_true_difference_as_often_as_it_says():
    generator = np.random.default_rng(0)
    a, b = generator.binomial(40, 0.95, 400), generator.binomial(30, 0.8, 400)
    gaps = [accuracy_gap(int(x), 40, int(y), 30) for x, y in zip(a, b, strict=True)]
    held = np.mean([gap.low <= 0.15 <= gap.high for gap in gaps])
    assert 0.91 < held < 0.99


@pytest.mark.parametrize("counts", [(0, 0, 1, 2), (3, 2, 1, 2), (-1, 2, 1, 2)])
def test_what_is_no_share(counts):
    with pytest.raises(UsageError, match="expected a share"):
        accuracy_gap(*counts)
