"""Components that are scaled jointly: their proportions stay, whatever the units of the image."""

import numpy as np
import pytest

from hsi.sampling import BandPCA, make_reduction, read_reduction


def cube(factor=1.0):
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(9, 9)) * np.geomspace(1, 0.01, 9)[:, None]
    return factor * (rng.normal(size=(23, 17, 9)) @ mixing + 4)


def test_variances_keep_their_proportions_and_are_1_on_average():
    raw = BandPCA(5).fit(cube()).transform(cube()).reshape(-1, 5)
    joint = BandPCA(5, joint=True).fit(cube()).transform(cube()).reshape(-1, 5)
    variances = joint.var(axis=0, ddof=1)
    assert variances.mean() == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(variances / variances[0], raw.var(axis=0) / raw[:, 0].var(), 1e-4)
    # One number divides all: distances between spectra keep their order.
    ratio = raw / joint
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-3)


@pytest.mark.parametrize("factor", [1e-4, 1.0, 1e4])
def test_the_units_of_the_image_do_not_matter(factor):
    """Reflectance in fractions or in ten thousandths gives a network the same values."""
    expected = BandPCA(5, joint=True).fit(cube()).transform(cube())
    scaled = cube(factor)
    found = BandPCA(5, joint=True).fit(scaled).transform(scaled)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_whitened_components_are_so_with_and_without():
    one = BandPCA(5, whiten=True).fit(cube()).transform(cube())
    other = BandPCA(5, whiten=True, joint=True).fit(cube()).transform(cube())
    np.testing.assert_array_equal(one, other)


def test_a_component_without_variance_is_no_harm():
    """Joint scaling blows nothing up: the rank need not be as large as for whitening."""
    flat = cube()
    flat[..., 5:] = flat[..., :1]
    found = BandPCA(9, joint=True).fit(flat).transform(flat)
    assert np.isfinite(found).all()
    assert np.abs(found[..., 6:]).max() < 1e-4


def test_networks_are_given_components_that_are_scaled_one_way_or_the_other():
    for whiten in (True, False):
        values = make_reduction("pca", components=5, whiten=whiten).fit(cube()).transform(cube())
        variances = values.reshape(-1, 5).var(axis=0, ddof=1)
        assert variances.mean() == pytest.approx(1, rel=1e-4)
        assert (variances.max() > 1.5) is not whiten


def test_it_is_stored_and_files_that_know_nothing_of_it_are_read_as_before():
    fitted = BandPCA(5, joint=True).fit(cube())
    arrays = fitted.to_arrays()
    np.testing.assert_array_equal(
        read_reduction(arrays).transform(cube()), fitted.transform(cube())
    )
    older = {name: value for name, value in arrays.items() if name != "joint"}
    raw = BandPCA(5).fit(cube()).transform(cube())
    np.testing.assert_array_equal(read_reduction(older).transform(cube()), raw)
