"""Classes that differ between folders, copies, and the draw that keeps copies together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsi.errors import UsageError
from hsi.photographs import class_difference, copies_between, draw_validation, equal_groups
from hsi.photographs.audit import match_targets


def test_equal_lists_do_not_differ():
    assert class_difference(["a", "b"], ("a", "b")) is None


def test_a_missing_class_shifts_those_behind_it():
    found = class_difference(["ape", "bear", "cat", "dog"], ["ape", "cat", "dog", "eel"])
    assert found.train == ("ape", "bear", "cat", "dog")
    assert found.other == ("ape", "cat", "dog", "eel")
    assert found.missing == ("bear",)
    assert found.extra == ("eel",)
    assert found.shifted == ("cat", "dog")


def test_order_may_differ_by_capitals_alone():
    found = class_difference(["Cat", "dog"], ["Dog", "cat"])
    assert found.missing == found.extra == ()
    assert found.shifted == ("Dog", "cat")


def test_accents_are_one_however_written():
    found = class_difference(["caf\u00e9", "zoo"], ["cafe\u0301", "zoo"])
    assert found.missing == found.extra == found.shifted == ()


def test_targets_are_matched_by_name():
    matched = match_targets(np.array([0, 1, 2, 0]), ["dog", "Cat", "eel"], to=["cat", "dog"])
    assert np.array_equal(matched, [1, 0, -1, 1])


@given(st.lists(st.sampled_from("abcdef")), st.lists(st.sampled_from("abcdef")))
def test_copies_are_found(train, other):
    for group in equal_groups(train):
        assert len(group) > 1
        assert group == [place for place, each in enumerate(train) if each == train[group[0]]]
    assert sum(map(len, equal_groups(train))) == sum(train.count(each) > 1 for each in train)
    assert copies_between(train, other).tolist() == [each in train for each in other]


@given(st.integers(0, 99), st.sampled_from([0.1, 0.2, 0.5, 0.9]))
def test_the_draw_is_stratified_and_keeps_copies_together(seed, share):
    targets = np.repeat([0, 1, 2], [40, 10, 5])
    hashes = [str(place) for place in range(55)]
    hashes[3] = hashes[7] = hashes[11]
    hashes[20] = hashes[45]  # in two classes
    drawn = draw_validation(targets, hashes, class_names="abc", share=share, seed=seed)
    for target in range(3):
        own = drawn[targets == target]
        assert 0 < own.sum() < len(own)
        # Copies of three may exceed the wanted number by two; some are not to be had.
        assert abs(own.sum() - share * len(own)) <= 2.5
    assert len({drawn[place] for place in (3, 7, 11)}) == 1
    assert not drawn[20]
    assert not drawn[45]
    again = draw_validation(targets, hashes, class_names="abc", share=share, seed=seed)
    assert np.array_equal(drawn, again)


def test_another_seed_draws_others():
    targets, hashes = np.repeat([0, 1], 50), [str(place) for place in range(100)]
    one, other = (
        draw_validation(targets, hashes, class_names="ab", share=0.2, seed=seed) for seed in (0, 1)
    )
    assert one.sum() == other.sum() == 20
    assert not np.array_equal(one, other)


def test_what_cannot_be_drawn():
    targets, hashes = np.array([0, 0, 1]), ["a", "b", "c"]
    with pytest.raises(UsageError, match="class 'eel' has 1 photograph to choose"):
        draw_validation(targets, hashes, class_names=["cat", "eel"], share=0.5, seed=0)
    with pytest.raises(UsageError, match="between 0 and 1"):
        draw_validation(targets, hashes, class_names=["cat", "eel"], share=1.5, seed=0)
