"""Block splits: patches of different sets share no pixel, and the scene is put to good use."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from hsi.errors import UsageError
from hsi.sampling import annealing, class_ids, overlap_audit, split_pixels
from hsi.sampling.overlap import within


@pytest.fixture
def short_search(monkeypatch):
    """Make the search short: what must hold does not depend on how good the blocks are."""
    monkeypatch.setattr(annealing, "STARTS", 1)
    monkeypatch.setattr(annealing, "STEPS", 150)


def fields(seed, rows=60, cols=70, classes=4):
    """Return a label map of rectangular fields, some of them unlabelled, with gaps in the ids."""
    rng = np.random.default_rng(seed)
    ids = np.append(rng.choice(np.arange(1, 50), classes, replace=False), 0)
    coarse = rng.choice(ids, size=(-(-rows // 12), -(-cols // 14)))
    return np.kron(coarse, np.ones((12, 14), int))[:rows, :cols]


def check_apart(split, labels):
    """Assert that no patch shares a pixel with that of another set, and that all are labelled."""
    p = split.patch_size
    for one, other in (
        (split.train, split.test),
        (split.train, split.validation),
        (split.validation, split.test),
    ):
        if other.any():
            assert overlap_audit(one, other, p).shares == 0.0
    assert not ((split.train | split.validation | split.test) & (labels == 0)).any()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.sampled_from([1, 3, 7, 11]), st.sampled_from([0.1, 0.3, 5]),
       st.sampled_from([0.0, 0.1, 4]))  # fmt: skip
def test_sets_keep_their_distance(short_search, seed, patch_size, train, validation):
    labels = fields(seed % 7)
    try:
        split = split_pixels(
            labels,
            method="blocks",
            train=train,
            validation=validation,
            seed=seed,
            patch_size=patch_size,
        )
    except UsageError:
        reject()
    check_apart(split, labels)
    assert split.validation.any() == bool(validation)
    for row in split.summary(labels):
        size = np.count_nonzero(labels == row.id)
        assert row.train <= (train if isinstance(train, int) else max(1, train * size + 0.5))
        assert row.train > 0 or row.test == 0


def test_guard_band_is_no_wider_than_it_must_be(short_search):
    labels = fields(1)
    split = split_pixels(labels, method="blocks", train=0.2, patch_size=9, seed=3)
    learned = [row.id for row in split.summary(labels) if row.train]
    far = np.isin(labels, learned) & ~within(split.train, 8)
    np.testing.assert_array_equal(split.test, far)


# Per scene: all classes that extend over more than a patch and can thus be on both sides, and a
# share of the labelled pixels a little below what the search leaves to test on.
@pytest.mark.parametrize(
    ("name", "patch_size", "classes", "test"),
    [
        ("indian_pines", 25, 11, 0.28),
        ("indian_pines", 9, 15, 0.55),
        ("salinas_a", 25, 6, 0.40),
        ("salinas_a", 9, 6, 0.60),
        ("pavia_university", 25, 9, 0.65),
        ("botswana", 25, 14, 0.55),
    ],
)
def test_real_scenes_are_put_to_good_use(real_labels, name, patch_size, classes, test):
    labels = real_labels(name)
    split = split_pixels(labels, method="blocks", train=0.1, patch_size=patch_size, seed=0)
    check_apart(split, labels)
    rows = split.summary(labels)
    labelled = np.count_nonzero(labels)
    assert sum(row.train > 0 and row.test > 0 for row in rows) >= classes
    assert 0.08 <= split.train.sum() / labelled <= 0.101
    assert split.test.sum() / labelled >= test


@pytest.mark.parametrize(
    "name",
    [
        "botswana", "houston_2013", "indian_pines", "ksc", "pavia_centre", "pavia_university",
        "salinas", "salinas_a",
    ],
)  # fmt: skip
def test_no_patch_overlaps_in_any_real_scene(real_labels, real_split, name):
    split = real_split(name, "blocks")
    check_apart(split, real_labels(name))
    assert split.patch_size == 25
    assert split.overlap.shares == 0.0


def test_a_wider_guard_band_keeps_larger_patches_apart(short_search):
    labels = fields(1)
    how = {"method": "blocks", "train": 0.2, "seed": 3}
    usual, same = (split_pixels(labels, patch_size=9, guard=g, **how) for g in (None, 8))
    np.testing.assert_array_equal(usual.train, same.train)
    np.testing.assert_array_equal(usual.test, same.test)
    wide = split_pixels(labels, patch_size=5, guard=14, **how)
    assert overlap_audit(wide.train, wide.test, 15).shares == 0.0
    np.testing.assert_array_equal(
        wide.train, split_pixels(labels, patch_size=15, guard=14, **how).train
    )
    assert any("less than 15 pixels from" in note for note in wide.notes)
    # Without a band, nothing lies in it.
    none = split_pixels(labels, patch_size=1, **how)
    assert not any("guard band" in note for note in none.notes)
    assert not any("guard band is" in note for note in (*usual.notes, *wide.notes))


def test_a_narrower_guard_band_is_said(short_search):
    split = split_pixels(fields(1), method="blocks", train=0.2, seed=3, patch_size=9, guard=2)
    assert overlap_audit(split.train, split.test, 3).shares == 0.0
    assert split.overlap.shares > 0
    assert split.notes[-1] == (
        "The guard band is 2 pixels wide, but patches of 9x9 need 8: of the test pixels, "
        f"{split.overlap.shares:.1%} have a patch that shares pixels with a training patch."
    )


def test_a_guard_band_is_for_blocks(short_search):
    with pytest.raises(UsageError, match="a random split keeps none"):
        split_pixels(fields(1), guard=8)
    with pytest.raises(UsageError, match="guard must be a whole number of pixels from 0, not"):
        split_pixels(fields(1), method="blocks", guard=1.5)


def test_notes_account_for_every_class_and_pixel(real_labels, real_split):
    labels = real_labels("indian_pines")
    split = real_split("indian_pines", "blocks")
    said = "\n".join(split.notes)
    untrained = [row.id for row in split.summary(labels) if row.train == 0]
    assert f"left out of the test: classes {', '.join(map(str, untrained))}." in said
    # All pixels of Oats, class 9, lie within a patch.
    assert 9 in untrained
    near = within(split.train, 24) & ~split.train & (labels > 0)
    band = near & ~np.isin(labels, untrained) & within(split.test, 24)
    assert f"{np.count_nonzero(band):,} of 10,249 labelled pixels" in said


def test_validation_blocks(real_labels):
    labels = real_labels("salinas_a")
    split = split_pixels(labels, method="blocks", train=0.1, validation=0.05, patch_size=9, seed=0)
    check_apart(split, labels)
    for row in split.summary(labels):
        assert min(row.train, row.validation, row.test) > 0


def test_seed_decides(short_search):
    labels = fields(2)
    one, same, other = (
        split_pixels(labels, method="blocks", patch_size=7, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.train, same.train)
    np.testing.assert_array_equal(one.test, same.test)
    assert (one.train != other.train).any()


def test_gaps_between_ids_do_not_matter(short_search):
    labels = fields(3)
    spread = np.where(labels > 0, labels * 100 + 7, 0)
    one, two = (
        split_pixels(each, method="blocks", patch_size=7, seed=5) for each in (labels, spread)
    )
    np.testing.assert_array_equal(one.train, two.train)
    np.testing.assert_array_equal(one.test, two.test)


def test_pixels_without_data_are_in_no_set(short_search):
    labels = fields(4)
    valid = np.ones(labels.shape, bool)
    valid[20:45, :30] = False
    split = split_pixels(labels, method="blocks", patch_size=7, seed=0, valid=valid)
    assert not ((split.train | split.test) & ~valid).any()
    assert split.notes[0].startswith(f"{np.count_nonzero(labels * ~valid)} labelled pixels without")


def test_too_large_patches_are_refused(short_search):
    labels = fields(0, rows=20, cols=20)
    with pytest.raises(UsageError, match="Use a smaller patch_size or guard"):
        split_pixels(labels, method="blocks", patch_size=25)


def test_no_room_for_validation_is_an_error(short_search):
    # Both classes at either end of a strip of twice the patch: no room for a third set.
    labels = np.zeros((10, 50), int)
    labels[:5, :6] = labels[:5, -6:] = 1
    labels[5:, :6] = labels[5:, -6:] = 2
    split = split_pixels(labels, method="blocks", patch_size=25)
    assert all(row.train > 0 and row.test > 0 for row in split.summary(labels))
    with pytest.raises(UsageError, match="do without validation"):
        split_pixels(labels, method="blocks", validation=0.1, patch_size=25)


def test_rare_classes_are_not_given_up_for_large_ones():
    # A large class everywhere; a small one in two far corners that only a few blocks reach.
    labels = np.ones((80, 80), int)
    labels[:3, :3] = labels[-3:, -3:] = 2
    split = split_pixels(labels, method="blocks", train=0.1, patch_size=15, seed=0)
    assert all(row.train > 0 and row.test > 0 for row in split.summary(labels))


def test_class_without_data_is_named(short_search):
    labels = fields(5)
    lost = int(class_ids(labels)[0])
    split = split_pixels(labels, method="blocks", patch_size=7, valid=labels != lost)
    assert any("left out of the test: class" in note and str(lost) in note for note in split.notes)
