"""Pixels with places, as scikit-learn indexes them."""

import numpy as np
import pytest
from sklearn.model_selection import KFold, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import _safe_indexing

from hsi.errors import UsageError
from hsi.sampling import BlockKFold, ScenePixels
from hsi.scenes.lazy import LazyCube


@pytest.fixture
def cube():
    return np.random.default_rng(0).integers(0, 9000, (9, 11, 4)).astype(np.uint16)


@pytest.fixture
def labels():
    """A third is unlabelled; ids have a gap."""
    return np.random.default_rng(1).choice([0, 3, 14], (9, 11))


NONE: list[int] = []


class Read(LazyCube):
    """A cube that counts how many values are read."""

    def __init__(self, cube):
        super().__init__(cube.shape, cube.dtype)
        self.cube, self.values = cube, 0

    def read(self, rows, cols, bands):
        part = self.cube[rows, cols][:, :, bands]
        self.values += part.size
        return part


def test_pixels_come_in_the_order_of_labels_above_0(cube, labels):
    pixels = ScenePixels(cube, labels)
    np.testing.assert_array_equal(labels[pixels.rows, pixels.cols], labels[labels > 0])
    np.testing.assert_array_equal(np.asarray(pixels), cube[labels > 0])
    np.testing.assert_array_equal(np.asarray(ScenePixels(cube, labels > 0)), pixels)
    assert len(pixels) == np.count_nonzero(labels)
    assert pixels.shape == (len(pixels), 4)
    assert pixels.scene_shape == (9, 11)
    assert pixels.dtype == np.uint16


@pytest.mark.parametrize(
    "chosen",
    [
        slice(2, 20, 3),
        np.array([5, 0, 5, -1]),
        [1, 2],
        NONE,
        "mask",
    ],
    ids=str,
)
def test_some_of_the_pixels_as_numpy_and_scikit_learn_choose_them(cube, labels, chosen):
    pixels = ScenePixels(cube, labels)
    if isinstance(chosen, str):
        chosen = np.random.default_rng(2).random(len(pixels)) < 0.4
    expected = cube[labels > 0]
    expected = expected[:0] if chosen is NONE else expected[chosen]
    for some in (pixels[chosen], pixels[chosen, ...], _safe_indexing(pixels, chosen)):
        assert isinstance(some, ScenePixels)
        np.testing.assert_array_equal(np.asarray(some), expected)
        np.testing.assert_array_equal(cube[some.rows, some.cols], expected)
        assert some.scene_shape == (9, 11)


def test_the_cube_is_not_copied(cube, labels):
    pixels = ScenePixels(cube, labels)
    assert pixels.cube is cube
    assert pixels[3:9][1:].cube is cube


def test_a_cube_on_disk_is_read_only_where_spectra_are_asked_for(cube, labels):
    lazy = Read(cube)
    pixels = ScenePixels(lazy, labels)[:5]
    assert lazy.values == 0
    np.testing.assert_array_equal(np.asarray(pixels), cube[labels > 0][:5])
    assert 0 < lazy.values < cube.size


def test_parts_of_parts_are_parts(cube, labels):
    pixels = ScenePixels(cube, labels)
    train, test = train_test_split(pixels, test_size=10, random_state=0)
    one, other = train_test_split(np.asarray(pixels), test_size=10, random_state=0)
    np.testing.assert_array_equal(np.asarray(train), one)
    np.testing.assert_array_equal(np.asarray(test), other)
    places = {*zip(train.rows.tolist(), train.cols.tolist(), strict=True)}
    places |= {*zip(test.rows.tolist(), test.cols.tolist(), strict=True)}
    assert len(places) == len(pixels)


@pytest.mark.parametrize("cv", [KFold(3), BlockKFold(n_splits=2, patch_size=1)], ids=repr)
def test_classifiers_of_scikit_learn_take_the_spectra(cube, labels, cv):
    pixels, y = ScenePixels(cube, labels), labels[labels > 0]
    scores = cross_val_score(KNeighborsClassifier(1), pixels, y, cv=cv)
    folds = [*cv.split(pixels, y)]
    expected = cross_val_score(KNeighborsClassifier(1), cube[labels > 0], y, cv=folds)
    np.testing.assert_array_equal(scores, expected)
    assert len(scores) == cv.get_n_splits()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda cube, labels: (cube[0], labels), r"\(11, 4\) and the mask \(9, 11\)"),
        (lambda cube, labels: (cube, labels.T), r"\(9, 11, 4\) and the mask \(11, 9\)"),
        (lambda cube, labels: (cube, labels - 1), "-1 occurs"),
        (lambda cube, labels: (cube, labels + 0.5), "whole numbers"),
        (lambda cube, labels: (cube > 3, labels), "bool values; expected real numbers"),
    ],
)
def test_what_are_no_pixels_of_a_scene(cube, labels, change, words):
    with pytest.raises(UsageError, match=words):
        ScenePixels(*change(cube, labels))


@pytest.mark.parametrize("chosen", [3, (slice(None), 2), [[1, 2]]], ids=str)
def test_single_values_and_bands_are_not_chosen(cube, labels, chosen):
    with pytest.raises(UsageError, match="chosen"):
        _ = ScenePixels(cube, labels)[chosen]
