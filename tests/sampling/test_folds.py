"""Folds of blocks: every pixel is tested once, and no patch of a test overlaps its training."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score

from hsi.errors import UsageError
from hsi.sampling import BlockKFold, arranging, class_ids, overlap_audit, split_folds
from hsi.sampling.overlap import within


@pytest.fixture
def short_search(monkeypatch):
    """Make the search short: what must hold does not depend on how good the folds are."""
    monkeypatch.setattr(arranging, "STEPS", 60)
    monkeypatch.setattr(arranging, "BLOCKS_PER_FOLD", (4, 12))
    arranging._arranged.cache_clear()
    yield
    arranging._arranged.cache_clear()


def fields(seed, rows=60, cols=70, classes=4):
    """Return a label map of rectangular fields, some of them unlabelled, with gaps in the ids."""
    rng = np.random.default_rng(seed)
    ids = np.append(rng.choice(np.arange(1, 50), classes, replace=False), 0)
    coarse = rng.choice(ids, size=(-(-rows // 12), -(-cols // 14)))
    return np.kron(coarse, np.ones((12, 14), int))[:rows, :cols]


def all_folds(labels, folds=5, **how):
    return [split_folds(labels, folds=folds, fold=fold, **how) for fold in range(folds)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.integers(2, 6), st.sampled_from([1, 3, 7]),
       st.sampled_from([None, 0, 4, 9]))  # fmt: skip
def test_each_pixel_is_tested_once_and_all_that_is_far_from_it_trained_on(
    short_search, seed, folds, patch_size, guard
):
    labels = fields(seed % 7)
    how = {"seed": seed, "patch_size": patch_size, "guard": guard}
    try:
        splits = all_folds(labels, folds, **how)
    except UsageError:
        reject()
    tested = sum(split.test.astype(int) for split in splits)
    np.testing.assert_array_equal(tested, labels > 0)
    width = patch_size - 1 if guard is None else guard
    for split in splits:
        assert split.test.any()
        far = (labels > 0) & ~within(split.test, width)
        np.testing.assert_array_equal(split.train, far)
        if width >= patch_size - 1:
            assert overlap_audit(split.train, split.test, patch_size).shares == 0.0


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.sampled_from([0.5, 7, 1.0]), st.sampled_from([0.2, 3]))
def test_fewer_training_pixels_and_validation_leave_the_test_as_it_is(
    short_search, seed, train, validation
):
    labels = fields(seed % 7)
    how = {"seed": seed, "patch_size": 5, "folds": 3, "fold": seed % 3}
    try:
        whole = split_folds(labels, **how)
    except UsageError:
        reject()
    part = split_folds(labels, train=train, validation=validation, **how)
    np.testing.assert_array_equal(part.test, whole.test)
    assert not ((part.train | part.validation) & ~whole.train).any()
    assert part.validation.any()
    for of_whole, of_part in zip(whole.summary(labels), part.summary(labels), strict=True):
        assert of_part.train + of_part.validation <= of_whole.train
        assert (of_part.train > 0) == (of_whole.train > 0)
    assert any("drawn from among the training pixels" in note for note in part.notes)


# A little below what the search reaches: labelled pixels that are tested and of whose class there
# is training; classes that the fold with fewest has on both sides; the least share of a fold in
# the test, and of what is trained on. In Indian Pines, no patch of 25 fits between the fields of
# five classes.
@pytest.mark.parametrize(
    ("name", "patch_size", "learned", "classes", "test", "train"),
    [
        ("indian_pines", 25, 0.87, 5, 0.15, 0.30),
        ("indian_pines", 9, 0.96, 8, 0.17, 0.45),
        ("salinas_a", 25, 0.93, 4, 0.15, 0.20),
        ("pavia_university", 25, 0.99, 8, 0.17, 0.45),
        ("salinas", 25, 0.99, 12, 0.17, 0.35),
        ("ksc", 25, 0.96, 7, 0.17, 0.55),
        ("botswana", 25, 0.88, 8, 0.17, 0.55),
        ("pavia_centre", 25, 0.99, 8, 0.17, 0.55),
        ("houston_2013", 25, 0.88, 10, 0.17, 0.60),
    ],
)
def test_real_scenes_are_divided_evenly(
    real_labels, name, patch_size, learned, classes, test, train
):
    labels = real_labels(name)
    splits = all_folds(labels, patch_size=patch_size)
    tested = sum(split.test.astype(int) for split in splits)
    np.testing.assert_array_equal(tested, labels > 0)
    assert [split.overlap.shares for split in splits] == [0.0] * 5
    rows = [split.summary(labels) for split in splits]
    right = sum(row.test for fold in rows for row in fold if row.train)
    labelled = np.count_nonzero(labels)
    assert right / labelled >= learned
    assert min(sum(row.train > 0 and row.test > 0 for row in fold) for fold in rows) >= classes
    assert min(split.test.sum() for split in splits) / labelled >= test
    assert min(split.train.sum() for split in splits) / labelled >= train


def test_notes_account_for_classes_and_pixels(real_labels):
    labels = real_labels("indian_pines")
    for split in all_folds(labels):
        rows, said = split.summary(labels), "\n".join(split.notes)
        # Oats, class 9, are one small field: their test has no training.
        strange = [row.id for row in rows if row.test and not row.train]
        named = f"right: class{'es' if len(strange) > 1 else ''} {', '.join(map(str, strange))}."
        assert (named in said) == bool(strange)
        assert ("right:" in said) == bool(strange)
        band = (labels > 0) & ~split.train & ~split.test
        assert f"{np.count_nonzero(band):,} of 10,249 labelled pixels" in said


def test_seed_decides(short_search):
    labels = fields(2)
    one, same, other = (all_folds(labels, seed=seed, patch_size=5) for seed in (1, 1, 2))
    for first, second in zip(one, same, strict=True):
        np.testing.assert_array_equal(first.test, second.test)
    assert any((a.test != b.test).any() for a, b in zip(one, other, strict=True))


def test_what_is_remembered_of_folds_cannot_be_changed(short_search):
    targets = np.where(fields(2) > 0, 0, -1)
    how = {"classes": 1, "folds": 3, "guard": 4, "seed": 0}
    kept = arranging.arrange_folds(targets, **how)
    assert arranging.arrange_folds(targets, **how) is kept
    with pytest.raises(ValueError, match="read-only"):
        kept[:] = 0


def test_gaps_between_ids_do_not_matter(short_search):
    labels = fields(3)
    spread = np.where(labels > 0, labels * 100 + 7, 0)
    for one, two in zip(
        all_folds(labels, patch_size=5), all_folds(spread, patch_size=5), strict=True
    ):
        np.testing.assert_array_equal(one.test, two.test)
        np.testing.assert_array_equal(one.train, two.train)


def test_pixels_without_data_are_in_no_set(short_search):
    labels = fields(4)
    valid = np.ones(labels.shape, bool)
    valid[20:45, :30] = False
    tested = sum(split.test.astype(int) for split in all_folds(labels, patch_size=5, valid=valid))
    np.testing.assert_array_equal(tested, (labels > 0) & valid)


def test_one_guard_band_serves_several_patches(short_search):
    labels = fields(5)
    small, large = (split_folds(labels, folds=3, patch_size=side, guard=10) for side in (5, 11))
    np.testing.assert_array_equal(small.train, large.train)
    assert large.overlap.shares == 0.0
    assert not any("guard band is" in note for note in (*small.notes, *large.notes))


def test_a_guard_band_that_is_too_narrow_is_said(short_search):
    split = split_folds(fields(5), folds=3, patch_size=11, guard=4)
    assert split.overlap.shares > 0
    assert (
        "The guard band is 4 pixels wide, but patches of 11x11 need 10: of the test pixels, "
        f"{split.overlap.shares:.1%} have a patch that shares pixels with a training patch."
    ) in split.notes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"folds": 1}, "folds must be 2 or more"),
        ({"folds": 2.5}, "folds must be a whole number"),
        ({"fold": 5}, r"fold must be one of 0\.\.4, not 5"),
        ({"fold": -1}, r"one of 0\.\.4"),
        ({"seed": -1}, "seed"),
        ({"patch_size": 4}, "odd"),
        ({"guard": -1}, "guard must be a whole number of pixels from 0, not -1"),
        ({"guard": 2.0}, "guard must be"),
        ({"train": 0}, "train must be a fraction"),
        ({"train": 1.5}, "train must be a fraction"),
        ({"validation": 1.0}, "validation must be a fraction"),
        ({"patch_size": 61}, "has too little to train on: a guard band of 60"),
    ],
)
def test_what_cannot_be_meant(short_search, changes, said):
    with pytest.raises(UsageError, match=said):
        split_folds(fields(0), **changes)


def test_more_folds_than_places(short_search):
    with pytest.raises(UsageError, match="too few places for 5 folds"):
        split_folds(np.array([[1, 2, 0, 1]]), patch_size=1)


def pixels_of(labels):
    """Return the labelled pixels with their places, shuffled, and their classes."""
    rows, cols = np.nonzero(labels)
    order = np.random.default_rng(0).permutation(rows.size)
    rows, cols = rows[order], cols[order]
    return SimpleNamespace(rows=rows, cols=cols, scene_shape=labels.shape), labels[rows, cols]


def test_cross_validator_has_the_folds_of_the_split(short_search):
    labels = fields(1)
    X, y = pixels_of(labels)
    splitter = BlockKFold(n_splits=4, patch_size=5, seed=3)
    assert splitter.get_n_splits() == splitter.get_n_splits(X, y) == 4
    splits = all_folds(labels, 4, patch_size=5, seed=3)
    for split, (train, test) in zip(splits, splitter.split(X, y), strict=True):
        for mask, pixels in ((split.train, train), (split.test, test)):
            at = np.zeros_like(mask)
            at[X.rows[pixels], X.cols[pixels]] = True
            np.testing.assert_array_equal(at, mask)
            assert (np.diff(pixels) > 0).all()


class Spectra:
    """Pixels with places, as much of them as scikit-learn needs: indexable, and made to arrays."""

    def __init__(self, values, rows, cols, scene_shape):
        self.values, self.rows, self.cols, self.scene_shape = values, rows, cols, scene_shape
        self.shape = values.shape

    def __len__(self):
        return len(self.values)

    def __getitem__(self, pixels):
        return Spectra(self.values[pixels], self.rows[pixels], self.cols[pixels], self.scene_shape)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype=dtype)


def test_scikit_learn_takes_it(short_search):
    """Where classes are alike but the place tells, only blocks show that nothing was learned."""
    labels = np.kron([[1, 2] * 5, [2, 1] * 5] * 4, np.ones((6, 6), int))
    places, y = pixels_of(labels)
    names = np.array(["", "oak", "pine"])[y]
    values = np.stack([places.rows, places.cols], axis=1)
    X = Spectra(values, places.rows, places.cols, labels.shape)
    forest = RandomForestClassifier(n_estimators=10, random_state=0)
    at_random = cross_val_score(forest, X, names, cv=5)
    by_blocks = cross_val_score(forest, X, names, cv=BlockKFold(patch_size=5))
    assert at_random.mean() > 0.9
    assert by_blocks.mean() < 0.75
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search = GridSearchCV(forest, {"max_depth": [1, 2]}, cv=BlockKFold(3, patch_size=5))
        assert clone(search).fit(X, names).n_splits_ == 3


def test_cross_validator_needs_places(short_search):
    X, y = pixels_of(fields(1))
    splitter = BlockKFold(patch_size=5)
    for wrong, classes, said in (
        (np.ones((4, 3)), np.ones(4), "ndarray has no rows and no cols and no scene_shape\nPass"),
        (X, None, "y must be the class of each of the"),
        (X, y[1:], "y must be the class of each"),
        (SimpleNamespace(**vars(X) | {"scene_shape": (5, 5)}), y, "outside the scene of 5 x 5"),
        (SimpleNamespace(**vars(X) | {"rows": X.rows * 0, "cols": X.cols * 0}), y, "occurs twice"),
        (SimpleNamespace(**vars(X) | {"rows": X.rows[1:]}), y, "whole numbers"),
    ):
        with pytest.raises(UsageError, match=said):
            next(splitter.split(wrong, classes))
    with pytest.raises(UsageError, match="leave out groups"):
        next(splitter.split(X, y, groups=y))


def test_cross_validator_checks_its_arguments():
    with pytest.raises(UsageError, match="folds must be 2 or more"):
        BlockKFold(1)
    with pytest.raises(UsageError, match="odd"):
        BlockKFold(patch_size=6)
    with pytest.raises(UsageError, match="guard must be"):
        BlockKFold(guard=-3)
    assert repr(BlockKFold(3)) == "BlockKFold(n_splits=3, patch_size=25, guard=None, seed=0)"


def test_class_ids_of_made_fields_have_gaps():
    """What the tests above rely on."""
    assert np.diff(class_ids(fields(3))).max() > 1
