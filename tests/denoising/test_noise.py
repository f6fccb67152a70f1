"""Noise is what it is called: its strength, where it lies, and how it is asked for."""

import numpy as np
import pytest

from hsi.denoising import add_noise, parse_sigma
from hsi.errors import UsageError


def noise_of(kind, *, sigma=25.5, seed=0, shape=(60, 80, 40)):
    clean = np.full(shape, 0.5)
    noisy = add_noise(clean, kind=kind, sigma=sigma, generator=np.random.default_rng(seed))
    assert (clean == 0.5).all()  # arguments stay as they are
    return noisy - clean


def test_gaussian_noise_has_its_strength_in_every_band():
    noise = noise_of("gaussian")
    assert noise.std(axis=(0, 1)) == pytest.approx(0.1, rel=0.06)
    assert abs(noise.mean()) < 1e-3


def test_noise_per_band_differs_from_band_to_band():
    strengths = noise_of("per-band", shape=(60, 80, 400)).std(axis=(0, 1))
    assert strengths.min() < 0.02
    assert 0.18 < strengths.max() < 0.21
    assert strengths.mean() == pytest.approx(0.1, rel=0.1)


def test_stripes_run_along_columns_of_some_bands():
    means = noise_of("stripes").mean(axis=0)
    plain = noise_of("gaussian").mean(axis=0)
    striped = np.abs(means) > 5 * plain.std()
    hit = striped.any(axis=0)
    assert 0.15 < hit.mean() < 0.5
    assert 0.05 < striped[:, hit].mean() < 0.25
    # Without its column's offset, a striped band has the noise of the others.
    rest = (noise_of("stripes") - means)[..., hit]
    assert rest.std() == pytest.approx(0.1, rel=0.03)


def test_dead_lines_are_whole_columns_at_the_lower_end():
    values = noise_of("dead-lines") + 0.5
    dead = (values == 0).all(axis=0)
    assert ((values == 0).any(axis=0) == dead).all()
    assert 0.15 < dead.any(axis=0).mean() < 0.5
    assert 0.01 < dead[:, dead.any(axis=0)].mean() < 0.06


@pytest.mark.parametrize("kind", ["gaussian", "per-band", "stripes", "dead-lines"])
def test_noise_comes_from_the_generator_alone(kind):
    first, again, other = (noise_of(kind, seed=seed, shape=(9, 8, 7)) for seed in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


def test_an_unknown_kind_has_a_suggestion():
    with pytest.raises(UsageError, match="did you mean 'stripes'"):
        noise_of("stripe")


@pytest.mark.parametrize(
    ("text", "levels"),
    [("0-55", (0, 55)), (" 15 - 50 ", (15, 50)), ("25", (25, 25)), (2.5, (2.5, 2.5))],
)
def test_levels_that_can_be_meant(text, levels):
    assert parse_sigma(text) == levels


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0-", "a range such as 0-55"), ("-5", "a range such as 0-55"), ("low", "'low'"),
        ("", "''"), ("1e3", "'1e3'"), ("55-0", "goes up"), ("0-256", "within 0 to 255"),
        ("0", "no noise"), ("nan", "'nan'"), ("5-10-15", "'5-10-15'"),
    ],
)  # fmt: skip
def test_levels_that_cannot_be_meant(text, said):
    with pytest.raises(UsageError, match=said):
        parse_sigma(text)
