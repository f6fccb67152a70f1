"""Two arrays of features in place of rasters."""

import numpy as np
import pytest

from hsi.errors import SceneError, UsageError
from hsi.scenes.feature_arrays import open_features


@pytest.fixture
def path(tmp_path):
    return tmp_path / "pairs.npz"


def save(path, **changes):
    rng = np.random.default_rng(0)
    arrays = {"first": rng.normal(size=(6, 4)), "second": rng.normal(size=(6, 2))}
    np.savez(path, **(arrays | {"labels": [1, 1, 2, 2, 0, 3]} | changes))
    return arrays


def test_rows_are_rows_of_one_column(path):
    arrays = save(path)
    first, second = open_features(path)
    np.testing.assert_array_equal(first.cube[:, 0], arrays["first"])
    np.testing.assert_array_equal(second.cube[:, 0], arrays["second"])
    assert first.labels[:, 0].tolist() == [1, 1, 2, 2, 0, 3]
    assert second.labels is None


def test_arrays_go_by_any_name_and_labels_may_be_a_column(path):
    save(path, photos=np.ones((6, 3)), truth=np.ones((6, 1), np.uint8))
    first, second = open_features(path, first="photos", second="first", labels="truth")
    assert (first.bands, second.bands) == (3, 4)
    assert first.labels.shape == (6, 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"second": np.ones((5, 2))}, r"'first' 6, 'second' 5, 'labels' 6"),
        ({"labels": np.ones((3, 2), int)}, "do not have a row for each other"),
        ({"labels": np.ones(7, int)}, "'labels' 7"),
        ({"first": np.ones((6, 2, 2))}, r"'first' .* \(6, 2, 2\); expected \(rows, features\)"),
        ({"labels": np.full(6, 0.5)}, "0.5 at row 0"),
        ({"first": np.array([["a"]] * 6)}, "expected numbers"),
        ({"first": np.array([[None]] * 6)}, "objects"),
    ],
)
def test_what_does_not_fit_is_refused(path, changes, words):
    save(path, **changes)
    with pytest.raises(SceneError, match=words):
        open_features(path)


def test_a_wrong_name_or_file_is_told(path, tmp_path):
    save(path)
    with pytest.raises(UsageError, match="no array 'frist'; did you mean 'first'"):
        open_features(path, first="frist")
    with pytest.raises(UsageError, match="there is no file"):
        open_features(tmp_path / "nowhere.npz")
    other = tmp_path / "pairs.npy"
    np.save(other, np.ones((3, 3)))
    with pytest.raises(UsageError, match=r"come from a \.npz file"):
        open_features(other)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(SceneError, match="is damaged"):
        open_features(path)
