"""Spectra brought to the bands of another sensor, while they are read."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.scenes.cube import is_missing
from hsi.scenes.lazy import Bands, LazyCube

# Standard deviations of a Gaussian in its full width at half maximum.
DEVIATIONS_IN_FWHM = 2 * math.sqrt(2 * math.log(2))
# Bands with a smaller share of another one are not read for it.
LEAST_SHARE = 1e-6


class ResampledCube(LazyCube):
    """A cube whose bands are weighted means of another's; NaN where one of these lacks its value.

    Parameters
    ----------
    cube : array_like
        ``(rows, cols, bands)``.
    weights : ndarray
        ``(bands, new bands)``; each column adds up to 1.
    nodata : float, optional
        The value in `cube` of pixels without data.
    """

    def __init__(
        self, cube: Any, weights: NDArray[np.float64], *, nodata: float | None = None
    ) -> None:
        exact = np.result_type(cube.dtype, np.float32)
        super().__init__((int(cube.shape[0]), int(cube.shape[1]), weights.shape[1]), exact)
        self.cube, self.weights, self.nodata = cube, weights, nodata

    def read(self, rows: slice, cols: slice, bands: Bands) -> NDArray[Any]:
        """Return ``(rows, cols, bands)`` of a rectangle."""
        needed = np.flatnonzero(self.weights[:, bands].any(axis=1))
        weights = self.weights[np.ix_(needed, bands)].astype(self.dtype)
        values = np.asarray(self.cube[rows, cols, needed])
        missing = is_missing(values, self.nodata)
        values = values.astype(self.dtype)
        if not missing.any():
            mixed: NDArray[Any] = values @ weights
            return mixed
        values[missing] = 0
        mixed = values @ weights
        mixed[missing.astype(np.float32) @ (weights > 0).astype(np.float32) > 0] = np.nan
        return mixed


def resampling_weights(
    centres: NDArray[np.float64],
    wanted: NDArray[np.float64],
    fwhm: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the share of each band in the bands of another sensor.

    A spectrum is taken as linear between its band centres and constant beyond the outermost. With
    widths, it is weighted by the Gaussian spectral response of each wanted band, whose integral is
    one; without, or for a width that is not positive, it is read at the wanted centre. The first
    becomes the second as widths go to zero.

    Parameters
    ----------
    centres : ndarray
        ``(bands,)`` in nanometres, in any order.
    wanted : ndarray
        ``(new bands,)`` centres in nanometres.
    fwhm : ndarray, optional
        ``(new bands,)`` full widths at half maximum of the wanted bands, in nanometres.

    Returns
    -------
    ndarray
        ``(bands, new bands)``; each column adds up to 1.

    Examples
    --------
    >>> import numpy as np
    >>> resampling_weights(np.array([500.0, 400.0]), np.array([425.0])).ravel()
    array([0.25, 0.75])
    """
    knots, place, alike = np.unique(centres, return_inverse=True, return_counts=True)
    sigma = np.zeros(len(wanted)) if fwhm is None else np.nan_to_num(fwhm) / DEVIATIONS_IN_FWHM
    shares = np.zeros((len(knots), len(wanted)))
    narrow = sigma <= 0
    shares[:, narrow] = _at(knots, wanted[narrow])
    shares[:, ~narrow] = _under_gaussians(knots, wanted[~narrow], sigma[~narrow])
    shares[shares < LEAST_SHARE] = 0
    shares /= shares.sum(axis=0)
    # Bands with the same centre, of two detectors, share alike.
    weights: NDArray[np.float64] = shares[place] / alike[place, None]
    return weights


def _at(knots: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values at `wanted` of the hat function of each knot."""
    shares = [np.interp(wanted, knots, hat) for hat in np.eye(len(knots))]
    return np.array(shares).reshape(len(knots), len(wanted))


def _under_gaussians(
    knots: NDArray[np.float64], wanted: NDArray[np.float64], sigma: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the integrals of the hat function of each knot times each Gaussian."""
    from scipy.special import ndtr

    z = (knots[:, None] - wanted) / sigma
    below, density = ndtr(z), np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    # Between neighbouring knots: the integral of the Gaussian, and of it times the distance from
    # the lower knot in units of theirs.
    mass = np.diff(below, axis=0)
    moment = (wanted - knots[:-1, None]) * mass - sigma * np.diff(density, axis=0)
    rising = moment / np.diff(knots)[:, None]
    shares = np.zeros(z.shape)
    shares[1:] += rising
    shares[:-1] += mass - rising
    shares[0] += below[0]
    shares[-1] += 1 - below[-1]
    return shares


def out_of_reach(
    centres: NDArray[np.float64],
    wanted: NDArray[np.float64],
    fwhm: NDArray[np.float64] | None = None,
) -> NDArray[np.bool_]:
    """Return which of the wanted centres a spectrum says nothing about.

    They lie further than half a band outside of its range, or within it further than a band from
    any centre, as in a gap where bands were dropped. A band is as wide as its `fwhm` or the
    distance to the nearest other one says, whichever is more, and at least as the bands' usual
    distance.

    Parameters
    ----------
    centres : ndarray
        ``(bands,)`` in nanometres, in any order.
    wanted : ndarray
        ``(new bands,)`` in nanometres.
    fwhm : ndarray, optional
        ``(bands,)`` full widths at half maximum of the bands that there are.

    Returns
    -------
    ndarray of bool
        ``(new bands,)``.

    Examples
    --------
    >>> import numpy as np
    >>> centres = np.array([400.0, 410, 420, 430, 500, 510])
    >>> out_of_reach(centres, np.array([394.0, 396, 439, 455, 491]))
    array([ True, False, False,  True, False])
    """
    order = np.argsort(centres)
    knots = centres[order]
    steps = np.diff(knots)
    widths = np.zeros(len(knots))
    if steps.size:
        nearest = np.minimum(np.append(steps, np.inf), np.insert(steps, 0, np.inf))
        widths = np.maximum(nearest, np.median(steps))
    if fwhm is not None:
        widths = np.fmax(widths, fwhm[order])
    apart = np.abs(knots[:, None] - wanted)
    closest = apart.argmin(axis=0)
    away = apart[closest, np.arange(len(wanted))]
    outside = (wanted < knots[0]) | (wanted > knots[-1])
    result: NDArray[np.bool_] = away > np.where(outside, widths[closest] / 2, widths[closest])
    return result
