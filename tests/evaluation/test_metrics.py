"""Accuracies against scikit-learn, and what they do where they are not defined."""

import json
import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hsi.errors import UsageError
from hsi.evaluation import (
    aa,
    confusion_matrix,
    kappa,
    oa,
    per_class_accuracy,
    per_class_f1,
    summarise,
)


@st.composite
def predictions(draw):
    """Truth, prediction and number of classes; some classes may be absent from both."""
    classes = draw(st.integers(1, 7))
    targets = arrays.arrays(
        np.int64, draw(st.integers(1, 60)), elements=st.integers(0, classes - 1)
    )
    return draw(targets), draw(targets), classes


@given(predictions())
def test_confusion_matrix_is_that_of_scikit_learn(case):
    truth, prediction, classes = case
    # With one class only, scikit-learn warns: it is given an empty second one.
    labels = range(max(classes, 2))
    expected = sklearn.metrics.confusion_matrix(truth, prediction, labels=labels)
    expected = expected[:classes, :classes]
    cm = confusion_matrix(truth, prediction, classes=classes)
    assert cm.dtype == np.int64
    np.testing.assert_array_equal(cm, expected)


@given(predictions())
def test_accuracies_are_those_of_scikit_learn(case):
    truth, prediction, classes = case
    cm = confusion_matrix(truth, prediction, classes=classes)
    tested = np.unique(truth)
    recall = sklearn.metrics.recall_score(truth, prediction, labels=tested, average=None)
    f1 = sklearn.metrics.f1_score(truth, prediction, labels=tested, average=None)

    assert oa(cm) == pytest.approx(sklearn.metrics.accuracy_score(truth, prediction))
    assert aa(cm) == pytest.approx(np.mean(recall))
    np.testing.assert_allclose(per_class_accuracy(cm)[tested], recall)
    np.testing.assert_allclose(per_class_f1(cm)[tested], f1)
    untested = np.setdiff1d(np.arange(classes), tested)
    assert np.isnan(per_class_accuracy(cm)[untested]).all()
    assert np.isnan(per_class_f1(cm)[untested]).all()


@given(predictions())
def test_kappa_is_that_of_scikit_learn(case):
    truth, prediction, classes = case
    ours = kappa(confusion_matrix(truth, prediction, classes=classes))
    if np.unique([truth, prediction]).size == 1:
        assert math.isnan(ours)
    else:
        theirs = sklearn.metrics.cohen_kappa_score(truth, prediction, labels=range(classes))
        assert ours == pytest.approx(theirs, abs=1e-12)


def test_aa_is_the_balanced_accuracy():
    rng = np.random.default_rng(0)
    truth, prediction = rng.integers(0, 5, (2, 400))
    cm = confusion_matrix(truth, prediction, classes=5)
    assert aa(cm) == pytest.approx(sklearn.metrics.balanced_accuracy_score(truth, prediction))


@given(predictions(), st.randoms(use_true_random=False))
def test_order_of_classes_changes_nothing(case, random):
    cm = confusion_matrix(case[0], case[1], classes=case[2])
    order = list(range(case[2]))
    random.shuffle(order)
    shuffled = cm[np.ix_(order, order)]
    assert oa(shuffled) == oa(cm)
    assert aa(shuffled) == pytest.approx(aa(cm))
    assert kappa(shuffled) == pytest.approx(kappa(cm), nan_ok=True)


def test_a_worked_example():
    # Classes 0 and 1 have 4 and 6 test pixels; 3 + 3 of 10 are right. Chance: .4 * .6 + .6 * .4.
    cm = [[3, 1], [3, 3]]
    assert oa(cm) == pytest.approx(0.6)
    assert aa(cm) == pytest.approx((3 / 4 + 3 / 6) / 2)
    assert kappa(cm) == pytest.approx((0.6 - 0.48) / 0.52)
    np.testing.assert_allclose(per_class_f1(cm), [6 / 10, 6 / 10])


def test_class_without_test_pixels_is_left_out_of_aa():
    # All of class 0 right, half of class 1 right, nothing of class 2 to test on.
    cm = [[4, 0, 0], [0, 1, 1], [0, 0, 0]]
    assert aa(cm) == 0.75
    np.testing.assert_array_equal(per_class_accuracy(cm), [1, 0.5, np.nan])
    assert np.isnan(per_class_f1(cm)[2])


def test_kappa_of_a_single_class_is_undefined_but_of_a_wrong_one_zero():
    assert math.isnan(kappa([[9, 0], [0, 0]]))
    assert kappa([[0, 9], [0, 0]]) == 0.0


def test_summary_survives_json_and_has_the_agreed_keys():
    cm = np.array([[4, 0, 0], [1, 1, 0], [0, 0, 0]])
    ids, names = np.array([1, 10, 14], dtype=np.int32), ["a", "b", "c"]
    summary = summarise(cm, ids=ids, names=names)
    text = json.dumps(summary, allow_nan=False)
    assert json.loads(text) == summary
    assert list(summary) == ["oa", "aa", "kappa", "per_class", "confusion"]
    assert summary["oa"] == oa(cm)
    assert summary["aa"] == aa(cm)
    assert summary["kappa"] == kappa(cm)
    assert summary["confusion"] == cm.tolist()
    assert [list(each) for each in summary["per_class"]] == [
        ["name", "id", "accuracy", "f1", "pixels"]
    ] * 3
    assert [each["pixels"] for each in summary["per_class"]] == [4, 2, 0]
    assert summary["per_class"][1] == {
        "name": "b",
        "id": 10,
        "accuracy": 0.5,
        "f1": pytest.approx(2 / 3),
        "pixels": 2,
    }
    assert summary["per_class"][2]["accuracy"] is None
    assert summary["per_class"][2]["f1"] is None


def test_summary_of_a_single_class_has_no_kappa():
    assert summarise([[3]], ids=[1], names=["only"])["kappa"] is None


def test_arguments_are_left_as_they_were():
    truth, prediction = np.array([0, 1]), np.array([1, 1])
    cm = confusion_matrix(truth, prediction, classes=2)
    before = cm.copy()
    summarise(cm, ids=[1, 2], names=["a", "b"])
    np.testing.assert_array_equal(cm, before)
    np.testing.assert_array_equal(truth, [0, 1])


def test_small_integer_types_do_not_overflow():
    # 15 * 16 + 15 = 255 would already wrap in int8, as labels are often stored.
    targets = np.full(300, 15, dtype=np.int8)
    assert confusion_matrix(targets, targets, classes=16)[15, 15] == 300


@pytest.mark.parametrize(
    ("truth", "prediction", "message"),
    [
        ([0, 1], [0], r"shape \(2,\).*shape \(1,\)"),
        ([0, 3], [0, 0], "true targets run from 0 to 3; expected 0 to 2"),
        ([0, 0], [0, -1], "predicted targets run from -1 to 0; expected 0 to 2"),
        ([0.5, 1], [0, 1], "true targets of type float64"),
    ],
)
def test_targets_that_cannot_be_meant(truth, prediction, message):
    with pytest.raises(UsageError, match=message):
        confusion_matrix(truth, prediction, classes=3)


@pytest.mark.parametrize("measure", [oa, aa, kappa, per_class_accuracy, per_class_f1])
@pytest.mark.parametrize(
    ("cm", "message"),
    [
        ([[0, 0], [0, 0]], "counts no pixel"),
        ([[1, 2]], r"shape \(1, 2\)"),
        ([[1, -2], [0, 1]], "whole numbers"),
        ([[0.5, 0.5], [0, 1]], "whole numbers"),
    ],
)
def test_matrices_that_cannot_be_meant(measure, cm, message):
    with pytest.raises(UsageError, match=message):
        measure(cm)


def test_nothing_to_test_on_says_so():
    empty = confusion_matrix([], [], classes=2)
    with pytest.raises(UsageError, match="nothing to test on"):
        summarise(empty, ids=[1, 2], names=["a", "b"])


def test_one_name_for_each_class():
    with pytest.raises(UsageError, match="2 classes, 2 ids and 1 names"):
        summarise([[1, 0], [0, 1]], ids=[1, 2], names=["a"])
