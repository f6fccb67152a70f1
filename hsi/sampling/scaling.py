"""All bands, each of zero mean and unit variance: what networks on whole spectra are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.sampling.pixel_blocks import (
    BLOCK_BYTES,
    band_count,
    check_bands,
    fitting_blocks,
    transformed,
)


class BandScaler:
    """Scaling of the bands to zero mean and unit variance over the pixels that it is fitted to.

    A band that does not vary there is left at its distance from its mean.

    Attributes
    ----------
    mean_ : ndarray
        ``(bands,)`` float64.
    explained_variance_ : ndarray
        ``(bands,)`` variances, with ``n - 1`` in the denominator; 1 for a constant band.

    Examples
    --------
    >>> import numpy as np
    >>> cube = np.random.default_rng(0).normal(5, 3, size=(20, 30, 8))
    >>> scaled = BandScaler().fit(cube).transform(cube)
    >>> bool(abs(scaled.mean()) < 1e-6), round(float(scaled[..., 2].std(ddof=1)), 6)
    (True, 1.0)
    """

    @property
    def components(self) -> int:
        """How many values a pixel has afterwards: as many as bands."""
        return len(self.mean_)

    def fit(
        self, X: Any, *, mask: NDArray[np.bool_] | None = None, max_bytes: int = BLOCK_BYTES
    ) -> Self:
        """Find mean and variance of each band; arguments as for `BandPCA.fit`.

        Raises
        ------
        UsageError
            If there are fewer than two pixels, or a value or variance is not finite.
        """
        bands = band_count(X)
        count, mean, scatter = 0, np.zeros(bands), np.zeros(bands)
        for pixels in fitting_blocks(X, mask, max_bytes):
            total = count + len(pixels)
            with np.errstate(over="ignore", invalid="ignore"):  # told below
                block_mean = pixels.mean(axis=0)
                apart = block_mean - mean
                scatter += ((pixels - block_mean) ** 2).sum(axis=0)
                scatter += apart**2 * (count * len(pixels) / total)
                mean += apart * (len(pixels) / total)
            count = total
        if count < 2:
            raise UsageError(f"{count} pixels are too few to scale bands by: it takes at least two")
        if not np.isfinite(scatter).all():
            raise UsageError(
                "the pixels to fit to hold values so large that their variance is not finite\n"
                "They may be fill values: leave such pixels out with mask=, or declare the value "
                "as nodata (--nodata)."
            )
        variances = scatter / (count - 1)
        # A variance below this is what rounding leaves of the sums of equal values.
        constant = np.sqrt(variances) <= count * np.finfo(float).eps * np.abs(mean)
        self.mean_ = mean
        self.explained_variance_ = np.where(constant, 1.0, variances)
        return self

    def transform(
        self, cube: Any, *, valid: NDArray[np.bool_] | None = None, max_bytes: int = BLOCK_BYTES
    ) -> NDArray[np.float32]:
        """Return the scaled bands of every pixel, float32; arguments as for `BandPCA.transform`.

        Raises
        ------
        UsageError
            If the bands are not as many as were fitted, or a valid pixel is not finite.
        """
        if not hasattr(self, "mean_"):
            raise UsageError("this BandScaler has no scales yet: call fit first")
        check_bands(cube, len(self.mean_))
        deviations = self.scale_

        def scaled(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
            pixels -= self.mean_
            pixels /= deviations
            return pixels

        return transformed(cube, scaled, outputs=self.components, valid=valid, max_bytes=max_bytes)

    @property
    def scale_(self) -> NDArray[np.float64]:
        """What each band is divided by, ``(bands,)``."""
        return np.sqrt(self.explained_variance_)

    def fits(self, bands: int, components: int) -> bool:
        """Return whether what is fitted makes so many values of so many bands."""
        return components == bands and self.mean_.shape == self.explained_variance_.shape == (
            bands,
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that `from_arrays` needs to make an equal BandScaler."""
        return {"mean": self.mean_, "explained_variance": self.explained_variance_}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the fitted BandScaler that `to_arrays` took apart."""
        scaler = cls()
        scaler.mean_ = arrays["mean"]
        scaler.explained_variance_ = arrays["explained_variance"]
        return scaler
