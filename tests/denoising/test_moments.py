"""Moments are NumPy's, whatever the blocks; noise that was added is found again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsi.denoising import Gathered
from hsi.errors import SceneError


def moments_of(values, *, cuts=()):
    gathered = Gathered()
    for part in np.split(values, cuts):
        gathered.add(part)
    return gathered.moments(name="a scene")


@given(st.lists(st.integers(0, 60), max_size=4).map(sorted), st.integers(0, 9))
def test_moments_do_not_depend_on_the_blocks(cuts, seed):
    values = np.random.default_rng(seed).normal(5000, [1, 2, 30], (60, 3))
    found = moments_of(values, cuts=cuts)
    assert found.count == 60
    np.testing.assert_allclose(found.mean, values.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(found.covariance, np.cov(values.T, bias=True), rtol=1e-9, atol=1e-9)


def mixture(*, bands=30, pixels=4000, seed=0):
    """Return spectra of three materials, in which bands depend on each other."""
    generator = np.random.default_rng(seed)
    spectra = generator.uniform(0, 1000, (3, bands))
    return generator.dirichlet(np.ones(3), pixels) @ spectra


def test_noise_is_found_in_each_band():
    generator = np.random.default_rng(1)
    strengths = np.linspace(10, 40, 30)
    noisy = mixture() + strengths * generator.standard_normal((4000, 30))
    found = moments_of(noisy).noise() / strengths
    # What the noise of the others hides of a band is taken for noise, too.
    assert found.min() > 0.95
    assert found.max() < 1.2


def test_a_band_is_told_from_the_others():
    values = mixture()
    weights = moments_of(values).regression(np.array([4, 7]), np.array([0, 1, 2, 3]))
    told = (values[:, :4] - values[:, :4].mean(axis=0)) @ weights + values[:, [4, 7]].mean(axis=0)
    np.testing.assert_allclose(told, values[:, [4, 7]], atol=0.1)


def test_two_bands_that_are_the_same_do_no_harm():
    values = mixture()
    values[:, 1] = values[:, 0]
    assert np.isfinite(moments_of(values).noise()).all()
    assert (moments_of(values).noise() > 0).all()


def test_without_pixels_there_are_no_moments():
    with pytest.raises(SceneError, match="a scene has fewer than two pixels with data"):
        moments_of(np.ones((1, 3)))
