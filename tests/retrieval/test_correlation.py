"""Canonical correlation against the singular values that define it."""

import numpy as np
import pytest

from hsi.retrieval.correlation import CanonicalCorrelation


def pairs(number=400, seed=0):
    """Two modalities that share two of their values, mixed and with noise."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(number, 2))
    first = np.hstack([shared, rng.normal(size=(number, 3))]) @ rng.normal(size=(5, 5)) + 7
    noisy = shared + 0.3 * rng.normal(size=(number, 2))
    second = np.hstack([noisy, rng.normal(size=(number, 2))]) @ rng.normal(size=(4, 4)) - 2
    return first.astype(np.float32), second.astype(np.float32)


def singular_values(first, second):
    bases = [np.linalg.qr(each - each.mean(axis=0))[0] for each in (first, second)]
    return np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)


def test_variates_have_the_canonical_correlations_and_unit_variance():
    first, second = pairs()
    fitted = CanonicalCorrelation(3).fit(first, second)
    one, other = fitted.embed("first", first), fitted.embed("second", second)
    found = [np.corrcoef(one[:, k], other[:, k])[0, 1] for k in range(3)]
    assert found == pytest.approx(singular_values(first, second)[:3].tolist(), abs=2e-3)
    np.testing.assert_allclose(one.std(axis=0), 1, rtol=1e-4)
    np.testing.assert_allclose(other.std(axis=0), 1, rtol=1e-4)


def test_other_pairs_are_brought_to_the_same_places():
    first, second = pairs()
    fitted = CanonicalCorrelation(2).fit(first[:300], second[:300])
    one, other = fitted.embed("first", first[300:]), fitted.embed("second", second[300:])
    assert np.corrcoef(one[:, 0], other[:, 0])[0, 1] > 0.9
    np.testing.assert_array_equal(fitted.embed("first", first)[300:], one)


@pytest.mark.parametrize(("number", "dimensions"), [(400, 4), (9, 3)])
def test_there_are_no_more_dimensions_than_values_or_a_third_of_the_pairs(number, dimensions):
    fitted = CanonicalCorrelation(10).fit(*(each[:number] for each in pairs()))
    assert fitted.dimensions_ == dimensions


def test_rows_without_spread_are_no_error():
    first, _ = pairs(30)
    fitted = CanonicalCorrelation(2).fit(first, np.ones((30, 2), np.float32))
    assert np.isfinite(fitted.embed("first", first)).all()
