"""Labels as they come in files."""

import numpy as np
import pytest
import scipy.io

from hsi.errors import SceneError, UsageError
from hsi.scenes import load_scene

ROWS, COLS = 4, 6


@pytest.fixture
def cube(tmp_path):
    np.save(tmp_path / "cube.npy", np.ones((ROWS, COLS, 3), np.uint16))
    return tmp_path / "cube.npy"


def with_labels(cube, labels):
    path = cube.parent / "truth.npy"
    np.save(path, labels)
    return load_scene(cube, labels=path)


def some_labels(dtype=np.uint8):
    labels = np.zeros((ROWS, COLS), dtype)
    labels[1, 2], labels[3] = 7, 2
    return labels


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64", ">i4", "uint64"])
def test_any_type_with_whole_values_is_accepted(cube, dtype):
    labels = with_labels(cube, some_labels(dtype)).labels
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, some_labels())


def test_a_mask_is_one_class(cube):
    assert with_labels(cube, some_labels() > 0).class_ids.tolist() == [1]


@pytest.mark.parametrize("axis", [0, 2])
def test_a_band_axis_of_length_one_is_dropped(cube, axis):
    scene = with_labels(cube, np.expand_dims(some_labels(), axis))
    np.testing.assert_array_equal(scene.labels, some_labels())


@pytest.mark.parametrize(
    ("value", "dtype", "shown"),
    [(2.5, "f4", "2.5"), (-1, "i2", "-1"), (np.nan, "f8", "nan"), (np.inf, "f8", "inf"),
     (2**31, "i8", "2147483648"), (-3.0, "f8", "-3.0")],
)  # fmt: skip
def test_what_is_no_id_is_refused_by_value_and_place(cube, value, dtype, shown):
    labels = some_labels(dtype)
    labels[2, 5] = value
    with pytest.raises(SceneError, match=rf"truth\.npy.*hold {shown} at row 2, column 5"):
        with_labels(cube, labels)


def test_complex_labels_are_refused(cube):
    scipy.io.savemat(cube.parent / "truth.mat", {"t": some_labels() * 1j})
    with pytest.raises(SceneError, match="not complex"):
        load_scene(cube, labels=cube.parent / "truth.mat")


def test_text_is_refused(cube):
    with pytest.raises(SceneError, match="could be labels"):
        with_labels(cube, np.full((ROWS, COLS), "water"))


def test_another_shape_is_refused(cube):
    with pytest.raises(SceneError, match=r"\(3, 6\).*4 rows and 6 columns"):
        with_labels(cube, some_labels()[1:])


def test_transposed_labels_are_called_so(cube):
    with pytest.raises(SceneError, match="transposed"):
        with_labels(cube, some_labels().T)


def test_bands_first_is_recognised(tmp_path):
    np.save(tmp_path / "cube.npy", np.ones((3, ROWS, COLS)))
    with pytest.raises(SceneError, match="bands first"):
        with_labels(tmp_path / "cube.npy", some_labels())


def test_three_bands_are_no_labels(cube):
    with pytest.raises(SceneError, match=f"{ROWS} x {COLS} x 3"):
        with_labels(cube, np.ones((ROWS, COLS, 3)))


def test_labels_without_a_label_are_refused(cube):
    with pytest.raises(SceneError, match="0 everywhere"):
        with_labels(cube, np.zeros((ROWS, COLS)))


def test_names_and_colours_of_unnamed_classes(cube):
    scene = with_labels(cube, some_labels())
    assert scene.class_names == {2: "class 2", 7: "class 7"}
    assert set(scene.class_colors) == {2, 7}


def test_nodata_can_be_declared(tmp_path):
    cube = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    np.save(tmp_path / "cube.npy", cube)
    scene = load_scene(tmp_path / "cube.npy", nodata=0)
    assert scene.nodata == 0
    assert scene.valid.tolist() == [[False, True, True], [True, True, True]]
    assert scene.source == {"dataset": str(tmp_path / "cube.npy"), "nodata": 0.0}


@pytest.mark.parametrize("nodata", [float("nan"), float("inf"), True, "0"])
def test_nodata_that_is_no_finite_number(tmp_path, nodata):
    np.save(tmp_path / "cube.npy", np.ones((2, 3, 4)))
    with pytest.raises(UsageError, match="expected a finite number"):
        load_scene(tmp_path / "cube.npy", nodata=nodata)


@pytest.mark.parametrize("path", ["", "~nouser/x.npy", "caf\udce9.npy", "a\0b"])
def test_paths_that_cannot_be_meant(cube, path):
    with pytest.raises(UsageError, match=r"^dataset "):
        load_scene(path)
    with pytest.raises(UsageError, match=r"^labels "):
        load_scene(cube, labels=path)


def test_a_data_folder_of_nobody(monkeypatch):
    monkeypatch.setenv("HSI_DATA", "~nouser")
    with pytest.raises(UsageError, match="HSI_DATA is '~nouser', but there is no such user"):
        load_scene("salinas")
