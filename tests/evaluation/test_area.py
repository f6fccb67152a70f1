"""Adjusted areas against the paper's example and against simulated maps whose truth is known."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsi.errors import UsageError
from hsi.evaluation import adjusted_areas, confusion_matrix, count_ids, summarise_area

# Olofsson et al. (2014), table 8: rows are the map, columns the reference.
SAMPLE = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000])
HECTARES = 0.09  # of a Landsat pixel


def test_the_example_of_the_paper():
    found = adjusted_areas(SAMPLE.T, PIXELS * HECTARES)
    # Section 5.2.2: deforestation, forest gain, stable forest, stable non-forest.
    np.testing.assert_allclose(found.area, [21_158, 11_686, 285_770, 581_386], atol=0.5)
    np.testing.assert_allclose(found.high - found.area, [6_158, 3_756, 15_510, 16_282], atol=1)
    np.testing.assert_allclose(found.area - found.low, [6_158, 3_756, 15_510, 16_282], atol=1)
    assert found.covered == pytest.approx(900_000)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Tested pixels are drawn at random within each class of a map whose errors are known."""
    rng = np.random.default_rng(0)
    truth = rng.choice(4, size=60_000, p=[0.1, 0.2, 0.3, 0.4])
    wrong = rng.random(truth.size) < np.array([0.3, 0.25, 0.1, 0.2])[truth]
    mapped = np.where(wrong, rng.choice(4, size=truth.size), truth)
    true_area, strata = np.bincount(truth), [np.flatnonzero(mapped == k) for k in range(4)]
    areas, inside = [], []
    for _ in range(1500):
        # As many of a rare class as of a frequent one: counts alone would mislead.
        drawn = np.concatenate([rng.choice(stratum, 120, replace=False) for stratum in strata])
        cm = confusion_matrix(truth[drawn], mapped[drawn], classes=4)
        found = adjusted_areas(cm, np.bincount(mapped))
        areas.append(found.area)
        inside.append((found.low <= true_area) & (true_area <= found.high))
    error = np.std(areas, axis=0) / np.sqrt(len(areas))
    assert (np.abs(np.mean(areas, axis=0) - true_area) < 4 * error).all()
    assert (np.abs(np.bincount(mapped) - true_area) > 20 * error).any()  # counting is biased
    coverage = np.mean(inside, axis=0)
    assert ((coverage > 0.925) & (coverage < 0.975)).all(), coverage


@given(st.data())
def test_estimates_divide_what_is_covered(data):
    classes = data.draw(st.integers(2, 5))
    numbers = st.lists(st.integers(0, 40), min_size=classes, max_size=classes)
    cm = np.array(data.draw(st.lists(numbers, min_size=classes, max_size=classes)))
    mapped = np.array(data.draw(numbers))
    found = adjusted_areas(cm, mapped)
    lacking = (mapped > 0) & (cm.sum(axis=0) < 2)
    assert found.covered == mapped[~lacking].sum()
    if found.covered == 0:
        assert np.isnan(found.area).all()
        return
    assert (np.isnan(found.area) == lacking).all()
    assert np.nansum(found.area) <= found.covered * (1 + 1e-9)
    if not lacking.any():
        assert found.area.sum() == pytest.approx(found.covered)
    known = ~lacking
    assert (found.low[known] <= found.area[known] + 1e-9).all()
    assert (found.area[known] <= found.high[known] + 1e-9).all()
    assert (found.low[known] >= 0).all()
    assert (found.high[known] <= found.covered * (1 + 1e-9)).all()


def test_a_map_without_errors_is_what_it_says():
    found = adjusted_areas(np.diag([5, 9]), [30, 70])
    np.testing.assert_allclose([found.area, found.low, found.high], [[30, 70]] * 3)


def test_a_class_that_is_not_mapped_has_the_area_that_is_found_elsewhere():
    found = adjusted_areas([[8, 0], [2, 0]], [50, 0])
    np.testing.assert_allclose(found.area, [40, 10])
    assert found.low[1] < 10 < found.high[1]


def test_a_mapped_class_without_test_pixels_has_no_estimate_and_that_is_said():
    cm = [[8, 0, 0], [2, 10, 1], [0, 0, 0]]  # one pixel is mapped as the third
    figures = summarise_area(
        cm, {0: 900, 4: 50, 7: 40, 9: 10}, ids=[4, 7, 9], names=["Wheat", "Oats", "Rye"],
        pixel_m2=900.0,
    )  # fmt: skip
    assert json.loads(json.dumps(figures)) == figures
    wheat, oats, rye = figures["per_class"]
    assert rye == {
        "id": 9, "name": "Rye", "mapped": {"pixels": 10, "m2": 9000.0, "ha": 0.9},
        "test_pixels": 1, "estimate": None, "low": None, "high": None,
    }  # fmt: skip
    assert wheat["estimate"] == {"pixels": 40, "m2": 36_000.0, "ha": 3.6}
    assert oats["estimate"]["pixels"] == 50
    assert figures["mapped"]["pixels"] == 100
    assert figures["covered"] == {"pixels": 90, "m2": 81_000.0, "ha": 8.1}
    (note,) = figures["notes"]
    assert "Rye" in note
    assert "10 %" in note


def test_without_the_size_of_a_pixel_areas_are_pixels():
    figures = summarise_area([[3]], {1: 7}, ids=[1], names=["a"], pixel_m2=None)
    assert (figures["unit"], figures["pixel_m2"], figures["notes"]) == ("pixels", None, [])
    assert figures["per_class"][0]["estimate"] == {"pixels": 7}


def test_nothing_mapped_and_nothing_tested_is_no_error():
    figures = summarise_area(np.zeros((1, 1), int), {0: 9}, ids=[1], names=["a"], pixel_m2=None)
    assert figures["per_class"][0]["mapped"] == {"pixels": 0}
    assert figures["per_class"][0]["estimate"] is None
    assert figures["notes"] == []


@pytest.mark.parametrize(
    ("cm", "mapped"),
    [
        (np.ones((2, 2)), [1, 2, 3]),
        (np.ones((2, 3)), [1, 2]),
        (-np.ones((1, 1)), [1]),
        ([[1]], [-1]),
        ([[1]], [np.nan]),
    ],
)
def test_what_does_not_fit_is_refused(cm, mapped):
    with pytest.raises(UsageError):
        adjusted_areas(cm, mapped)


@given(st.lists(st.sampled_from([0, 1, 5, 2**20, 2**31 - 1]), min_size=1, max_size=60))
def test_ids_are_counted_whatever_their_size(ids):
    counts = count_ids(np.array([ids], dtype=np.int64))
    assert counts == {each: ids.count(each) for each in sorted(set(ids))}
