"""Comparisons of two models in pairs, against enumeration and simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hsi.errors import UsageError
from hsi.evaluation.paired import holm, mcnemar, paired_difference, signed_rank_p


def test_the_signed_rank_test_is_that_of_all_signs():
    differences = np.array([0.4, -0.1, 0.9, 1.3, -0.2, 0.7, 0.55])
    ranks = np.argsort(np.argsort(np.abs(differences))) + 1
    statistic = abs(ranks @ np.sign(differences))
    signs = np.array(list(itertools.product((-1, 1), repeat=7)))
    p = np.mean(np.abs(signs @ ranks) >= statistic)
    assert paired_difference(differences + 5, np.full(7, 5.0)).p == pytest.approx(p)


def test_the_interval_covers_the_true_difference_in_95_of_100():
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(1000):
        found = paired_difference(random.normal(0.3, 1, 8), np.zeros(8))
        hits += found.low <= 0.3 <= found.high
    assert 0.935 < hits / 1000 < 0.965


def test_so_many_seeds_find_the_difference_in_four_of_five():
    base = np.array([-1.3, -0.4, 0.1, 0.5, 1.1, 0.9, -0.2, -0.7])
    base = (base - base.mean()) / base.std(ddof=1)
    found = paired_difference(0.6 + base, np.zeros(8))  # mean 0.6, standard deviation 1
    random = np.random.default_rng(1)

    def power(seeds):
        trials = [
            paired_difference(random.normal(0.6, 1, seeds), np.zeros(seeds)) for _ in range(400)
        ]
        return np.mean([each.low > 0 or each.high < 0 for each in trials])

    powers = power(found.seeds_needed() // 2), power(found.seeds_needed())
    assert powers[0] < 0.65
    assert 0.73 < powers[1] < 0.87


@given(st.lists(st.integers(-4, 6), min_size=1, max_size=11))
def test_the_signed_rank_test_is_exact_with_ties_and_without_differences(differences):
    values = np.array(differences, dtype=float)
    found = signed_rank_p(values)
    values = values[values != 0]
    ranks = stats.rankdata(np.abs(values))
    statistic = abs(ranks @ np.sign(values))
    signs = np.array(list(itertools.product((-1, 1), repeat=values.size)))
    assert found == pytest.approx(np.mean(np.abs(signs @ ranks) >= statistic - 1e-9))


def test_many_seeds_without_ties_are_those_of_scipy():
    random = np.random.default_rng(2)
    for count in (15, 40, 80):
        values = random.normal(0.2, 1, count)
        expected = stats.wilcoxon(values, method="exact").pvalue
        assert signed_rank_p(values) == pytest.approx(expected)


@pytest.mark.parametrize("comparisons", [1, 4])
def test_the_seeds_needed_are_the_first_that_suffice_whatever_the_size(comparisons):
    """The distribution that tells has no value for some sizes; by its definition it has."""

    def power(size, count):
        free = count - 1
        limit = stats.t.ppf(1 - 0.025 / comparisons, free)
        chances = (np.arange(4000) + 0.5) / 4000
        scale = np.sqrt(stats.chi2.ppf(chances, free) / free)
        return stats.norm.sf(limit * scale - size * math.sqrt(count)).mean()

    fewest = {1: 6, 4: 8}[comparisons]
    for size in np.geomspace(0.1, 50, 120):
        found = paired_difference([size - 1, size, size + 1], [0, 0, 0])
        needed = found.seeds_needed(comparisons=comparisons)
        assert power(size, needed) > 0.795
        assert needed == fewest or power(size, needed - 1) < 0.805


def test_ties_are_those_of_the_counts():
    """Fractions whose counts differ equally are ties, whatever their last bits are."""
    rng = np.random.default_rng(0)
    others = 0
    for _ in range(60):
        one, two = rng.integers(4320, 4340, (2, 8))
        found = paired_difference(one / 4813, two / 4813)
        if (one == two).all():
            continue
        assert found.p == pytest.approx(stats.wilcoxon(one - two).pvalue)
        others += stats.wilcoxon(one / 4813 - two / 4813).pvalue != found.p
    assert others > 10


def test_equal_figures_differ_by_nothing():
    found = paired_difference([0.1 + 0.2, 0.7], [0.3, 0.7])
    assert (found.mean, found.low, found.high, found.p, found.seeds_needed()) == (0, 0, 0, 1, None)
    single = paired_difference([0.9], [0.8])
    assert single.mean == pytest.approx(0.1)
    assert math.isnan(single.low)
    assert (single.p, single.seeds_needed()) == (1, None)
    assert paired_difference([0.2] * 4, [0.1] * 4).seeds_needed() == 6


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 5))
def test_mcnemar_is_a_fair_coin(only_first, only_second, both):
    first = np.array([True] * only_first + [False] * only_second + [True] * both)
    second = np.array([False] * only_first + [True] * only_second + [True] * both)
    found = mcnemar(first.astype(bool), second.astype(bool))
    count = only_first + only_second
    tail = sum(math.comb(count, k) for k in range(min(only_first, only_second) + 1)) / 2**count
    assert (found.only_first, found.only_second) == (only_first, only_second)
    assert found.p == pytest.approx(min(1, 2 * tail))


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_rejects_step_by_step(values):
    corrected = holm(values)
    order = sorted(range(len(values)), key=lambda i: values[i])
    rejected = set()
    for done, i in enumerate(order):
        if values[i] * (len(values) - done) > 0.05:
            break
        rejected.add(i)
    assert {i for i, p in enumerate(corrected) if p <= 0.05} == rejected
    assert all(p >= value for p, value in zip(corrected, values, strict=True))


@pytest.mark.parametrize(
    ("first", "second"), [([], []), ([1.0], [1.0, 2.0]), ([[1.0]], [[1.0]]), ([math.nan], [1.0])]
)
def test_what_is_no_pair_is_refused(first, second):
    with pytest.raises(UsageError):
        paired_difference(first, second)


def test_other_pixels_are_refused():
    with pytest.raises(UsageError, match="of the same pixels"):
        mcnemar([True], [True, False])
    with pytest.raises(UsageError, match="from 0 to 1"):
        holm([0.5, 1.5])
