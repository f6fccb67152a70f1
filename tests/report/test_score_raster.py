import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from hsi.errors import UsageError
from hsi.report import as_percent, write_confidence_tif, write_scores_tif
from hsi.scenes.grid import Grid

# Turned by some degrees, as images in the direction of the flight are.
GRID = Grid(crs="EPSG:32633", transform=(29, 3, 366975, 3, -29, 5807085))


@given(st.lists(st.floats(0, 1), min_size=1))
def test_percent_is_nearest_and_only_what_is_certain_is_100(probabilities):
    shown = as_percent(np.array(probabilities)).astype(int)
    for given_, percent in zip(probabilities, shown.tolist(), strict=True):
        assert abs(percent - 100 * given_) <= 0.501 or (percent == 99 and given_ > 0.99)
        assert (percent == 100) == (given_ == 1)


def test_confidence_comes_back_with_its_place(tmp_path):
    percent = as_percent(np.random.default_rng(0).random((700, 1300)))
    percent[:200, :300] = 255
    write_confidence_tif(tmp_path / "confidence.tif", percent, grid=GRID)
    with rasterio.open(tmp_path / "confidence.tif") as raster:
        np.testing.assert_array_equal(raster.read(1), percent)
        assert (raster.crs, raster.nodata) == (GRID.crs, 255)
        assert raster.transform.almost_equals(GRID.affine)
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    with rasterio.open(tmp_path / "confidence.tif", overview_level=0) as overview:
        small = overview.read(1)
    # Pixels without data take no part in the means.
    assert set(np.unique(small)) <= {*range(101), 255}
    assert (small[:100, :150] == 255).all()
    assert small[100:, 150:].max() < 100


def test_scores_come_back_with_class_names(tmp_path):
    scores = np.random.default_rng(0).normal(size=(5, 300, 530)).astype(np.float32)
    scores[:, 7, 8] = np.nan
    names = ["Wald", "a\nb", "水", "<&>", "x" * 500]
    path = tmp_path / "scores.tif"
    write_scores_tif(path, scores, names=names, quantity="logit", grid=GRID)
    with rasterio.open(path) as raster:
        np.testing.assert_array_equal(raster.read(), scores)
        assert raster.descriptions == ("Wald", "a b", "水", "<&>", "x" * 500)
        assert np.isnan(raster.nodata)
        assert raster.tags()["QUANTITY"] == "logit"
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.overviews(1) == [2, 4]


def test_double_precision_is_stored_as_single(tmp_path):
    scores = np.random.default_rng(0).random((2, 30, 40))
    write_scores_tif(tmp_path / "s.tif", scores, names=["a", "b"], quantity="probability")
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        raster = rasterio.open(tmp_path / "s.tif")
    with raster:
        np.testing.assert_array_equal(raster.read(), scores.astype(np.float32))


def test_statistics_of_the_former_file_do_not_stay(tmp_path):
    path = tmp_path / "confidence.tif"
    write_confidence_tif(path, np.full((9, 9), 50, np.uint8))
    beside = tmp_path / "confidence.tif.aux.xml"
    beside.write_text("<PAMDataset/>")
    with pytest.raises(UsageError):
        write_confidence_tif(path, np.full((9, 9), 101, np.uint8))
    assert beside.exists()
    write_confidence_tif(path, np.full((9, 9), 60, np.uint8))
    assert [each.name for each in tmp_path.iterdir()] == ["confidence.tif"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((2, 2), 101, np.uint8), "holds 101"),
        (np.full((2, 2), 0.5), "float64"),
        (np.zeros((1, 2, 2), np.uint8), r"\(1, 2, 2\)"),
    ],
)
def test_what_is_no_confidence_is_refused(values, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        write_confidence_tif(tmp_path / "a.tif", values)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("shape", "names", "quantity", "message"),
    [
        ((2, 4, 4), ["a"], "logit", "2 classes, but 1 names"),
        ((4, 4), ["a"], "logit", r"\(4, 4\)"),
        ((1, 4, 4), ["a"], "percent", "'percent'"),
    ],
)
def test_what_are_no_scores_is_refused(shape, names, quantity, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        write_scores_tif(tmp_path / "a.tif", np.zeros(shape), names=names, quantity=quantity)
    assert not list(tmp_path.iterdir())
