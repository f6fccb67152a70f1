"""What a denoiser is compared with: truncated principal components, and non-local means."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsi.denoising.measures import check_scikit_image

# Patches, search distance and strength of scikit-image's example for noise that is known.
_PATCH, _DISTANCE, _STRENGTH = 5, 6, 0.8
# More components hold nothing but noise in the scenes of the literature.
MOST_COMPONENTS = 40


def truncated(cube: NDArray[np.float64], *, components: int) -> NDArray[np.float64]:
    """Return `cube`, ``(rows, cols, bands)``, of its first principal components alone."""
    spectra = cube.reshape(-1, cube.shape[2])
    mean = spectra.mean(axis=0)
    centred = spectra - mean
    _, basis = np.linalg.eigh(centred.T @ centred)
    kept = basis[:, -components:]
    return (centred @ kept @ kept.T + mean).reshape(cube.shape)


def best_truncated(
    cube: NDArray[np.float64], clean: NDArray[np.float64]
) -> tuple[NDArray[np.float64], int]:
    """Return `cube` of as many components as bring it nearest to `clean`, and their number.

    Nobody who has only the noisy scene knows this number: it is the most that truncation can do.
    Nearest is by the mean PSNR of the bands.
    """
    spectra = cube.reshape(-1, cube.shape[2])
    wanted = clean.reshape(spectra.shape)
    mean = spectra.mean(axis=0)
    centred = spectra - mean
    _, basis = np.linalg.eigh(centred.T @ centred)
    found = np.broadcast_to(mean, spectra.shape).copy()
    best, number, ratio = found.copy(), 0, -np.inf
    for count in range(1, min(MOST_COMPONENTS, cube.shape[2]) + 1):
        axis = basis[:, -count]
        found += np.outer(centred @ axis, axis)
        now = float(-np.log10(((found - wanted) ** 2).mean(axis=0)).mean())
        if now > ratio:
            best, number, ratio = found.copy(), count, now
    return best.reshape(cube.shape), number


def non_local_means(cube: NDArray[np.float64], *, sigma: float) -> NDArray[np.float64]:
    """Return `cube` with each band denoised by scikit-image's non-local means.

    Parameters
    ----------
    cube : ndarray of float64
        ``(rows, cols, bands)``.
    sigma : float
        The standard deviation of the noise that was added, in the units of `cube`.

    Raises
    ------
    UsageError
        If scikit-image is not installed.
    """
    check_scikit_image()
    from skimage.restoration import denoise_nl_means

    return np.stack(
        [
            denoise_nl_means(
                np.ascontiguousarray(cube[..., band]),
                patch_size=_PATCH,
                patch_distance=_DISTANCE,
                h=_STRENGTH * sigma,
                sigma=sigma,
                fast_mode=True,
            )
            for band in range(cube.shape[2])
        ],
        axis=2,
    )
