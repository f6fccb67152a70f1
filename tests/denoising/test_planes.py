"""Bands and components: the way there and back, and noise that is even in components."""

import numpy as np
import pytest

from hsi.denoising import Gathered, Planes, Ranges


@pytest.fixture(scope="module")
def noisy():
    """Return spectra of four materials with noise of another strength in each band, and it."""
    generator = np.random.default_rng(0)
    clean = generator.dirichlet(np.ones(4), 6000) @ generator.uniform(0, 1000, (4, 40))
    noise = np.linspace(1, 30, 40) * generator.standard_normal(clean.shape)
    return clean + noise, noise


def planes_of(values, on):
    gathered = Gathered()
    gathered.add(values)
    return Planes.of(gathered.moments(name="a scene"), on=on)


def test_components_hold_the_signal_and_even_noise(noisy):
    values, noise = noisy
    planes = planes_of(values, "components")
    assert len(planes) == 3  # four materials whose shares add up to one
    images = planes.differences(noise)
    assert (images.std(axis=0) > 0.75).all()
    assert (images.std(axis=0) < 1.05).all()
    # The signal is kept, and of the noise only the part within the components.
    back = planes.bands(planes.images(values))
    assert ((back - (values - noise)) ** 2).sum() < 0.12 * (noise**2).sum()


def test_bands_go_there_and_back(noisy):
    values, noise = noisy
    planes = planes_of(values, "bands")
    images = planes.images(values)
    assert images.std(axis=0) == pytest.approx(1 / 6)
    np.testing.assert_allclose(planes.bands(images), values, rtol=1e-12)
    np.testing.assert_allclose(
        planes.images(values) - planes.differences(noise), planes.images(values - noise), atol=1e-12
    )


def test_noise_alone_leaves_one_component():
    values = np.random.default_rng(3).standard_normal((5000, 20))
    assert len(planes_of(values, "components")) <= 2


def test_ranges_leave_out_a_thousandth_at_either_end():
    values = np.stack([np.arange(10_001.0), np.full(10_001, 7.0)], axis=1)
    values[0, 0] = -1e9
    ranges = Ranges.of(values)
    assert ranges.low.tolist() == [10, 7]
    assert ranges.high == pytest.approx([9990, 8])
    assert ranges.shares(np.array([5000.0, 7.0])) == pytest.approx([0.5, 0], abs=1e-9)
    assert ranges.values(ranges.shares(values)) == pytest.approx(values)
