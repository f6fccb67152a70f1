"""Noise to train on and to test with, added to bands in shares of their ranges.

The kinds are those that papers on hyperspectral restoration mix, such as Zhang, He, Zhang, Shen and
Yuan (2014), "Hyperspectral Image Restoration Using Low-Rank Matrix Recovery", IEEE Transactions on
Geoscience and Remote Sensing 52 (8). Columns are the detectors of a pushbroom sensor: stripes and
dead lines run along them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError, check_name

# Noise is told on the scale of images of eight bits, as in the papers.
WHOLE_RANGE = 255.0
# Shares of the bands and of their columns that stripes and dead lines hit.
_BANDS_HIT, _STRIPED, _DEAD = 0.3, 0.2, 0.03
# What is above is no noise on an image, but an image on noise.
_LARGEST_SIGMA = WHOLE_RANGE

Values = NDArray[np.float64]


def _gaussian(cube: Values, sigma: float, generator: np.random.Generator) -> Values:
    """Of the same strength in every band."""
    return cube + sigma * generator.standard_normal(cube.shape)


def _per_band(cube: Values, sigma: float, generator: np.random.Generator) -> Values:
    """Of another strength in each band, evenly between none and twice `sigma`."""
    strengths = generator.uniform(0, 2 * sigma, cube.shape[2])
    return cube + strengths * generator.standard_normal(cube.shape)


def _stripes(cube: Values, sigma: float, generator: np.random.Generator) -> Values:
    """Gaussian noise, and in some bands columns that are too bright or too dark by as much."""
    noisy = _gaussian(cube, sigma, generator)
    hit = _columns(cube.shape, _STRIPED, generator)
    noisy += np.where(hit, 2 * sigma * generator.standard_normal(hit.shape), 0.0)
    return noisy


def _dead_lines(cube: Values, sigma: float, generator: np.random.Generator) -> Values:
    """Gaussian noise, and in some bands columns that see nothing: the lower end of the range."""
    noisy = _gaussian(cube, sigma, generator)
    dead = np.broadcast_to(_columns(cube.shape, _DEAD, generator), cube.shape)
    noisy[dead] = 0.0
    return noisy


def _columns(
    shape: tuple[int, ...], share: float, generator: np.random.Generator
) -> NDArray[np.bool_]:
    """Return ``(1, cols, bands)``: columns that are hit in some of the bands."""
    _, cols, bands = shape
    hit = generator.random((1, cols, bands)) < share
    return hit & (generator.random(bands) < _BANDS_HIT)


NOISES: Mapping[str, Callable[[Values, float, np.random.Generator], Values]] = {
    "gaussian": _gaussian,
    "per-band": _per_band,
    "stripes": _stripes,
    "dead-lines": _dead_lines,
}


def add_noise(cube: Values, *, kind: str, sigma: float, generator: np.random.Generator) -> Values:
    """Return `cube` with noise.

    Parameters
    ----------
    cube : ndarray of float64
        ``(rows, cols, bands)`` in shares of each band's range; NaN stays NaN.
    kind : str
        ``"gaussian"``: white, of equal strength in all bands. ``"per-band"``: white, each band of
        its own strength, evenly between 0 and twice `sigma`. ``"stripes"``: Gaussian, and in about
        three tenths of the bands a fifth of the columns have an offset, normal with twice `sigma`.
        ``"dead-lines"``: Gaussian, and in as many bands three in a hundred columns are 0.
    sigma : float
        Standard deviation on the scale of 0 to 255, which stands for the range of a band.
    generator : numpy.random.Generator
        Where the noise comes from.

    Raises
    ------
    UsageError
        If the kind is unknown, with the nearest one.

    Examples
    --------
    >>> import numpy as np
    >>> noisy = add_noise(
    ...     np.zeros((50, 50, 4)), kind="gaussian", sigma=51, generator=np.random.default_rng(0)
    ... )
    >>> round(float(noisy.std()), 2)
    0.2
    """
    check_name("noise", kind, NOISES)
    return NOISES[kind](cube, sigma / WHOLE_RANGE, generator)


def parse_sigma(text: Any) -> tuple[float, float]:
    """Return the range of noise that is meant: both ends of ``"0-55"``, or ``"25"`` twice.

    Raises
    ------
    UsageError
        If it is no number from 0 to 255 nor a range of them, or there would be no noise at all.

    Examples
    --------
    >>> parse_sigma("0-55"), parse_sigma(25)
    ((0.0, 55.0), (25.0, 25.0))
    """
    number = r"(\d+(?:\.\d*)?|\.\d+)"
    found = re.fullmatch(rf"\s*{number}\s*(?:-\s*{number}\s*)?", str(text))
    if found is None:
        raise UsageError(
            f"sigma is {str(text)[:60]!r}; expected a number such as 25, or a range such as 0-55, "
            "on the scale of 0 to 255"
        )
    low = float(found[1])
    high = low if found[2] is None else float(found[2])
    check_sigma(low, high)
    return low, high


def check_sigma(low: float, high: float) -> None:
    """Refuse a range of noise that cannot be meant.

    Raises
    ------
    UsageError
        If it goes down, holds nothing but 0, or more than the whole range of a band.
    """
    if not (math.isfinite(low) and math.isfinite(high) and 0 <= low <= high <= _LARGEST_SIGMA):
        raise UsageError(
            f"sigma from {low:g} to {high:g}; expected a range that goes up, within 0 to 255, "
            "which stands for the range of a band"
        )
    if high == 0:
        raise UsageError("sigma is 0: there would be no noise to learn, nor to test with")
