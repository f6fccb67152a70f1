"""The images that a denoiser sees of a scene: its bands, or components in which noise is even.

Both are linear in the bands. A component is one of noise-whitened bands: after Green, Berman,
Switzer and Craig (1988), "A transformation for ordering multispectral data in terms of image
quality with implications for noise removal", IEEE Transactions on Geoscience and Remote Sensing 26
(1); that a denoiser of images gains from them, after Zhuang and Bioucas-Dias (2018), "Fast
Hyperspectral Image Denoising and Inpainting Based on Low-Rank and Sparse Representations", IEEE
Journal of Selected Topics in Applied Earth Observations and Remote Sensing 11 (3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from hsi.denoising.moments import Moments

On = Literal["components", "bands"]
# Nearly all values lie within so many standard deviations: three to either side.
RANGE = 6.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Planes:
    """From bands to the images that are denoised, and back.

    Attributes
    ----------
    mean, spread : ndarray of float64
        ``(bands,)``: what is subtracted from bands, and what they are divided by then.
    basis : ndarray of float64 or None
        ``(bands, planes)`` orthonormal; None where each band is an image of its own.
    unit : ndarray of float64
        ``(planes,)``: by what an image is divided for the network.
    """

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    basis: NDArray[np.float64] | None
    unit: NDArray[np.float64]

    @classmethod
    def of(cls, moments: Moments, *, on: On) -> Self:
        """Return what is to be denoised of a scene whose bands vary so.

        ``"bands"`` are divided by six standard deviations, so that their range is about 1.

        ``"components"`` are those of bands divided by their noise, as the other bands tell it: in
        each, noise has the standard deviation 1. Those whose variance noise alone would have, by
        the law of Marchenko and Pastur (1967), are left out; one at least is kept. The network sees
        them divided by the root of their range: between the extremes, that either noise or range
        is the same in all of them.
        """
        bands = len(moments.mean)
        if on == "bands":
            spread = RANGE * moments.spread
            return cls(mean=moments.mean, spread=spread, basis=None, unit=np.ones(bands))
        spread = moments.noise()
        variances, basis = np.linalg.eigh(moments.covariance / np.outer(spread, spread))
        variances, basis = variances[::-1], basis[:, ::-1]
        edge = (1 + np.sqrt(bands / moments.count)) ** 2
        kept = max(1, int((variances > edge).sum()))
        return cls(
            mean=moments.mean,
            spread=spread,
            basis=basis[:, :kept],
            unit=np.sqrt(RANGE * np.sqrt(variances[:kept].clip(min=1))),
        )

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.unit)

    def images(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``(..., planes)`` of ``(..., bands)``."""
        return self.differences(values - self.mean)

    def differences(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what a difference between two scenes, such as noise, is in the images."""
        scaled = values / self.spread
        return scaled if self.basis is None else scaled @ self.basis

    def bands(self, images: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``(..., bands)`` of ``(..., planes)``."""
        scaled = images if self.basis is None else images @ self.basis.T
        return scaled * self.spread + self.mean
