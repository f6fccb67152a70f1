"""A split by scenes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hsi.errors import UsageError
from hsi.sampling import Sets, split_scenes


def thirds(labels, *, validates=True):
    """Regions of equally many columns: training, validation, test."""
    place = np.broadcast_to(np.arange(labels.shape[1]) * 3 // labels.shape[1], labels.shape)
    return Sets(place == 0, (place == 1) & validates, place == 2)


LABELS = np.random.default_rng(0).integers(0, 4, (20, 30)) * 5


def test_all_labelled_pixels_of_a_region_are_in_its_set():
    regions = thirds(LABELS)
    split = split_scenes(LABELS, regions, patch_size=1)
    for mask, region in zip((split.train, split.validation, split.test), regions, strict=True):
        np.testing.assert_array_equal(mask, region & (LABELS > 0))
    assert (split.method, split.notes) == ("scenes", ())


@given(
    arrays(np.int32, (6, 9), elements=st.integers(0, 4)),
    st.sampled_from([1.0, 0.5, 0.1, 1, 3]),
    st.sampled_from([0, 0.3, 2]),
    st.integers(0, 3),
)
def test_whatever_is_asked_for_no_set_leaves_its_region(labels, train, validation, seed):
    regions = thirds(labels, validates=False)
    how = {"train": train, "validation": validation, "seed": seed, "patch_size": 1}
    try:
        split = split_scenes(labels, regions, **how)
    except UsageError:
        return
    assert not (split.train & ~regions.train).any()
    assert not (split.validation & ~regions.train).any()
    learned = np.unique(labels[split.train])
    np.testing.assert_array_equal(
        split.test, regions.test & (labels > 0) & np.isin(labels, learned)
    )
    for each in learned:
        there = np.count_nonzero(regions.train & (labels == each))
        got = np.count_nonzero(split.train & (labels == each))
        validated = np.count_nonzero(split.validation & (labels == each))
        assert 1 <= got <= there - validated
        if train == 1.0 and isinstance(train, float):
            assert got == there - validated
    assert set(np.unique(labels[regions.train])) - {0} == set(learned)
    again = split_scenes(labels, regions, **how)
    np.testing.assert_array_equal(again.train, split.train)


def test_a_part_of_the_training_scenes_is_drawn_and_the_rest_is_not_used():
    split = split_scenes(LABELS, thirds(LABELS), train=0.1, patch_size=1)
    there = np.bincount(LABELS[:, :10].ravel())
    got = np.bincount(LABELS[split.train], minlength=len(there))
    for each in (5, 10, 15):
        assert got[each] == int(there[each] * 0.1 + 0.5)
    unused = np.count_nonzero(LABELS[:, :10]) - split.train.sum()
    assert split.notes == (
        f"{unused} labelled pixels of the training scenes are more than was asked for and are "
        "not used.",
    )
    assert (split_scenes(LABELS, thirds(LABELS), train=5, patch_size=1).train.sum()) == 15


def test_classes_that_are_not_learned_are_not_tested_and_said():
    labels = LABELS.copy()
    labels[:, :10][labels[:, :10] == 15] = 0
    split = split_scenes(labels, thirds(labels), patch_size=1)
    assert 15 not in labels[split.test]
    assert 15 not in labels[split.validation]
    lost = np.count_nonzero(labels[:, 20:] == 15)
    assert split.notes == (
        "No training pixels, and therefore left out of the test: class 15.",
        f"{lost} labelled pixels of the test scenes are of classes not learned.",
    )


def test_pixels_without_data_are_in_no_set():
    valid = np.ones(LABELS.shape, dtype=bool)
    valid[::2] = False
    split = split_scenes(LABELS, thirds(LABELS), patch_size=1, valid=valid)
    assert not ((split.train | split.validation | split.test) & ~valid).any()
    assert "without data are in none of the sets" in split.notes[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train": 1.5}, r"train must be a fraction \(up to 1\.0\)"),
        ({"train": 0}, "train must be"),
        ({"train": True}, "train must be"),
        ({"validation": 1.0, "validates": False}, "validation must be"),
        ({"validation": 0.1}, "there are scenes for validation\nLeave out one"),
        ({"seed": -1}, "seed must be"),
        ({"patch_size": 4}, "patch_size must be an odd"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, said):
    regions = thirds(LABELS, validates=change.pop("validates", True))
    with pytest.raises(UsageError, match=said):
        split_scenes(LABELS, regions, **change)


@pytest.mark.parametrize(
    ("blank", "said"),
    [
        (lambda labels: labels[:, :10] > 5, "labels of one class only"),
        (lambda labels: labels[:, :10] > 0, "labels of no class"),
    ],
)
def test_there_must_be_classes_to_learn(blank, said):
    labels = LABELS.copy()
    labels[:, :10][blank(labels)] = 0
    with pytest.raises(UsageError, match=said):
        split_scenes(labels, thirds(labels), patch_size=1)


def test_there_must_be_something_to_test():
    labels = LABELS.copy()
    labels[:, 20:] = 0
    with pytest.raises(UsageError, match="no class of the training scenes occurs in the test"):
        split_scenes(labels, thirds(labels), patch_size=1)
    nothing = thirds(LABELS)._replace(test=np.zeros(LABELS.shape, dtype=bool))
    with pytest.raises(UsageError, match="none for the test\nName some with --test-dataset"):
        split_scenes(LABELS, nothing, patch_size=1)
