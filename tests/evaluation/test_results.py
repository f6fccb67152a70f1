"""Means and deviations over the trainings of a benchmark, against figures worked out by hand."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsi.evaluation import Repeated, repeated, summarise_results


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12))
def test_mean_and_sample_deviation_are_those_of_the_standard_library(values):
    found = repeated(values)
    assert found.number == len(values)
    assert found.mean == pytest.approx(statistics.mean(values))
    assert found.spread == pytest.approx(statistics.stdev(values), abs=1e-12)


def test_equal_figures_have_no_deviation_and_one_has_none():
    assert repeated([0.1 + 0.2] * 3) == Repeated(3, 0.1 + 0.2, 0.0)
    assert repeated([0.7]) == Repeated(1, 0.7, None)
    assert repeated([None, float("nan")]) is None


def test_a_class_is_averaged_over_the_seeds_that_tested_it(result):
    one, two = summarise_results(
        [
            result("b", 1, oa=0.5, accuracies=(0.5, None)),
            result("a", 0, oa=0.25),
            result("b", 0, oa=0.75, accuracies=(1.0, 0.5)),
        ]
    )
    assert (one.model, one.seeds, two.model, two.seeds) == ("b", (0, 1), "a", (0,))
    assert one.figures["oa"].mean == 0.625
    assert [each.accuracy.mean for each in one.classes] == [0.75, 0.5]
    assert [each.accuracy.number for each in one.classes] == [2, 1]
    assert two.figures["oa"] == Repeated(1, 0.25, None)


def test_groups_are_kept_apart(result):
    found = summarise_results(
        [
            result("a", 0, oa=0.9),
            result("a", 0, oa=0.8, train=50),
            result("a", 0, oa=0.5, split="blocks"),
            result("a", 0, oa=0.4, scene="woods"),
        ]
    )
    assert [each.figures["oa"].mean for each in found] == [0.9, 0.8, 0.5, 0.4]
