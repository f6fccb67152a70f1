import numpy as np
import pytest

from hsi.evaluation import ALL_LABELLED, grid_notes, sampling_notes
from hsi.evaluation.area_notes import plane_factor
from hsi.scenes.grid import Grid

UTM = Grid(crs="EPSG:32633", transform=(30, 0, 366975, 0, -30, 5807085))
FAIR = {"labelled_by_class": [50, 150], "tests": [40, 120]}


def test_a_random_sample_of_the_whole_map_needs_no_excuse():
    assert sampling_notes(method="random", labelled=200, mapped=200, **FAIR) == []


def test_ground_truth_of_a_part_is_named_with_its_share():
    (note,) = sampling_notes(method="random", labelled=200, mapped=1600, **FAIR)
    assert "12 % of it" in note
    assert "chosen by hand" in note


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("blocks", "in blocks"),
        ("folds", "in blocks"),
        ("official", "split 'official'"),
        ("file", "unless they were chosen one by one"),
    ],
)
def test_test_pixels_that_lie_together_are_named(method, said):
    (note,) = sampling_notes(method=method, labelled=200, mapped=200, **FAIR)
    assert said in note
    assert "too narrow" in note


def test_where_all_labelled_pixels_are_tested_no_split_is_named():
    notes = sampling_notes(
        method=ALL_LABELLED, labelled=50, mapped=50, labelled_by_class=[30, 20], tests=[30, 20]
    )
    assert notes == [
        "All labelled pixels are tested, and neighbours are alike: the intervals of the areas "
        "are too narrow."
    ]


def test_unequal_shares_of_test_pixels_are_named():
    (note,) = sampling_notes(
        method="random", labelled=9, mapped=9, labelled_by_class=[100, 0, 1000], tests=[50, 0, 950]
    )
    assert "50 to 95 %" in note


def test_projections_are_named_where_they_distort():
    assert grid_notes(UTM, 100, 100) == []
    (note,) = grid_notes(
        Grid(crs="EPSG:3857", transform=(30, 0, 1453000, 0, -30, 8399738 + 1500)), 100, 100
    )
    assert "EPSG:3857" in note
    assert "4.01 times" in note  # 60 degrees north; the sphere has not the equator's radius
    (note,) = grid_notes(Grid(crs="EPSG:4326", transform=(0.1, 0, 13, 0, -0.1, 52)), 9, 9)
    assert "degrees" in note
    for grid in (None, Grid(transform=UTM.transform)):
        (note,) = grid_notes(grid, 100, 100)
        assert "pixels" in note


@pytest.mark.parametrize("crs", ["EPSG:3035", "EPSG:6933", "EPSG:5070"])
def test_on_planes_of_equal_area_nothing_is_distorted(crs):
    from rasterio.warp import transform

    longitude = -96 if crs == "EPSG:5070" else 13
    for latitude in (30, 52):
        (east,), (north,) = transform("EPSG:4326", crs, [longitude], [latitude])
        grid = Grid(crs=crs, transform=(30, 0, east, 0, -30, north))
        # A sphere is not the ellipsoid.
        np.testing.assert_allclose(plane_factor(grid, 10, 10), 1, atol=0.01)
