"""Average precision against scikit-learn, and chance against all orders that there are."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score

from hsi.retrieval import average_precisions, chance_precision, chance_precisions, cosines

# Few values, so that many cosines are equal.
COARSE = arrays(np.float32, (8, 2), elements=st.sampled_from([-1.0, 0.0, 1.0, 2.0]))
CLASSES = arrays(np.int32, 8, elements=st.integers(1, 3))


def by_scikit_learn(queries, gallery, classes):
    similar = cosines(queries, gallery)
    found = []
    for place, own in enumerate(classes):
        others = np.arange(len(classes)) != place
        right = classes[others] == own
        found.append(
            average_precision_score(right, similar[place, others]) if right.any() else np.nan
        )
    return found


@given(COARSE, COARSE, CLASSES)
def test_it_is_that_of_scikit_learn_ties_included(queries, gallery, classes):
    found = average_precisions(queries, gallery, classes=classes)
    np.testing.assert_allclose(found, by_scikit_learn(queries, gallery, classes), atol=1e-12)


@pytest.mark.parametrize("block", [1, 250, 10**6])
def test_it_is_that_of_scikit_learn_in_blocks_of_any_size(block):
    rng = np.random.default_rng(0)
    classes = rng.integers(1, 6, 60)
    queries, gallery = (
        (rng.normal(size=(60, 5)) + classes[:, None]).astype(np.float32) for _ in range(2)
    )
    found = average_precisions(queries, gallery, classes=classes, block_values=block)
    np.testing.assert_allclose(found, by_scikit_learn(queries, gallery, classes), rtol=1e-12)


@given(COARSE, CLASSES, st.permutations(range(8)))
def test_the_order_of_places_does_not_matter(places, classes, order):
    order = np.array(order)
    found = average_precisions(places, places, classes=classes)
    again = average_precisions(places[order], places[order], classes=classes[order])
    np.testing.assert_allclose(again, found[order], atol=1e-12)


def test_places_by_class_are_found_perfectly_and_opposite_ones_worst():
    classes = np.repeat([3, 7], 4)
    places = np.where(classes[:, None] == 3, [[1, 0.1]], [[0.1, 1]]).astype(np.float32)
    assert (average_precisions(places, places, classes=classes) == 1).all()
    found = average_precisions(places, places[:, ::-1], classes=classes)
    # All three that are right share the last rank, of seven.
    np.testing.assert_allclose(found, 3 / 7)


def test_a_class_of_one_has_nothing_to_find():
    places = np.eye(4, dtype=np.float32)
    classes = np.array([1, 1, 1, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = average_precisions(places, places, classes=classes)
    assert np.isnan(found).tolist() == [False, False, False, True]
    assert np.isnan(chance_precisions(classes)).tolist() == [False, False, False, True]


@pytest.mark.parametrize(("right", "number"), [(1, 1), (1, 4), (2, 5), (3, 6), (6, 6)])
def test_chance_is_the_mean_over_all_orders(right, number):
    precisions = []
    for places in itertools.combinations(range(1, number + 1), right):
        precisions.append(np.mean([(k + 1) / rank for k, rank in enumerate(places)]))
    assert chance_precision(right, number) == pytest.approx(np.mean(precisions), abs=1e-12)


def test_chance_of_each_place_is_that_of_its_class_among_the_others():
    classes = np.array([5, 5, 5, 2, 2, 9, 9, 9, 9])
    expected = {5: chance_precision(2, 8), 2: chance_precision(1, 8), 9: chance_precision(3, 8)}
    assert chance_precisions(classes).tolist() == [expected[each] for each in classes.tolist()]


def test_random_places_come_to_chance():
    rng = np.random.default_rng(0)
    classes = rng.choice([1, 2, 3], 900, p=[0.6, 0.3, 0.1])
    one, other = (rng.normal(size=(900, 16)).astype(np.float32) for _ in range(2))
    found = average_precisions(one, other, classes=classes).mean()
    assert found == pytest.approx(chance_precisions(classes).mean(), abs=0.01)
