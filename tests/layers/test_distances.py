"""Distances by matrix products are the distances."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hsi.layers.distances import in_chunks, squared_distances


@given(
    sizes=st.tuples(st.integers(0, 9), st.integers(1, 9), st.integers(1, 12)),
    offset=st.sampled_from([0.0, -3.0, 1e6]),
    seed=st.integers(0, 2**32 - 1),
)
def test_squared_distances_are_sums_of_squared_differences(sizes, offset, seed):
    n, m, bands = sizes
    rng = np.random.default_rng(seed)
    one, other = (offset + rng.standard_normal((count, bands)) for count in (n, m))
    expected = ((one[:, np.newaxis] - other) ** 2).sum(axis=2)
    got = squared_distances(torch.from_numpy(one), torch.from_numpy(other)).numpy()
    assert got.shape == (n, m)
    np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-8)


def test_none_is_below_0():
    spectra = torch.randn(40, 200)
    distances = squared_distances(spectra, spectra)
    assert (distances >= 0).all()
    assert distances.diagonal().max() < 1e-2


@pytest.mark.parametrize("values", [1, 7, 10**9])
@pytest.mark.parametrize("number", [0, 1, 50])
def test_chunks_together_are_the_whole(values, number, monkeypatch):
    monkeypatch.setattr("hsi.layers.distances.HELD_VALUES", 20)
    spectra = torch.randn(number, 3)
    got = in_chunks(lambda some: some.sum(dim=1), spectra, values=values)
    assert torch.equal(got, spectra.sum(dim=1))
