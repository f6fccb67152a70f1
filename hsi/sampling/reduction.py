"""Principal components of the bands, from cubes of any size."""

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


class BandPCA:
    """Principal component analysis of the bands.

    Mean and covariance are accumulated over row blocks in float64 and merged by the update of
    Chan, Golub and LeVeque, so that a memory-mapped cube is never loaded whole and bands far from
    zero lose no digits. The sign of a component, which is arbitrary, makes its largest loading
    positive.

    Parameters
    ----------
    components : int
        How many to keep.
    whiten : bool
        Whether each component is scaled to unit variance over the pixels that it was fitted to.
    joint : bool
        Whether all components are divided by one number, so that their variances keep their
        proportions and are 1 on average: networks learn badly from values in the thousands. No
        different from `whiten` where that is asked for.

    Attributes
    ----------
    mean_ : ndarray
        ``(bands,)`` float64.
    components_ : ndarray
        ``(components, bands)`` float64, orthonormal rows, by decreasing variance.
    explained_variance_ : ndarray
        ``(components,)`` variances, with ``n - 1`` in the denominator.
    explained_variance_ratio_ : ndarray
        ``(components,)`` shares of the variance of all bands.

    References
    ----------
    T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance",
    The American Statistician 37(3), 1983.

    Examples
    --------
    >>> import numpy as np
    >>> cube = np.random.default_rng(0).normal(size=(20, 30, 8))
    >>> pca = BandPCA(3, whiten=True).fit(cube)
    >>> pca.transform(cube).shape
    (20, 30, 3)
    """

    def __init__(self, components: int, *, whiten: bool = False, joint: bool = False) -> None:
        if not isinstance(components, int | np.integer) or components < 1:
            raise UsageError(f"components must be a whole number of at least 1, not {components!r}")
        self.components = int(components)
        self.whiten = bool(whiten)
        self.joint = bool(joint)

    def fit(
        self, X: Any, *, mask: NDArray[np.bool_] | None = None, max_bytes: int = BLOCK_BYTES
    ) -> Self:
        """Find the components.

        Parameters
        ----------
        X : array_like
            Pixels ``(n, bands)``, or a cube ``(rows, cols, bands)``: anything that slices like an
            array, of integers or floats in any byte order.
        mask : ndarray, optional
            ``(rows, cols)``, boolean: the pixels of the cube to use. Rows without one are not read.
        max_bytes : int
            The most that one row block may take, in float64.

        Raises
        ------
        UsageError
            If there are more components than bands or than pixels less one, if a value or the
            variance is not finite, or if a component to be whitened has no variance.
        """
        bands = band_count(X)
        count, mean = 0, np.zeros(bands)
        scatter = np.zeros((bands, bands))
        for pixels in fitting_blocks(X, mask, max_bytes):
            total = count + len(pixels)
            with np.errstate(over="ignore", invalid="ignore"):  # told below
                block_mean = pixels.mean(axis=0)
                pixels -= block_mean
                apart = block_mean - mean
                scatter += pixels.T @ pixels
                scatter += np.outer(apart, apart) * (count * len(pixels) / total)
                mean += apart * (len(pixels) / total)
            count = total
        self._check_size(bands, count)
        if not np.isfinite(np.trace(scatter)):
            raise UsageError(
                "the pixels to fit to hold values so large that their variance is not finite\n"
                "They may be fill values: leave such pixels out with mask=, or declare the value "
                "as nodata (--nodata)."
            )

        variances, vectors = np.linalg.eigh(scatter / (count - 1))
        variances = variances[::-1].clip(min=0.0)
        if variances[0] == 0.0:
            raise UsageError(
                f"the {count} pixels to fit to are all equal: nothing tells them apart"
            )
        # Below this an eigenvalue is rounding, and whitening would blow that up to unit variance.
        rank = int(np.count_nonzero(variances > variances[0] * bands * np.finfo(float).eps))
        if self.whiten and self.components > rank:
            raise UsageError(
                f"cannot whiten {self.components} components: the pixels vary in {rank} directions "
                f"only\nUse at most {rank} components, or do without whitening."
            )
        components = vectors[:, ::-1].T[: self.components]
        largest = np.abs(components).argmax(axis=1)[:, np.newaxis]
        self.mean_ = mean
        self.components_ = components * np.sign(np.take_along_axis(components, largest, axis=1))
        self.explained_variance_ = variances[: self.components]
        self.explained_variance_ratio_ = self.explained_variance_ / variances.sum()
        return self

    def transform(
        self, cube: Any, *, valid: NDArray[np.bool_] | None = None, max_bytes: int = BLOCK_BYTES
    ) -> NDArray[np.float32]:
        """Return the components of every pixel.

        Parameters
        ----------
        cube : array_like
            ``(rows, cols, bands)`` or ``(n, bands)``, as in `fit`.
        valid : ndarray, optional
            ``(rows, cols)`` or ``(n,)``, boolean. All components of a pixel outside are 0, which
            is the mean.
        max_bytes : int
            The most that one row block may take, in float64.

        Returns
        -------
        ndarray
            ``(rows, cols, components)`` or ``(n, components)``, float32.

        Raises
        ------
        UsageError
            If the bands are not as many as were fitted, or a valid pixel is not finite.
        """
        if not hasattr(self, "mean_"):
            raise UsageError("this BandPCA has no components yet: call fit first")
        check_bands(cube, len(self.mean_))
        loadings = self.components_.T / self.scale_

        def components(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
            pixels -= self.mean_
            reduced: NDArray[np.float64] = pixels @ loadings
            return reduced

        return transformed(
            cube, components, outputs=self.components, valid=valid, max_bytes=max_bytes
        )

    @property
    def scale_(self) -> NDArray[np.float64]:
        """What each component is divided by, ``(components,)``."""
        if self.whiten:
            return np.sqrt(self.explained_variance_)
        one = np.sqrt(self.explained_variance_.mean()) if self.joint else 1.0
        return np.full(self.components, one)

    def fits(self, bands: int, components: int) -> bool:
        """Return whether what is fitted makes so many components of so many bands."""
        return (
            self.mean_.shape == (bands,)
            and self.components_.shape == (components, bands)
            and self.explained_variance_.shape == (components,)
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that `from_arrays` needs to make an equal BandPCA."""
        return {
            "mean": self.mean_,
            "components": self.components_,
            "explained_variance": self.explained_variance_,
            "explained_variance_ratio": self.explained_variance_ratio_,
            "whiten": np.array(self.whiten),
            "joint": np.array(self.joint),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the fitted BandPCA that `to_arrays` took apart."""
        pca = cls(
            len(arrays["components"]),
            whiten=bool(arrays["whiten"]),
            joint=bool(arrays.get("joint", False)),  # older files have none
        )
        pca.mean_ = arrays["mean"]
        pca.components_ = arrays["components"]
        pca.explained_variance_ = arrays["explained_variance"]
        pca.explained_variance_ratio_ = arrays["explained_variance_ratio"]
        return pca

    def _check_size(self, bands: int, count: int) -> None:
        possible = min(bands, count - 1)
        if self.components > possible:
            raise UsageError(
                f"cannot find {self.components} components in {count} pixels with {bands} bands; "
                f"the largest possible number is {max(possible, 0)}"
            )
