"""How near a denoised scene is to the one without noise: PSNR, SSIM and spectral angle."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError

INSTALL = 'python -m pip install -c constraints.txt -e ".[denoise]"'
# Of Wang, Bovik, Sheikh and Simoncelli (2004), "Image quality assessment", IEEE Transactions on
# Image Processing 13 (4): the window is a Gaussian, cut off at 11 x 11 pixels.
_WINDOW = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
_SMALLEST = 11


class Quality(NamedTuple):
    """How near one cube is to another."""

    psnr: float
    """Mean over the bands of the peak signal-to-noise ratio in decibels."""
    ssim: float
    """Mean over the bands of the structural similarity, at most 1."""
    angle: float
    """Mean over the pixels of the angle between their spectra, in degrees."""


def quality(
    cube: NDArray[np.float64],
    clean: NDArray[np.float64],
    *,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    valid: NDArray[np.bool_] | None = None,
) -> Quality:
    """Return how near `cube` is to `clean`.

    Parameters
    ----------
    cube, clean : ndarray of float64
        ``(rows, cols, bands)`` in the scene's values.
    low, high : ndarray of float64
        ``(bands,)`` ends of each band's range, which is the peak of PSNR and SSIM.
    valid : ndarray of bool, optional
        ``(rows, cols)``: the pixels to compare. Default: all.

    Raises
    ------
    UsageError
        If scikit-image is not installed, or the scene is smaller than the window of SSIM.
    """
    ours, theirs = ((each - low) / (high - low) for each in (cube, clean))
    valid = np.ones(cube.shape[:2], dtype=np.bool_) if valid is None else valid
    return Quality(
        psnr=float(psnr(ours[valid], theirs[valid]).mean()),
        ssim=_ssim(ours, theirs, valid),
        angle=float(np.degrees(spectral_angles(cube[valid], clean[valid])).mean()),
    )


def psnr(values: NDArray[np.float64], clean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(bands,)`` ratios in decibels of a range of 1 to the error of ``(pixels, bands)``.

    Infinite where there is no error.

    Examples
    --------
    >>> import numpy as np
    >>> psnr(np.full((9, 1), 0.1), np.zeros((9, 1))).round(6)
    array([20.])
    """
    with np.errstate(divide="ignore"):
        found: NDArray[np.float64] = -10 * np.log10(((values - clean) ** 2).mean(axis=0))
    return found


def spectral_angles(
    spectra: NDArray[np.float64], clean: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return ``(pixels,)`` angles in radians between spectra ``(pixels, bands)``.

    Kruse et al. (1993), "The Spectral Image Processing System (SIPS)", Remote Sensing of
    Environment 44. The angle with a spectrum of zeros is a right one, that of two such 0.

    Examples
    --------
    >>> import numpy as np
    >>> np.degrees(spectral_angles(np.array([[2.0, 2.0]]), np.array([[3.0, 0.0]]))).round(6)
    array([45.])
    """
    lengths = np.linalg.norm(spectra, axis=1), np.linalg.norm(clean, axis=1)
    product = lengths[0] * lengths[1]
    cosine = np.einsum("pb,pb->p", spectra, clean) / np.where(product > 0, product, 1.0)
    both_zero = (lengths[0] == 0) & (lengths[1] == 0)
    return np.where(both_zero, 0.0, np.arccos(cosine.clip(-1, 1)))


def check_scikit_image() -> None:
    """Raise UsageError unless scikit-image is installed."""
    try:
        import skimage  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "a test needs scikit-image, which is not installed\n"
            f"In the clone of the repository: {INSTALL}"
        ) from error


def _ssim(cube: NDArray[np.float64], clean: NDArray[np.float64], valid: NDArray[np.bool_]) -> float:
    """Return the mean over bands and valid pixels; both are zero where they are not valid."""
    check_scikit_image()
    from skimage.metrics import structural_similarity

    if min(cube.shape[:2]) < _SMALLEST:
        raise UsageError(
            f"a scene of {cube.shape[0]} x {cube.shape[1]} pixels is smaller than the window of "
            f"the structural similarity, {_SMALLEST} x {_SMALLEST}"
        )
    means = []
    for band in range(cube.shape[2]):
        one, two = (np.where(valid, each[..., band], 0.0) for each in (cube, clean))
        _, similarity = structural_similarity(one, two, data_range=1.0, full=True, **_WINDOW)
        means.append(similarity[valid].mean())
    return float(np.mean(means))
