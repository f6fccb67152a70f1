"""A split that is given as masks or label maps."""

import numpy as np
import pytest
from hypothesis import given as draws
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hsi.errors import UsageError
from hsi.sampling import GivenSets, split_given

LABELS = np.random.default_rng(0).integers(0, 4, (12, 15)) * 5
HOW = {"method": "file", "name": "map.npz", "patch_size": 1}
NONE = np.zeros(LABELS.shape, bool)


def thirds():
    """Masks of equally many columns."""
    place = np.broadcast_to(np.arange(15) // 5, LABELS.shape)
    return [place == which for which in range(3)]


def labelled(mask):
    return np.where(mask, LABELS, 0)


def test_masks_are_the_sets():
    split = split_given(LABELS, GivenSets(*(mask & (LABELS > 0) for mask in thirds())), **HOW)
    for mask, got in zip(thirds(), (split.train, split.validation, split.test), strict=True):
        np.testing.assert_array_equal(got, mask & (LABELS > 0))
    assert (split.method, split.notes, split.labels) == ("file", (), None)


def test_label_maps_are_the_same_sets_as_masks():
    by_masks = split_given(LABELS, GivenSets(*(m & (LABELS > 0) for m in thirds())), **HOW)
    by_labels = split_given(LABELS, GivenSets(*map(labelled, thirds())), **HOW)
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(by_masks, name), getattr(by_labels, name))
    assert by_labels.labels is None


def test_without_a_test_all_other_labelled_pixels_are_the_test():
    train, validation, _ = thirds()
    split = split_given(LABELS, GivenSets(train, validation), **HOW)
    np.testing.assert_array_equal(split.test, (LABELS > 0) & ~train & ~validation)


@draws(
    arrays(np.int32, (6, 8), elements=st.integers(0, 3)),
    arrays(np.int32, (6, 8), elements=st.integers(0, 3)),
    arrays(np.int8, (6, 8), elements=st.integers(0, 2)),
    st.booleans(),
)
def test_a_pixel_is_in_a_set_only_with_the_label_of_the_scene_or_one_that_is_added(
    labels, given, place, adds
):
    sets = GivenSets(np.where(place == 1, given, 0), None, np.where(place == 2, given, 0))
    try:
        split = split_given(labels, sets, adds_labels=adds, **HOW)
    except UsageError:
        return
    whole = labels if split.labels is None else split.labels
    np.testing.assert_array_equal(whole[labels > 0], labels[labels > 0])
    for got, which in ((split.train, 1), (split.test, 2)):
        assert (place[got] == which).all()
        np.testing.assert_array_equal(whole[got], given[got])
        assert adds or (labels[got] > 0).all()
    agree = (given > 0) & (labels == given) | (adds & (labels == 0) & (given > 0))
    np.testing.assert_array_equal(split.train, (place == 1) & agree)
    learned = np.isin(whole, np.unique(given[split.train]))
    np.testing.assert_array_equal(split.test, (place == 2) & agree & learned)
    if not adds:
        assert split.labels is None


def test_what_is_dropped_and_what_is_added_is_said():
    train, _, test = thirds()
    given = labelled(train)
    given[0, :3], given[1, :2] = 5, 0
    scene = LABELS.copy()
    scene[0, :2], scene[0, 2] = 0, 10  # two without a label, one of another class
    dropped = split_given(scene, GivenSets(given, None, labelled(test)), **HOW)
    count = np.count_nonzero(given)
    assert dropped.notes[0] == (
        f"Of the {count} pixels of the training map, 2 without a label and 1 of another class in "
        "the ground truth are in none of the sets."
    )
    assert not dropped.train[0, :3].any()
    added = split_given(
        scene, GivenSets(given, None, labelled(test)), adds_labels=True, **HOW | {"method": "mine"}
    )
    assert added.notes[:2] == (
        "2 pixels of the training map are unlabelled in the ground truth; their labels are those "
        "of the map.",
        f"Of the {count} pixels of the training map, 1 of another class in the ground truth are in "
        "none of the sets.",
    )
    assert added.train[0, :3].tolist() == [True, True, False]
    np.testing.assert_array_equal(added.labels[0, :3], [5, 5, 10])
    assert added.labels.dtype == np.int32


def test_what_is_dropped_from_the_training_does_not_come_back_as_test():
    train = np.where(np.arange(15) < 8, LABELS, 0)
    wrong = train[3, 2] = 15 if LABELS[3, 2] == 5 else 5
    assert LABELS[3, 2] not in (0, wrong)
    split = split_given(LABELS, GivenSets(train), **HOW)
    assert not (split.train | split.test)[3, 2]


def test_part_of_the_training_and_validation_drawn_from_it():
    train, _, test = thirds()
    split = split_given(LABELS, GivenSets(train, None, test), train=3, validation=2, **HOW)
    for row in split.summary(LABELS):
        assert (row.train, row.validation) == (3, 2)
    assert not ((split.train | split.validation) & ~train).any()
    np.testing.assert_array_equal(split.test, test & (LABELS > 0))
    assert any("of the training map are more than was asked for" in note for note in split.notes)


def test_pixels_without_data_are_in_no_set():
    valid = np.ones(LABELS.shape, bool)
    valid[:4] = False
    split = split_given(LABELS, GivenSets(*thirds()), valid=valid, **HOW)
    assert not (split.train | split.validation | split.test)[:4].any()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (GivenSets(NONE[:5]), r"the training map of map.npz is 5 x 15 pixels, the scene 12 x 15"),
        (GivenSets(~NONE, None, NONE[:, :2]), "the test map of map.npz is 12 x 2 pixels"),
        (GivenSets(NONE, None, ~NONE), "map.npz has no training pixel that is labelled"),
        (GivenSets(LABELS == 0, None, LABELS > 0), "no training pixel that is labelled"),
        (GivenSets(~NONE), "no test pixel that is labelled"),
        (GivenSets(~NONE, None, LABELS > 5), "the training and the test map of map.npz share"),
        (GivenSets(LABELS == 5, ~NONE, LABELS > 5), "the training and the validation map of"),
        (GivenSets(np.where(thirds()[0], 7, 0)), "it seems to number them otherwise"),
        (GivenSets(thirds()[0] & (LABELS == 5)), "labels of one class only"),
        (GivenSets(LABELS < 15, None, LABELS == 15), "no class of the training map occurs"),
    ],
)
def test_maps_that_cannot_be_meant(given, said):
    with pytest.raises(UsageError, match=said) as caught:
        split_given(LABELS, given, **HOW)
    assert str(caught.value).count("\n") < 5


def test_validation_twice_is_refused():
    with pytest.raises(UsageError, match="has validation pixels of its own"):
        split_given(LABELS, GivenSets(*thirds()), validation=0.1, **HOW)
