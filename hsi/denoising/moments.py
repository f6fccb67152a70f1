"""Means and covariances of bands, from blocks of a scene that need not fit into memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError

# Added to the diagonal of correlations, so that bands that others repeat exactly do no harm.
RIDGE = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Moments:
    """How the bands of a scene vary, and together.

    Attributes
    ----------
    count : int
        Number of pixels.
    mean : ndarray of float64
        ``(bands,)``.
    covariance : ndarray of float64
        ``(bands, bands)``.
    """

    count: int
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @property
    def spread(self) -> NDArray[np.float64]:
        """``(bands,)`` standard deviations."""
        return np.sqrt(np.diag(self.covariance))

    def of(self, bands: NDArray[np.intp]) -> Moments:
        """Return the moments of some of the bands."""
        return Moments(
            count=self.count,
            mean=self.mean[bands],
            covariance=self.covariance[np.ix_(bands, bands)],
        )

    def noise(self) -> NDArray[np.float64]:
        """Return ``(bands,)``: the standard deviation of the noise in each band.

        It is what the other bands do not tell of a band by linear regression, as in Roger and
        Arnold (1996), "Reliably estimating the noise in AVIRIS hyperspectral images",
        International Journal of Remote Sensing 17 (10), but over all pixels at once: the variance
        of what is left is one over the diagonal of the inverse covariance. Each is above 0. Where
        noise hides from the other bands what a band shows, that is counted as well.
        """
        bands = len(self.mean)
        correlation = self.covariance / np.outer(self.spread, self.spread)
        precision = np.linalg.inv(correlation + RIDGE * np.eye(bands))
        # A regression on as many bands as pixels would leave nothing.
        free = self.count / max(self.count - bands, 1)
        left = np.clip(free / np.diag(precision), RIDGE, 1.0)
        return self.spread * np.sqrt(left)

    def regression(self, wanted: NDArray[np.intp], given: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return ``(given, wanted)``: what bands tell of others, both as differences from means."""
        own = self.of(given)
        spread = own.spread
        scaled = own.covariance / np.outer(spread, spread) + RIDGE * np.eye(len(given))
        across = self.covariance[np.ix_(given, wanted)] / spread[:, np.newaxis]
        found: NDArray[np.float64] = np.linalg.solve(scaled, across) / spread[:, np.newaxis]
        return found


class Gathered:
    """Moments of blocks that come one after the other.

    Sums are those of differences from the first block's mean, so that large values with small
    differences lose no digits.
    """

    def __init__(self) -> None:
        self.count = 0
        self._shift: NDArray[np.float64] | None = None

    def add(self, values: NDArray[np.float64]) -> None:
        """Take ``(pixels, bands)`` without gaps; perhaps no pixel."""
        if not len(values):
            return
        if self._shift is None:
            self._shift = values.mean(axis=0)
            self._sum = np.zeros(values.shape[1])
            self._products = np.zeros((values.shape[1],) * 2)
        with np.errstate(over="ignore", invalid="ignore"):  # `moments` says so
            differences = values - self._shift
            self.count += len(values)
            self._sum += differences.sum(axis=0)
            self._products += differences.T @ differences

    def moments(self, *, name: str) -> Moments:
        """Return those of all blocks so far.

        Raises
        ------
        SceneError
            If there were fewer than two pixels with data in `name`, or values are too large.
        """
        if self._shift is None or self.count < 2:
            raise SceneError(
                f"{name} has fewer than two pixels with data in every band; there is nothing to "
                "tell noise from\nIf some bands lack values, leave them out: --drop-bands."
            )
        with np.errstate(over="ignore", invalid="ignore"):
            mean = self._sum / self.count
            covariance = self._products / self.count - np.outer(mean, mean)
        if not np.isfinite(covariance).all():
            raise SceneError(
                f"{name} has values so large that their variance is not finite\n"
                "They may be fill values: declare them with --nodata."
            )
        return Moments(count=self.count, mean=self._shift + mean, covariance=covariance)
