"""Principal components from row blocks equal those of scikit-learn from the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from hsi.errors import UsageError
from hsi.sampling import BandPCA

ATTRIBUTES = ("mean_", "components_", "explained_variance_", "explained_variance_ratio_")


def smooth_cube(rows=23, cols=17, bands=12, seed=0, offset=0.0):
    """Return a cube of correlated bands, as spectra are, with well separated components."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(bands, bands)) * np.geomspace(1, 0.01, bands)[:, None]
    return rng.normal(size=(rows, cols, bands)) @ mixing + offset


class Recorder:
    """A cube that can only be sliced by rows, and notes how large the slices were."""

    def __init__(self, cube):
        self.cube, self.shape, self.dtype, self.largest = cube, cube.shape, cube.dtype, 0

    def __getitem__(self, rows):
        assert isinstance(rows, slice)
        self.largest = max(self.largest, rows.stop - rows.start)
        return self.cube[rows]

    def __array__(self, *_args, **_options):
        raise AssertionError("the whole cube was asked for")


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_agrees_with_scikit_learn(whiten, offset):
    cube = smooth_cube(offset=offset)
    pixels = cube.reshape(-1, 12)
    ours = BandPCA(5, whiten=whiten).fit(cube, max_bytes=5000)
    theirs = PCA(5, whiten=whiten, svd_solver="full").fit(pixels)
    sign = np.sign((ours.components_ * theirs.components_).sum(axis=1))
    np.testing.assert_allclose(ours.mean_, theirs.mean_, rtol=1e-12)
    np.testing.assert_allclose(ours.components_, theirs.components_ * sign[:, None], atol=1e-6)
    for name in ("explained_variance_", "explained_variance_ratio_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-6)
    np.testing.assert_allclose(
        ours.transform(cube).reshape(-1, 5), theirs.transform(pixels) * sign, rtol=1e-5, atol=1e-5
    )


@given(st.integers(1, 30_000), st.integers(0, 5))
def test_blocks_do_not_matter(max_bytes, seed):
    cube = smooth_cube(seed=seed, offset=100.0)
    mask = np.random.default_rng(seed).random(cube.shape[:2]) < 0.2
    whole = BandPCA(4).fit(cube[mask])
    blocks = BandPCA(4).fit(cube, mask=mask, max_bytes=max_bytes)
    for name in ATTRIBUTES:
        np.testing.assert_allclose(getattr(blocks, name), getattr(whole, name), rtol=1e-8)
    np.testing.assert_allclose(
        blocks.transform(cube, max_bytes=max_bytes), whole.transform(cube), atol=1e-4
    )


def test_bands_far_from_zero_lose_no_digits():
    # Variances of 1 around a mean of 1e8: sums of squares would lose all 16 digits.
    pixels = np.random.default_rng(0).normal(size=(500, 3)) + 1e8
    pca = BandPCA(3).fit(pixels, max_bytes=24 * 7)
    expected = np.linalg.eigvalsh(np.cov(pixels - 1e8, rowvar=False))[::-1]
    np.testing.assert_allclose(pca.explained_variance_, expected, rtol=1e-6)


def test_whitened_components_are_uncorrelated_with_unit_variance():
    cube = smooth_cube()
    reduced = BandPCA(6, whiten=True).fit(cube).transform(cube).reshape(-1, 6)
    np.testing.assert_allclose(np.cov(reduced, rowvar=False), np.eye(6), atol=1e-5)
    np.testing.assert_allclose(reduced.mean(axis=0), 0, atol=1e-5)


@given(st.integers(0, 1000))
def test_largest_loading_is_positive(seed):
    components = BandPCA(6).fit(smooth_cube(seed=seed)).components_
    largest = np.take_along_axis(components, np.abs(components).argmax(1)[:, None], 1)
    assert (largest > 0).all()
    np.testing.assert_allclose(components @ components.T, np.eye(6), atol=1e-12)


@pytest.mark.parametrize("dtype", [">u2", "<u2", ">i2", "uint8", ">f4", "float32", "int64"])
def test_types_and_byte_orders(dtype):
    whole = np.round((smooth_cube() + 10) * 8).clip(0, 255)
    expected = BandPCA(4).fit(whole).transform(whole)
    cube = whole.astype(dtype)
    before = cube.copy()
    reduced = BandPCA(4).fit(cube).transform(cube)
    assert reduced.dtype == np.float32
    assert reduced.shape == (23, 17, 4)
    np.testing.assert_allclose(reduced, expected, atol=1e-4)
    np.testing.assert_array_equal(cube, before)


def test_cube_is_read_in_row_blocks_only():
    cube = Recorder(smooth_cube(rows=40))
    row_bytes = 17 * 12 * 8
    pca = BandPCA(3).fit(cube, max_bytes=4 * row_bytes)
    pca.transform(cube, max_bytes=4 * row_bytes)
    assert cube.largest == 4


def test_memory_map(tmp_path):
    cube = smooth_cube().astype(">i2")
    np.save(tmp_path / "cube.npy", cube)
    mapped = np.load(tmp_path / "cube.npy", mmap_mode="r")
    np.testing.assert_array_equal(
        BandPCA(3).fit(mapped).transform(mapped), BandPCA(3).fit(cube).transform(cube)
    )


def test_pixels_outside_valid_are_the_mean_whatever_they_hold():
    cube = smooth_cube()
    valid = np.ones((23, 17), bool)
    valid[3, 4] = valid[22, :] = False
    expected = BandPCA(3).fit(cube[valid]).transform(cube)
    expected[~valid] = 0
    broken = cube.copy()
    broken[3, 4], broken[22, :, 5], broken[22, 0, 0] = np.nan, -1e38, np.inf
    pca = BandPCA(3).fit(broken, mask=valid)
    np.testing.assert_allclose(pca.transform(broken, valid=valid), expected, atol=1e-6)
    flat = pca.transform(broken.reshape(-1, 12), valid=valid.ravel())
    np.testing.assert_allclose(flat.reshape(expected.shape), expected, atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_non_finite_pixels_are_refused_with_advice(value):
    cube = smooth_cube()
    pca = BandPCA(3).fit(cube)
    cube[5, 5, 5] = value
    with pytest.raises(UsageError, match=r"not finite(.|\n)*mask="):
        BandPCA(3).fit(cube)
    with pytest.raises(UsageError, match=r"not finite(.|\n)*valid="):
        pca.transform(cube)


@pytest.mark.parametrize(("pixels", "largest"), [(100, 12), (8, 7), (1, 0)])
def test_too_many_components_name_the_largest_number(pixels, largest):
    data = smooth_cube().reshape(-1, 12)[:pixels]
    with pytest.raises(UsageError, match=rf"largest possible number is {largest}$"):
        BandPCA(13).fit(data)
    if largest:
        BandPCA(largest).fit(data)


def test_whitening_does_not_blow_up_rounding():
    # Twelve bands of rank 4: the other components have no variance but for rounding.
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 12)) + 50
    with pytest.raises(UsageError, match="at most 4 components"):
        BandPCA(5, whiten=True).fit(pixels)
    assert np.abs(BandPCA(4, whiten=True).fit(pixels).transform(pixels)).max() < 6
    without = BandPCA(5).fit(pixels)
    assert np.abs(without.transform(pixels)[:, 4]).max() < 1e-5


def test_constant_pixels_are_refused():
    with pytest.raises(UsageError, match="all equal"):
        BandPCA(2).fit(np.full((50, 4), 3))


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (lambda pca, cube: pca.transform(cube[:, :, :7]), "7 bands.*12 bands"),
        (lambda pca, cube: pca.transform(cube, valid=np.ones((2, 2), bool)), r"\(23, 17\)"),
        (lambda pca, cube: pca.fit(cube, mask=np.ones((23, 17))), "boolean"),
        (lambda pca, cube: pca.fit(cube[0, 0]), r"\(12,\)"),
        (lambda pca, cube: pca.fit(cube + 1j), "complex"),
        (lambda pca, cube: BandPCA(3).transform(cube), "call fit first"),
        (lambda pca, cube: BandPCA(0), "at least 1"),
        (lambda pca, cube: BandPCA(2.5), "whole number"),
    ],
)
def test_mistakes_are_told(mistake, said):
    cube = smooth_cube()
    with pytest.raises(UsageError, match=said):
        mistake(BandPCA(3).fit(cube), cube)


@pytest.mark.parametrize("whiten", [False, True])
def test_arrays_round_trip(whiten, tmp_path):
    cube = smooth_cube()
    pca = BandPCA(3, whiten=whiten).fit(cube)
    np.savez(tmp_path / "pca.npz", **pca.to_arrays())
    with np.load(tmp_path / "pca.npz") as arrays:
        loaded = BandPCA.from_arrays(arrays)
    assert (loaded.components, loaded.whiten) == (3, whiten)
    np.testing.assert_array_equal(loaded.transform(cube), pca.transform(cube))


@pytest.mark.parametrize("factor", [1e160, 1e200, 1e308])
def test_values_too_large_for_a_variance(factor):
    cube = np.random.default_rng(0).uniform(size=(6, 7, 4)) * factor
    with pytest.raises(UsageError, match=r"variance is not finite\n.*--nodata"):
        BandPCA(2).fit(cube)
