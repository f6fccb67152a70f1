"""The stratified random split keeps its counts, for any label map and seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hsi.errors import UsageError
from hsi.sampling import Split, class_ids, split_pixels

SCENES = [
    "indian_pines",
    "salinas",
    "salinas_a",
    "pavia_university",
    "pavia_centre",
    "ksc",
    "botswana",
]


@st.composite
def label_maps(draw, least=2):
    """Draw a label map with gaps between ids in which each class has at least `least` pixels."""
    ids = draw(st.lists(st.integers(1, 40), min_size=1, max_size=5, unique=True))
    counts = draw(st.lists(st.integers(least, 30), min_size=len(ids), max_size=len(ids)))
    values = np.repeat([0, *ids], [draw(st.integers(0, 20)), *counts])
    values = np.random.default_rng(draw(st.integers(0, 99))).permutation(values)
    cols = draw(st.integers(1, 8))
    labels = np.zeros((-(-values.size // cols), cols), np.int32)
    labels.ravel()[: values.size] = values
    return labels


def check_partition(split, labels, valid=None):
    """Assert that each labelled pixel with data is in exactly one set, and no other in any."""
    sets = split.train.astype(int) + split.validation + split.test
    usable = labels > 0 if valid is None else (labels > 0) & valid
    np.testing.assert_array_equal(sets, usable.astype(int))


@given(label_maps(), st.floats(0.001, 0.999), st.integers(0, 2**63))
def test_fraction_of_each_class(labels, train, seed):
    split = split_pixels(labels, train=train, seed=seed)
    check_partition(split, labels)
    for row in split.summary(labels):
        size = np.count_nonzero(labels == row.id)
        assert 1 <= row.train <= size - 1
        assert abs(row.train - train * size) <= 0.5 + 1e-9 or row.train in (1, size - 1)
        assert row.train + row.test == size


@given(label_maps(least=9), st.integers(1, 5), st.integers(0, 3), st.integers(0, 2**63))
def test_count_of_each_class_is_exact(labels, train, validation, seed):
    split = split_pixels(labels, train=train, validation=validation, seed=seed)
    check_partition(split, labels)
    for row in split.summary(labels):
        assert (row.train, row.validation) == (train, validation)
        assert row.test == np.count_nonzero(labels == row.id) - train - validation


@given(label_maps(), st.floats(0.01, 0.49), st.floats(0.01, 0.49), st.integers(0, 2**63))
def test_fractions_of_training_and_validation(labels, train, validation, seed):
    split = split_pixels(labels, train=train, validation=validation, seed=seed)
    check_partition(split, labels)
    for row in split.summary(labels):
        size = np.count_nonzero(labels == row.id)
        assert row.train >= 1
        assert row.test >= 1
        assert (row.validation >= 1) == (size > 2)


@given(label_maps(least=5), st.integers(1, 3), st.floats(0.01, 0.99), st.integers(0, 2**63))
def test_counts_are_exact_beside_fractions(labels, count, fraction, seed):
    for row in split_pixels(labels, train=count, validation=fraction, seed=seed).summary(labels):
        assert row.train == count
        assert row.test >= 1
    for row in split_pixels(labels, train=fraction, validation=count, seed=seed).summary(labels):
        assert row.validation == count
        assert row.train >= 1
        assert row.test >= 1


@given(label_maps(), st.integers(0, 2**63), st.data())
def test_pixels_without_data_are_in_no_set(labels, seed, data):
    valid = data.draw(hnp.arrays(bool, labels.shape, elements=st.booleans()))
    # Two pixels with data in each class, so that it can be split.
    for i in class_ids(labels):
        valid.ravel()[np.flatnonzero(labels == i)[:2]] = True
    split = split_pixels(labels, train=0.3, seed=seed, valid=valid)
    check_partition(split, labels, valid)
    lost = np.count_nonzero((labels > 0) & ~valid)
    assert bool(split.notes) == bool(lost)
    assert all(note.startswith(f"{lost} labelled pixel") for note in split.notes)


@given(label_maps(), st.integers(0, 2**63))
def test_gaps_between_ids_do_not_matter(labels, seed):
    spread = np.where(labels > 0, labels * 100 + 7, 0)
    one, two = (
        split_pixels(each, train=0.3, validation=0.2, seed=seed) for each in (labels, spread)
    )
    np.testing.assert_array_equal(one.train, two.train)
    np.testing.assert_array_equal(one.validation, two.validation)


@given(label_maps(least=6), st.integers(0, 2**63))
def test_training_sets_are_nested_and_independent_of_validation(labels, seed):
    small = split_pixels(labels, train=0.2, seed=seed)
    large = split_pixels(labels, train=0.4, seed=seed)
    validated = split_pixels(labels, train=0.2, validation=0.3, seed=seed)
    assert not (small.train & ~large.train).any()
    np.testing.assert_array_equal(small.train, validated.train)


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("seed", range(5))
def test_real_scenes(real_labels, name, seed):
    labels = real_labels(name)
    split = split_pixels(labels, train=0.1, validation=0.05, seed=seed)
    check_partition(split, labels)
    for row in split.summary(labels):
        size = np.count_nonzero(labels == row.id)
        assert row.train == max(1, (2 * size + 10) // 20)  # size / 10, halves up
        assert row.validation == max(1, (size + 10) // 20)


def test_ten_percent_of_indian_pines(real_labels):
    split = split_pixels(real_labels("indian_pines"), train=0.1, seed=0)
    assert split.train.sum() == 1027
    assert split.test.sum() == 10249 - 1027


def test_training_pixels_are_spread_evenly():
    # Each of 50 pixels is drawn in a fifth of the splits: binomial, five standard deviations.
    labels = np.ones((5, 10), np.uint8)
    drawn = sum(split_pixels(labels, train=0.2, seed=seed).train.astype(int) for seed in range(400))
    assert abs(drawn - 80).max() < 5 * np.sqrt(400 * 0.2 * 0.8)


def test_seed_decides():
    labels = np.ones((20, 20), np.uint8)
    one, same, other = (split_pixels(labels, train=0.5, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.train, same.train)
    assert (one.train != other.train).any()


def test_halves_are_rounded_up_as_written():
    labels = np.ones((10, 10), np.uint8)
    # 0.145 * 100 is 14.499999999999998 in floating point.
    assert split_pixels(labels, train=0.145).train.sum() == 15


def test_classes_that_are_too_small_are_all_named():
    labels = np.array([[1, 1, 9, 14]])
    with pytest.raises(UsageError) as error:
        split_pixels(labels)
    assert "class 9 has 1 labelled pixel, class 14 has 1 labelled pixel;" in str(error.value)
    assert "class 1 " not in str(error.value)
    assert "to 0" in str(error.value)


def test_class_without_data_is_named():
    labels = np.array([[1, 1, 2, 2, 2]])
    with pytest.raises(UsageError, match="class 2 has 3 labelled pixels, 1 with data"):
        split_pixels(labels, valid=np.array([[True, True, False, False, True]]))


def test_count_beyond_the_class_is_refused():
    labels = np.repeat([1, 2], [20, 100]).reshape(10, 12)
    with pytest.raises(UsageError, match=r"class 1 has 20 labelled pixels.*at least 21"):
        split_pixels(labels, train=20)
    assert split_pixels(labels, train=19).test.sum() == 120 - 38


@pytest.mark.parametrize("train", [0, 0.0, 1.0, 1.5, -0.1, -3, True, "0.1", None, float("nan")])
def test_amount_that_cannot_be_meant(train):
    with pytest.raises(UsageError, match="train must be a fraction"):
        split_pixels(np.ones((4, 4), int), train=train)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "block"}, "did you mean 'blocks'"),
        ({"train": 0.6, "validation": 0.4}, "leave nothing to test"),
        ({"validation": -0.5}, "validation must be"),
        ({"seed": -1}, "seed"),
        ({"patch_size": 24}, "odd"),
        ({"valid": np.ones((3, 4), bool)}, "shape of the labels"),
        ({"valid": np.ones((4, 4), int)}, "boolean"),
    ],
)
def test_other_arguments_that_cannot_be_meant(changes, said):
    with pytest.raises(UsageError, match=said):
        split_pixels(np.ones((4, 4), int), **changes)


@pytest.mark.parametrize(
    ("labels", "said"), [(np.zeros((3, 3)), "no labelled pixel"), (np.ones(9), r"\(rows, cols\)")]
)
def test_labels_that_cannot_be_split(labels, said):
    with pytest.raises(UsageError, match=said):
        split_pixels(labels)


def test_split_refuses_shared_pixels():
    mask, none = np.eye(3, dtype=bool), np.zeros((3, 3), bool)
    options = {"method": "mine", "seed": 0, "patch_size": 3}
    with pytest.raises(UsageError, match="train and test share 3 pixels"):
        Split(train=mask, validation=none, test=mask, **options)
    with pytest.raises(UsageError, match="validation and test share 3 pixels"):
        Split(train=none, validation=mask, test=mask, **options)
    with pytest.raises(UsageError, match="one shape; test"):
        Split(train=mask, validation=none, test=~mask[:2], **options)
    with pytest.raises(UsageError, match="boolean"):
        Split(train=mask, validation=none, test=none.astype(int), **options)


def test_summary_names_classes():
    labels = np.repeat([3, 14], 10).reshape(4, 5)
    split = split_pixels(labels, train=2, validation=3)
    assert split.summary(labels, {14: "Lettuce"}) == [
        (3, "class 3", 2, 3, 5),
        (14, "Lettuce", 2, 3, 5),
    ]
    with pytest.raises(UsageError, match=r"\(4, 5\)"):
        split.summary(labels.T)


def test_a_class_without_data_is_told_from_one_without_labels():
    labels = np.repeat([[1, 2]], 20, axis=0)
    with pytest.raises(UsageError, match="class 2 has 20 labelled pixels, none with data; with"):
        split_pixels(labels, valid=labels != 2)


def test_one_pixel_without_data():
    labels = np.repeat([[1, 2]], 20, axis=0)
    valid = np.ones(labels.shape, dtype=bool)
    valid[3, 0] = False
    notes = split_pixels(labels, valid=valid).notes
    assert notes == ("1 labelled pixel without data is in none of the sets.",)


def test_a_map_of_ids_is_refused_in_few_words():
    with pytest.raises(UsageError) as caught:
        split_pixels(np.arange(1, 3001).reshape(60, 50))
    said = str(caught.value)
    assert "class 5 has 1 labelled pixel, and 2,995 more classes have too few; with" in said
    assert "class 6" not in said
    assert said.endswith(
        "3,000 classes: this looks like an image or a map of ids, not like labels."
    )
