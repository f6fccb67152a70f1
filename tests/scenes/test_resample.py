"""Spectra brought to other bands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from spectral import BandResampler

from hsi.scenes.resample import (
    DEVIATIONS_IN_FWHM,
    LEAST_SHARE,
    ResampledCube,
    out_of_reach,
    resampling_weights,
)

centres = st.lists(st.integers(400, 2500), min_size=2, max_size=30, unique=True).map(
    lambda each: np.array(each, dtype=float)
)


@given(centres, st.lists(st.floats(300, 2600), min_size=1, max_size=20))
def test_without_widths_it_is_linear_interpolation(own, wanted):
    spectrum = np.random.default_rng(0).random(len(own))
    order = np.argsort(own)
    weights = resampling_weights(own, np.array(wanted))
    expected = np.interp(wanted, own[order], spectrum[order])
    np.testing.assert_allclose(spectrum @ weights, expected, atol=2 * LEAST_SHARE)


@given(centres, st.floats(400, 2500), st.floats(1, 200))
def test_with_widths_it_is_the_integral_under_the_response_function(own, wanted, fwhm):
    spectrum = np.random.default_rng(0).random(len(own))
    order = np.argsort(own)
    weights = resampling_weights(own, np.array([wanted]), np.array([fwhm]))
    sigma = fwhm / 2.3548200450309493
    assert sigma == pytest.approx(fwhm / DEVIATIONS_IN_FWHM)
    at = np.linspace(wanted - 9 * sigma, wanted + 9 * sigma, 20_001)
    response = norm(wanted, sigma).pdf(at)
    expected = np.trapezoid(response * np.interp(at, own[order], spectrum[order]), at)
    assert (spectrum @ weights).item() == pytest.approx(expected, abs=1e-4)
    assert weights.sum() == pytest.approx(1)
    assert weights.min() >= 0


def test_it_agrees_with_another_resampler_on_a_smooth_spectrum():
    own = np.arange(400.0, 1000, 5)
    wanted = np.arange(420.0, 980, 13)
    fwhm = np.full(wanted.shape, 15.0)
    spectrum = 0.3 + 0.2 * np.tanh((own - 710) / 40)
    theirs = BandResampler(own, wanted, np.full(own.shape, 5.0), fwhm)(spectrum)
    ours = spectrum @ resampling_weights(own, wanted, fwhm)
    # Theirs cuts the response off at its half maximum.
    np.testing.assert_allclose(ours, theirs, atol=0.003)
    centre = spectrum @ resampling_weights(own, wanted)
    assert np.abs(ours - theirs).max() < np.abs(theirs - centre).max() * 3


def test_narrow_responses_read_the_spectrum_at_their_centre():
    own, wanted = np.array([400.0, 500, 600]), np.array([400.0, 430, 555])
    exact = resampling_weights(own, wanted)
    np.testing.assert_allclose(resampling_weights(own, wanted, np.full(3, 1e-3)), exact, atol=1e-4)
    np.testing.assert_allclose(resampling_weights(own, wanted, np.array([0, np.nan, 0])), exact)


def test_bands_of_two_detectors_with_the_same_centre_share_alike():
    weights = resampling_weights(np.array([900.0, 910, 900]), np.array([900.0, 905]))
    np.testing.assert_allclose(weights, [[0.5, 0.25], [0, 0.5], [0.5, 0.25]])


@given(st.permutations(range(6)))
def test_the_order_of_bands_does_not_matter(order):
    own, fwhm = np.array([400.0, 420, 431, 500, 512, 530]), np.array([30.0, 5])
    weights = resampling_weights(own, np.array([425.0, 505]), fwhm)
    shuffled = resampling_weights(own[list(order)], np.array([425.0, 505]), fwhm)
    np.testing.assert_allclose(shuffled, weights[list(order)])


def test_centres_out_of_reach():
    own = np.array([1000.0, 900, 910, 990, 980, 970, 500, 510, 520])
    wanted = np.array([494.0, 495, 525, 530, 531, 700, 889, 891, 940, 975, 1005, 1006])
    expected = [True, False, False, False, True, True, True, False, True, False, False, True]
    assert out_of_reach(own, wanted).tolist() == expected
    assert out_of_reach(own, np.array([494.0, 940]), np.full(9, 40.0)).tolist() == [False, False]
    assert out_of_reach(np.array([500.0]), np.array([500.0, 501])).tolist() == [False, True]


@pytest.mark.parametrize("nodata", [None, -1])
def test_a_cube_is_resampled_where_it_is_read(nodata):
    rng = np.random.default_rng(0)
    cube = rng.integers(0, 1000, (5, 4, 3)).astype(np.int16)
    weights = resampling_weights(np.array([400.0, 500, 600]), np.array([400.0, 450, 580, 600]))
    expected = cube.astype(np.float64) @ weights
    if nodata is not None:
        cube[1, 2, 0] = nodata
        expected[1, 2, :2] = np.nan  # bands that need the missing one
    resampled = ResampledCube(cube, weights, nodata=nodata)
    np.testing.assert_allclose(resampled[:], expected, rtol=1e-6)
    np.testing.assert_allclose(resampled[1, :, 2:], expected[1, :, 2:], rtol=1e-6)
    np.testing.assert_allclose(resampled[:, :, 1], expected[:, :, 1], rtol=1e-6)
    assert resampled.dtype == np.float32
