"""Label ids and targets are each other's inverse, gaps or none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hsi.errors import UsageError
from hsi.sampling import class_ids, to_labels, to_targets

SALINAS_A = [1, 10, 11, 12, 13, 14]


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int16, np.int32, np.int64, np.float64, ">i2"]),
        hnp.array_shapes(max_dims=3),
        elements=st.sampled_from([0, *SALINAS_A]),
    )
)
def test_round_trip_with_gaps(labels):
    ids = class_ids(labels)
    targets = to_targets(labels, ids)
    assert ids.dtype == np.int32
    assert targets.dtype == np.int64
    assert set(ids.tolist()) == set(labels.ravel().astype(int).tolist()) - {0}
    np.testing.assert_array_equal(to_labels(targets, ids), labels)
    assert ((targets == -1) == (labels == 0)).all()
    assert set(targets[targets >= 0].tolist()) == set(range(len(ids)))


@given(st.permutations(SALINAS_A))
def test_targets_follow_the_order_of_the_ids(ids):
    np.testing.assert_array_equal(to_targets(ids, ids), np.arange(6))
    np.testing.assert_array_equal(to_labels(np.arange(6), ids), ids)


def test_labels_of_other_classes_have_no_target():
    np.testing.assert_array_equal(
        to_targets([[0, 5, 14], [200, 1, 12]], SALINAS_A), [[-1, -1, 5], [-1, 0, 3]]
    )


def test_no_classes():
    assert class_ids(np.zeros((3, 4))).tolist() == []
    np.testing.assert_array_equal(to_targets([0, 7], []), [-1, -1])
    np.testing.assert_array_equal(to_labels([-1, -1], []), [0, 0])


@pytest.mark.parametrize("labels", [[-1, 2], [0.5, 1], [np.nan, 1], [2**31], [True], ["1"]])
def test_what_is_no_label_is_refused(labels):
    with pytest.raises(UsageError, match="labels must be"):
        class_ids(np.array(labels))


@pytest.mark.parametrize("target", [-2, 6])
def test_target_of_no_class_is_refused(target):
    with pytest.raises(UsageError, match=r"0\.\.5 for 6 classes"):
        to_labels([0, target], SALINAS_A)


@pytest.mark.parametrize("ids", [[1, 1], [0, 1], [-3, 2], [[1, 2]]])
def test_ids_must_be_distinct_and_positive(ids):
    with pytest.raises(UsageError, match="distinct"):
        to_targets([1], ids)
