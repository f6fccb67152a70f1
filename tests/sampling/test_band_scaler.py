import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.preprocessing import StandardScaler

from hsi.errors import UsageError
from hsi.sampling import BandPCA, BandScaler, read_reduction


@given(
    hnp.arrays(np.float64, (12, 9, 4), elements=st.floats(-1e6, 1e6, width=32)),
    st.integers(1, 5),
)
@settings(max_examples=60, deadline=None)
def test_it_is_scikit_learns_scaler_but_for_the_degrees_of_freedom(cube, rows):
    pixels = cube.reshape(-1, 4)
    reference = StandardScaler().fit(pixels)
    scaler = BandScaler().fit(cube, max_bytes=rows * 9 * 4 * 8)
    np.testing.assert_allclose(scaler.mean_, reference.mean_, rtol=1e-9, atol=1e-6)
    varies = reference.var_ > 1e-6 * (1 + reference.mean_**2)
    np.testing.assert_allclose(
        scaler.explained_variance_[varies], reference.var_[varies] * 108 / 107, rtol=1e-6
    )


def test_bands_far_from_zero_lose_no_digits():
    cube = np.random.default_rng(0).normal(1e9, 1e-2, size=(40, 50, 3))
    scaler = BandScaler().fit(cube, max_bytes=3000)
    np.testing.assert_allclose(
        scaler.explained_variance_, cube.reshape(-1, 3).var(axis=0, ddof=1), rtol=1e-5
    )


def test_a_constant_band_is_left_at_zero():
    cube = np.random.default_rng(0).normal(size=(10, 10, 3))
    cube[..., 1] = 0.1
    scaled = BandScaler().fit(cube).transform(cube)
    assert np.abs(scaled[..., 1]).max() < 1e-12
    np.testing.assert_allclose(scaled[..., 0].std(ddof=1), 1, rtol=1e-5)


def test_masks_choose_the_pixels_and_what_lacks_data_is_zero():
    cube = np.random.default_rng(0).normal(5, 2, size=(10, 12, 3))
    valid = np.ones((10, 12), dtype=bool)
    valid[2, 3] = False
    cube[2, 3] = np.nan
    mask = np.zeros_like(valid)
    mask[:4] = valid[:4]
    scaler = BandScaler().fit(cube, mask=mask)
    np.testing.assert_allclose(scaler.mean_, cube[mask].mean(axis=0), rtol=1e-12)
    scaled = scaler.transform(cube, valid=valid)
    assert (scaled[2, 3] == 0).all()
    expected = (cube[valid] - cube[mask].mean(0)) / cube[mask].std(0, ddof=1)
    np.testing.assert_allclose(scaled[valid], expected, rtol=1e-5)
    assert scaled.dtype == np.float32


@pytest.mark.parametrize("kind", [BandScaler, lambda: BandPCA(2, whiten=True)])
def test_what_is_stored_is_read_as_what_it_was(kind):
    cube = np.random.default_rng(0).normal(5, 2, size=(10, 12, 3))
    fitted = kind().fit(cube)
    again = read_reduction(fitted.to_arrays())
    assert type(again) is type(fitted)
    np.testing.assert_array_equal(again.transform(cube), fitted.transform(cube))
    assert again.fits(3, fitted.components)
    assert not again.fits(4, fitted.components)
    assert not again.fits(3, fitted.components + 1)


def test_mistakes_are_told():
    cube = np.random.default_rng(0).normal(size=(10, 12, 3))
    with pytest.raises(UsageError, match="call fit first"):
        BandScaler().transform(cube)
    with pytest.raises(UsageError, match="4 bands, but what was fitted is for 3"):
        BandScaler().fit(cube).transform(np.zeros((2, 2, 4)))
    with pytest.raises(UsageError, match="1 pixels are too few"):
        BandScaler().fit(cube[:1, :1])
    with pytest.raises(UsageError, match="not finite"):
        BandScaler().fit(np.where(cube > 2, np.nan, cube))
    with pytest.raises(UsageError, match="so large that their variance is not finite"):
        BandScaler().fit(cube * 1e200)
