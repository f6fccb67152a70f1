import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsi.errors import UsageError
from hsi.report.explorer.layers import (
    PICTURE_PIXELS,
    class_layer,
    composite_layer,
    confidence_layer,
    picture_step,
    set_layer,
)


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_a_picture_has_no_more_pixels_than_allowed_and_no_coarser_step_than_needed(rows, cols):
    step = picture_step(rows, cols)
    assert -(-rows // step) * -(-cols // step) <= PICTURE_PIXELS
    if step > 1:
        assert rows * cols / (step - 1) ** 2 > PICTURE_PIXELS * 0.9


def test_the_composite_of_a_whole_scene_is_its_own(make_scene):
    scene = make_scene(dtype=np.float32)
    scene.cube[2, 3, 1] = np.nan
    layer = composite_layer(scene, 1)
    np.testing.assert_array_equal(layer.transpose(1, 2, 0), scene.composite())


def test_the_composite_of_a_part_is_stretched_like_that_of_a_scene_of_that_part(make_scene):
    scene = make_scene(dtype=np.float32)
    scene.cube[2, 4, :] = np.nan
    part = type(scene)(name="part", cube=scene.cube[::2, ::2].copy())
    np.testing.assert_array_equal(composite_layer(scene, 2).transpose(1, 2, 0), part.composite())


def test_classes_are_numbered_in_the_order_of_ids():
    ids = np.array([[0, 3, 11], [11, 200_000, 0]])
    layer = class_layer(ids, [11, 3, 200_000], 1)
    assert layer.tolist() == [[0, 1, 2], [2, 3, 0]]
    assert layer.dtype == np.uint8
    assert class_layer(ids, [11, 3, 200_000], 2).tolist() == [[0, 2]]
    assert class_layer(np.array([[300]]), range(1, 301), 1).tolist() == [[300]]


def test_an_id_without_a_name_is_refused():
    with pytest.raises(UsageError, match="ids 4, 9"):
        class_layer(np.array([[4, 3, 9]]), [3], 1)


def test_confidence_is_never_rounded_up():
    shares = np.array([[0.0, 0.99999, 1.0, 0.12345, np.nan]])
    assert confidence_layer(shares, 1).tolist() == [[1, 10_000, 10_001, 1235, 0]]


def test_sets_have_a_number_each():
    train, validation, test = np.eye(3, dtype=bool)[:, None]
    assert set_layer(train, validation, test, 1).tolist() == [[1, 2, 3]]
