"""PSNR, SSIM and spectral angle against scikit-image, Spectral Python and what they are by hand."""

import numpy as np
import pytest

from hsi.denoising import quality
from hsi.denoising.baselines import best_truncated, non_local_means, truncated
from hsi.denoising.measures import spectral_angles
from hsi.errors import UsageError


@pytest.fixture(scope="module")
def cubes():
    generator = np.random.default_rng(0)
    rows, cols = np.mgrid[:24, :30] / 10
    clean = np.stack([np.sin(rows * k) + np.cos(cols + k) + 3 for k in range(1, 13)], axis=2)
    return clean, clean + generator.normal(0, 0.3, clean.shape)


def test_quality_is_that_of_other_packages(cubes):
    skimage = pytest.importorskip("skimage.metrics")
    spectral = pytest.importorskip("spectral")
    clean, noisy = cubes
    low, high = clean.min(axis=(0, 1)), clean.max(axis=(0, 1))
    found = quality(noisy, clean, low=low, high=high)
    span = high - low
    ratios = [
        skimage.peak_signal_noise_ratio(clean[..., b], noisy[..., b], data_range=span[b])
        for b in range(12)
    ]
    assert found.psnr == pytest.approx(np.mean(ratios))
    similar = [
        skimage.structural_similarity(
            clean[..., b], noisy[..., b], data_range=span[b], gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False,
        )
        for b in range(12)
    ]  # fmt: skip
    # Theirs leaves out a border of half a window.
    assert found.ssim == pytest.approx(np.mean(similar), abs=0.02)
    angles = [
        spectral.spectral_angles(noisy[r, c][None, None], clean[r, c][None])[0, 0, 0]
        for r, c in ((0, 0), (5, 9), (23, 29))
    ]
    ours = spectral_angles(noisy[[0, 5, 23], [0, 9, 29]], clean[[0, 5, 23], [0, 9, 29]])
    assert ours == pytest.approx(angles, rel=1e-6)


def test_pixels_that_are_not_valid_do_not_count(cubes):
    clean, noisy = cubes
    valid = np.ones(clean.shape[:2], dtype=bool)
    valid[:3] = False
    ends = {"low": clean.min(axis=(0, 1)), "high": clean.max(axis=(0, 1)), "valid": valid}
    spoilt = np.where(valid[..., None], noisy, 1e6)
    assert quality(spoilt, clean, **ends) == pytest.approx(quality(noisy, clean, **ends))


def test_angles_of_zeros():
    zero, one = np.zeros((1, 3)), np.ones((1, 3))
    assert spectral_angles(zero, zero) == 0
    assert spectral_angles(zero, one) == pytest.approx(np.pi / 2)
    assert spectral_angles(5 * one, one) == pytest.approx(0, abs=1e-7)


def test_a_scene_smaller_than_the_window():
    small = np.zeros((5, 20, 2))
    with pytest.raises(UsageError, match="5 x 20 pixels is smaller"):
        quality(small, small, low=np.zeros(2), high=np.ones(2))


def test_truncation_is_the_singular_value_decomposition_and_its_best_is_the_best(cubes):
    clean, noisy = cubes
    mean = noisy.reshape(-1, 12).mean(axis=0)
    left, strengths, right = np.linalg.svd(noisy.reshape(-1, 12) - mean, full_matrices=False)
    by_hand = (left[:, :4] * strengths[:4]) @ right[:4] + mean
    np.testing.assert_allclose(truncated(noisy, components=4).reshape(-1, 12), by_hand)
    found, number = best_truncated(noisy, clean)

    def ratio(cube):
        return -np.log10(((cube - clean) ** 2).mean(axis=(0, 1))).mean()

    ratios = [ratio(truncated(noisy, components=count)) for count in range(1, 13)]
    assert number == 1 + int(np.argmax(ratios))
    assert ratio(found) == pytest.approx(max(ratios))


def test_non_local_means_take_noise_away(cubes):
    pytest.importorskip("skimage")
    clean, noisy = cubes
    found = non_local_means(noisy, sigma=0.3)
    assert ((found - clean) ** 2).mean() < 0.4 * ((noisy - clean) ** 2).mean()
