"""Models compared over seeds, against SciPy and counts by hand."""

import functools

import numpy as np
import pytest
from scipy import stats

from hsi.evaluation import best_model, compare_models, drops, simple_leads

FIGURES = {
    "a": [0.90, 0.92, 0.91, 0.93, 0.90, 0.94, 0.92],
    "b": [0.93, 0.94, 0.95, 0.94, 0.935, 0.955, 0.915],
    "c": [0.91, 0.915, 0.92, 0.925, 0.911, 0.931, 0.922],
    "d": [0.80, 0.81, 0.79, 0.83, 0.82, 0.84, 0.80],
}


@pytest.fixture
def seven(result):
    return [
        result(model, seed, oa=value)
        for model, values in FIGURES.items()
        for seed, value in enumerate(values)
    ]


def no_map(result):
    return None


def test_tests_and_their_correction_are_those_of_the_books(seven):
    found = compare_models(seven, reference="a", measure="oa", right=no_map)
    assert [each.model for each in found] == ["b", "c", "d"]
    p = [stats.wilcoxon(np.subtract(FIGURES[m], FIGURES["a"])).pvalue for m in "bcd"]
    assert [each.difference.p for each in found] == pytest.approx(p)
    # Holm's, step by step: the smallest times 3, the next times 2, the largest as it is.
    order = np.argsort(p)
    corrected = np.minimum(np.maximum.accumulate(np.sort(p) * [3, 2, 1]), 1)
    assert [found[place].p_holm for place in order] == pytest.approx(corrected)
    interval = stats.t.interval(
        0.95, 6, *(lambda d: (d.mean(), stats.sem(d)))(np.subtract(FIGURES["b"], FIGURES["a"]))
    )
    assert (found[0].difference.low, found[0].difference.high) == pytest.approx(interval)
    assert {each.comparisons for each in found} == {3}
    assert {each.pixels for each in found} == {None}


def test_the_maps_of_the_first_common_seed_are_compared(result):
    results = [result("a", seed, oa=0.5) for seed in (1, 2, 3)]
    results += [result("b", seed, oa=0.6) for seed in (0, 2, 3)]
    results += [result("c", seed, oa=0.7) for seed in (2, 3)]
    maps = {
        "a": np.array([1, 1, 1, 0, 0, 0, 0, 0], bool),
        "b": np.array([0, 1, 1, 1, 1, 1, 1, 1], bool),
        "c": np.array([1, 1, 1, 1, 1, 1, 1, 1], bool),
    }
    asked = []

    def right(result):
        asked.append(result.cell.seed)
        return maps[result.cell.model]

    b, c = compare_models(results, reference="a", measure="oa", right=right)
    assert set(asked) == {2}
    assert (b.seeds, b.pixels.seed, b.pixels.pixels) == ((2, 3), 2, 8)
    assert (b.pixels.mcnemar.only_first, b.pixels.mcnemar.only_second) == (5, 1)
    # Exact tests of 5 to 1 and 5 to 0: 14/64 and 2/32; Holm's: 2/32 twice, 14/64 once.
    assert b.pixels.mcnemar.p == pytest.approx(14 / 64)
    assert (b.pixels.p_holm, c.pixels.p_holm) == pytest.approx((14 / 64, 4 / 32))


def test_results_on_unequal_splits_are_no_pairs(result):
    results = [result("a", seed, oa=0.5) for seed in (0, 1)]
    results += [result("b", 0, oa=0.6, split_hash="another"), result("b", 1, oa=0.6)]
    results += [result("c", 0, oa=0.6, split_hash="another")]
    [found] = compare_models(results, reference="a", measure="oa", right=no_map)
    assert (found.model, found.seeds) == ("b", (1,))


def test_the_best_has_the_highest_mean(seven):
    assert best_model(seven, measure="oa") == "b"
    assert best_model([], measure="oa") is None


def test_only_seeds_that_all_models_have_say_which_is_best(result):
    """On every seed that both have, the second is ahead; the first has easy ones of its own."""
    result = functools.partial(result, split="blocks")
    one = [result("svm", seed, oa=value) for seed, value in enumerate((0.9, 0.8, 0.6, 0.5))]
    two = [result("net", seed, oa=value) for seed, value in ((2, 0.62), (3, 0.52))]
    assert best_model(one + two, measure="oa") == "net"
    assert simple_leads(one + two, simple={"svm"}, measure="oa") == []
    ahead = [result("net", seed, oa=value) for seed, value in ((2, 0.58), (3, 0.48))]
    [lead] = simple_leads(one + ahead, simple={"svm"}, measure="oa")
    assert (lead.model, lead.seeds, lead.mean) == ("svm", (2, 3), pytest.approx(0.55))
    # Another split of the same seed is none that both have; and no seed tells nothing.
    other = [result("net", 2, oa=0.62), result("net", 3, oa=0.1, split_hash="another")]
    assert best_model(one + other, measure="oa") == "net"
    assert best_model([*one, result("net", 9, oa=0.3)], measure="oa") is None


def test_neighbours_are_no_other_place(result):
    """Models of single pixels have no patch in which a neighbour could be, wherever they learn."""
    results = [result("svm", 0, oa=0.9), result("net", 0, oa=0.8)]
    assert simple_leads(results, simple={"svm"}, measure="oa") == []
    results = [
        result(model, 0, oa=oa, split="blocks") for model, oa in (("svm", 0.9), ("net", 0.8))
    ]
    assert len(simple_leads(results, simple={"svm"}, measure="oa")) == 1


def test_trainings_that_no_seed_changes_count_as_one(result):
    """On a split that is given, what has no weights to draw is the same training each time."""
    fixed = {"split": "file", "split_hash": "the only one"}
    same = [result("svm", seed, oa=0.7, **fixed) for seed in range(6)]
    knn = [result("knn", seed, oa=0.6, **fixed) for seed in range(6)]
    [found] = compare_models(same + knn, reference="svm", measure="oa", right=no_map)
    assert (found.seeds, found.difference.seeds, found.repeated) == ((0,), 1, 6)
    assert found.difference.p == 1
    # Values that are chosen by a draw may turn single pixels round, which is no other trial.
    same[3] = result("svm", 3, oa=0.7, **fixed | {"kappa": 0.700001, "accuracies": (0.99,)})
    [found] = compare_models(same + knn, reference="svm", measure="oa", right=no_map)
    assert (found.difference.seeds, found.repeated) == (1, 6)
    # Where one of them differs from seed to seed, so do the differences.
    net = [result("net", seed, oa=0.6 + seed / 100, **fixed) for seed in range(6)]
    [found] = compare_models(same + net, reference="svm", measure="oa", right=no_map)
    assert (found.difference.seeds, found.repeated) == (6, 1)


def test_one_pixel_of_each_class_is_no_amount_like_all(result):
    one, every = (result("a", 0, oa=0.5, split="folds", train=each).cell for each in (1, 1.0))
    assert one != every
    assert one.group != every.group
    assert len({one, every, one.group, every.group}) == 4
    assert one == one._replace()
    few = [result("a", 0, oa=0.5, train=1), result("a", 0, oa=0.9, split="official", train=1.0)]
    assert drops(few, measure="oa") == []


def test_drops_are_from_random_to_each_other_split(result):
    results = [result("a", seed, oa=0.9 + seed / 100) for seed in range(3)]
    results += [result("a", seed, oa=0.6 + seed / 10, split="blocks") for seed in range(2)]
    results += [result("a", 0, oa=0.5, split="blocks", train=50)]  # not at random with 50
    results += [result("b", 0, oa=0.5, split="blocks")]
    [found] = drops(results, measure="oa")
    assert (found.model, found.split, found.train) == ("a", "blocks", 0.1)
    assert found.difference.mean == pytest.approx(0.91 - 0.65)
    assert found.difference.counts == (3, 2)


def test_a_simple_baseline_leads_only_where_nothing_overlaps(result):
    blocks = [
        result("svm", 0, oa=0.7, split="blocks"),
        result("knn", 0, oa=0.6, split="blocks"),
        result("net", 0, oa=0.65, split="blocks"),
        result("other", 0, oa=0.5, split="blocks"),
    ]
    at_random = [result("svm", 0, oa=0.9), result("net", 0, oa=0.8, contains=1.0)]
    simple = {"svm", "knn"}
    [lead] = simple_leads(blocks + at_random, simple=simple, measure="oa")
    assert (lead.group.split, lead.model, lead.other) == ("blocks", "svm", "net")
    assert (lead.mean, lead.other_mean) == (0.7, 0.65)
    behind = [result("net", 0, oa=0.71, split="blocks"), *blocks[:2]]
    assert simple_leads(behind, simple=simple, measure="oa") == []
    assert simple_leads(blocks[:2], simple=simple, measure="oa") == []
