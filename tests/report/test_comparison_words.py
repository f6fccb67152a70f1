"""Sentences on comparisons: each kind of result has its own, and claims no more than it may."""

import re

import numpy as np
import pytest
from scipy import stats

from hsi.evaluation import Group, compare_models, paired_difference
from hsi.evaluation.findings import find
from hsi.evaluation.leads import SimpleLead
from hsi.report.bench_words import (
    lead_sentence,
    machine_sentences,
    split_sentences,
    standing_sentences,
)
from hsi.report.comparison_words import comparison_sentences, seeds_sentence


def sentence(differences, *, p=None, comparisons=1):
    found = paired_difference(np.add(0.8, differences), np.full(len(differences), 0.8))
    return seeds_sentence(
        ("net", "svm"),
        difference=found,
        p=found.p if p is None else p,
        comparisons=comparisons,
    )


CLEAR = [0.006, 0.007, 0.005, 0.008, 0.004, 0.006, 0.007, 0.005, 0.006, 0.006]


def test_better_and_worse_are_the_same_turned_round():
    interval = "by 0.6 points, 95 % interval 0.5 to 0.7, on 10 seeds."
    assert sentence(CLEAR) == f"net is better than svm {interval}"
    assert sentence(np.negative(CLEAR)) == f"svm is better than net {interval}"


def test_what_seeds_cannot_tell_names_how_many_could():
    wide = [0.02, -0.01, 0.005, 0.015, -0.012, 0.01, 0.002, -0.004, 0.008, 0.003]
    found = paired_difference(np.add(0.8, wide), np.full(10, 0.8))
    text = sentence(wide)
    assert text.startswith("10 seeds cannot tell net and svm apart (net is ahead by 0.4 points, ")
    assert text.endswith(f"about {found.seeds_needed():,} would be needed.")
    assert found.seeds_needed() > 10


def test_more_comparisons_need_more_seeds():
    clear = [0.02, 0.03, -0.01, 0.04, 0.05]
    assert sentence(clear).endswith("about 9 would be needed.")
    for comparisons, needed in ((2, 11), (30, 18)):
        text = sentence(clear, comparisons=comparisons)
        assert text.endswith(f"about {needed} would be needed."), text
    # However large the difference, so few seeds cannot confirm it.
    large = [0.4, 0.401, 0.399, 0.4, 0.4]
    for comparisons, fewest in ((2, 7), (30, 11)):
        assert f"cannot confirm with fewer than {fewest}" in sentence(
            large, p=0.3, comparisons=comparisons
        )


def test_what_interval_and_ranks_contradict_is_no_verdict():
    assert "which Wilcoxon's test does not confirm (corrected for 3 comparisons, p = 0.07)" in (
        sentence(CLEAR, p=0.07, comparisons=3)
    )
    outlier = [0.001] * 9 + [0.2]
    text = sentence(np.add(outlier, np.arange(10) / 1e5))
    assert "net is ahead of svm on all 10 seeds (Wilcoxon's test, p = 0.002)" in text
    assert re.search(
        r"but the 95 % interval -[\d.]+ to [\d.]+ holds 0: by how much, a few seeds decide\.", text
    )
    some = sentence([0.01, 0.011, 0.012, 0.013, 0.014, 0.015, 0.016, 0.017, -0.001, 0.3])
    assert "net is ahead of svm on 9 of 10 seeds (Wilcoxon's test, p = 0.0039), by 4.1 " in some


def test_who_is_ahead_on_most_seeds_may_be_behind_on_average():
    few = [0.010, 0.011, 0.012, 0.013, 0.014, 0.015, 0.016, 0.017, 0.018, -0.9]
    low, high = (100 * each for each in stats.ttest_1samp(few, 0).confidence_interval(0.95))
    expected = (
        " on 9 of 10 seeds (Wilcoxon's test, p = 0.04), but behind by 7.7 points on average "
        f"(95 % interval {low:.1f} to {high:.1f})."
    )
    assert sentence(few, p=0.04) == f"net is ahead of svm{expected}"
    assert sentence([-each for each in few], p=0.04) == f"svm is ahead of net{expected}"


@pytest.mark.parametrize(("comparisons", "fewest"), [(1, 6), (2, 7), (14, 10)])
def test_too_few_seeds_for_the_test_are_said(comparisons, fewest):
    text = sentence([0.010, 0.011, 0.012], comparisons=comparisons, p=1.0)
    assert "better" not in text
    assert f"cannot confirm with fewer than {fewest}." in text
    assert sentence([0.010, 0.011, 0.030], comparisons=comparisons, p=1.0).startswith("3 seeds")
    assert re.search(r" About \d+ would be needed\.$", text)
    # So many seeds that agree in everything are just enough.
    signs = np.arange(1, fewest + 1) / 1000
    least = paired_difference(signs, np.zeros(fewest)).p
    assert least * comparisons < 0.05 <= 2 * least * comparisons


def test_one_seed_and_no_difference():
    assert "One seed cannot tell net and svm apart (net is ahead of svm by 1.0 points)" in (
        sentence([0.01])
    )
    assert "(both are equal)" in sentence([0.0])
    assert sentence([0.0, 0.0, 0.0]) == "net and svm are equal on all 3 seeds."
    assert sentence([0.01, -0.01]).endswith("on average they are equal.")
    assert "more than 10,000 would be needed" in sentence([0.1, -0.1, 0.100001, -0.1])


def test_the_lead_of_a_simple_model_is_told(result):
    results = [result("svm", seed, oa=0.7 + seed / 1000, split="blocks") for seed in range(3)]
    results += [result("net", seed, oa=0.6 + seed / 500, split="blocks") for seed in range(3)]
    [standing] = compare_models(results, reference="net", measure="oa", right=lambda result: None)
    lead = SimpleLead(
        group=Group("fields", "blocks", 50), model="svm", other="net", mean=0.701, other_mean=0.602
    )
    text = lead_sentence(lead, measure="oa", standing=standing)
    assert text.startswith(
        "On disjoint blocks of fields (50 pixels of each class), the simple svm is ahead of every "
        "network: OA 70.1 %, the best of the others (net) 60.2 %. svm is ahead of net by 9.9 points"
    )


def test_a_lead_on_some_of_the_seeds_says_which():
    lead = SimpleLead(
        group=Group("fields", "blocks", 50), model="svm", other="net", mean=0.7, other_mean=0.6,
        seeds=(0, 1, 2),
    )  # fmt: skip
    text = lead_sentence(lead, measure="oa", standing=None)
    assert text.startswith(
        "On disjoint blocks of fields (50 pixels of each class), with seeds 0-2, which all have, "
        "the simple svm is ahead of every network: OA 70.0 %"
    )
    assert text.endswith("Whether that is more than chance is what the comparison says.")


def test_a_lead_that_was_chosen_is_corrected_for_the_choice(result):
    """Of 9 pairs of a baseline and a network, the best two were taken."""
    results = [
        result(model, seed, oa=at + 0.001 * seed * (model == "svm"), split="blocks")
        for model, at in (("svm", 0.7), ("knn", 0.5), ("rf", 0.5), *((f"n{k}", 0.6) for k in "abc"))
        for seed in range(6)
    ]
    found = find(results, right=lambda result: None, simple={"svm", "knn", "rf"}, against="knn")
    [(lead, standing)] = found.leads
    assert (lead.model, lead.pairs, standing.comparisons) == ("svm", 9, 9)
    assert standing.p_holm == pytest.approx(9 * 2 / 2**6)
    text = lead_sentence(lead, measure="oa", standing=standing)
    assert "which Wilcoxon's test of 9 comparisons cannot confirm with fewer than 9" in text


def test_trainings_that_count_as_one_are_told_to(result):
    fixed = {"split": "file", "split_hash": "the only one"}
    results = [result("svm", seed, oa=0.7, **fixed) for seed in range(6)]
    results += [result("knn", seed, oa=0.59, **fixed) for seed in range(6)]
    [standing] = compare_models(results, reference="svm", measure="oa", right=lambda result: None)
    assert standing_sentences([standing]) == [
        "Neither knn nor svm differs between 6 seeds, which count as one: svm is ahead of "
        "knn by 11.0 points on this one split."
    ]


def test_two_runs_with_unlike_splits_are_told_to_be():
    def sentences(**split):
        return comparison_sentences(
            ("a", "b"), right=(0.9, 0.92), test_pixels=100, only_first=1, only_second=3, p=0.6,
            **split,
        )  # fmt: skip

    assert len(sentences(train_pixels=(40, 40), same_split=True)) == 2
    for pixels, words in (
        ((1040, 24), "1,040 and 24 to train on"),
        ((40, 40), "40 training pixels each"),
    ):
        assert sentences(train_pixels=pixels, same_split=False)[2] == (
            f"The runs were split differently, with {words}: pixels that either of them learned "
            "from are left out."
        )


def test_splits_that_seeds_do_not_change_are_told(result):
    of = {name: result("a", 0, oa=1, split=name).cell.group for name in ("official", "folds")}
    assert "but not the split" in split_sentences(of["official"])[0]
    assert "Seeds are folds" in split_sentences(of["folds"])[0]
    assert split_sentences(result("a", 0, oa=1).cell.group) == []


def test_unlike_machines_are_told(result):
    import dataclasses

    one = result("a", 0, oa=1)
    assert machine_sentences([one, one]) == []
    other = dataclasses.replace(one, device="H100", versions={"hsi": "2"})
    times, versions = machine_sentences([one, other])
    assert "H100 with 1 thread and on cpu with 1 thread: times cannot be compared" in times
    assert "hsi 1 and 2" in versions
