"""Whether a classifier beats always answering the most frequent class, against sums by hand."""

from math import comb

import numpy as np
import pytest

from hsi.errors import UsageError
from hsi.evaluation import against_guessing


def test_the_p_value_is_the_tail_of_the_binomial_distribution():
    found = against_guessing([[9, 3, 0], [1, 6, 1], [2, 0, 3]])
    assert (found.right, found.guessed, found.total, found.most_frequent) == (18, 12, 25, 0)
    p = 12 / 25
    tail = sum(comb(25, k) * p**k * (1 - p) ** (25 - k) for k in range(18, 26))
    assert found.p_value == pytest.approx(tail)
    assert found.is_beaten == (tail < 0.05)


def test_guessing_itself_is_seldom_taken_for_more():
    """Answers that are right as often as the most frequent class: at most one of twenty passes."""
    chance = 0.0
    for right in range(61):
        cats = min(right, 30)
        dogs = right - cats
        found = against_guessing([[cats, 30 - cats], [30 - dogs, dogs]])
        assert (found.right, found.guessed) == (right, 30)
        chance += found.is_beaten * comb(60, right) / 2**60
    assert 0.02 < chance < 0.05


def test_the_frequent_class_alone_is_no_merit():
    assert not against_guessing([[90, 0], [10, 0]]).is_beaten
    assert against_guessing([[90, 0], [0, 10]]).is_beaten


def test_of_one_class_there_is_nothing_to_guess():
    assert against_guessing([[5, 1], [0, 0]]) is None
    assert against_guessing([[0, 0], [0, 0]]) is None


def test_what_is_no_confusion_matrix():
    with pytest.raises(UsageError, match=r"\(2, 3\)"):
        against_guessing(np.ones((2, 3)))
