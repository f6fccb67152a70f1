"""Areas of the classes of a map, counted and adjusted for the errors that a test found.

Counting pixels gives the area that is mapped as a class, not that which the class has: omissions
and commissions rarely cancel. The adjusted estimate asks of each mapped class what the test pixels
found in it, and adds up what is found of a class in all of them.

References
----------
P. Olofsson, G. M. Foody, M. Herold, S. V. Stehman, C. E. Woodcock, M. A. Wulder, "Good practices
for estimating area and assessing accuracy of land change", Remote Sensing of Environment 148 (2014)
42-57, doi:10.1016/j.rse.2014.02.015.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from hsi.errors import UsageError

CONFIDENCE = 0.95
# One test pixel tells what is there, but not how sure that is.
FEWEST_TESTED = 2
_M2_PER_HA = 10_000


@dataclass(frozen=True, kw_only=True, eq=False)
class AdjustedAreas:
    """Estimates of the classes' areas, in the unit of what was mapped.

    Attributes
    ----------
    area, low, high : ndarray
        ``(K,)``: the estimate and its confidence interval; nan where there is none.
    covered : float
        The mapped area that the estimates divide among the classes.
    """

    area: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    covered: float


def adjusted_areas(
    cm: ArrayLike, mapped: ArrayLike, *, confidence: float = CONFIDENCE
) -> AdjustedAreas:
    """Estimate each class's area from what is mapped and from the errors of the map.

    With the share ``W_i`` of the area that is mapped as class `i`, and ``n_ij`` test pixels that
    are mapped as `i` and truly `j`, the share of class `j` is the sum over `i` of
    ``W_i n_ij / n_i`` (equation 9 of the paper), and its standard error the root of the sum of
    ``W_i**2 (n_ij / n_i) (1 - n_ij / n_i) / (n_i - 1)`` (equation 10). The interval is that of a
    normal distribution, kept within what is possible (equation 11).

    It supposes that the test pixels are a random sample of the pixels mapped as each class, drawn
    one by one. Ground truth that was chosen by hand is no such sample: where it holds what is
    easily told apart, the errors of the map are underrated; and pixels of one field tell less than
    as many pixels of many fields. Where no test pixel of a mapped class is wrong, the class adds
    nothing to the standard error, which is too good if it was tested by few pixels.

    Parameters
    ----------
    cm : array_like of int
        Confusion matrix ``(K, K)`` of the test pixels, rows = truth, columns = map, as
        `hsi.evaluation.confusion_matrix` returns it: the transpose of that in the paper.
    mapped : array_like of float
        ``(K,)`` area that is mapped as each class, in any unit.
    confidence : float
        Probability that the interval holds the true area.

    Returns
    -------
    AdjustedAreas
        A class that is mapped but was tested by fewer than two pixels has no estimate, and the area
        that is mapped so is left out of the others' estimates: what is truly there is not known.

    Raises
    ------
    UsageError
        If the two do not fit each other or hold negative numbers.

    Examples
    --------
    The example of the paper: deforestation, forest gain, stable forest and stable non-forest, in
    pixels of 0.09 ha. The map missed much of the deforestation.

    >>> cm = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]]).T
    >>> found = adjusted_areas(cm, 0.09 * np.array([200_000, 150_000, 3_200_000, 6_450_000]))
    >>> print(f"{found.area[0]:.0f} ha, {found.low[0]:.0f} to {found.high[0]:.0f}")
    21158 ha, 15000 to 27315
    """
    counts = np.asarray(cm, dtype=np.float64).T
    areas = np.asarray(mapped, dtype=np.float64)
    if counts.ndim != 2 or counts.shape != (*areas.shape, *areas.shape):
        raise UsageError(
            f"a confusion matrix of shape {counts.shape} and {areas.shape} mapped areas; "
            "expected one row, one column and one area for each class"
        )
    if (counts < 0).any() or not (areas >= 0).all():
        raise UsageError("a confusion matrix and mapped areas are not negative")
    tested = counts.sum(axis=1)
    lacking = (areas > 0) & (tested < FEWEST_TESTED)
    weighed = (areas > 0) & ~lacking
    covered = float(areas[weighed].sum())
    nothing = np.full(areas.shape, np.nan)
    if covered == 0:
        return AdjustedAreas(area=nothing, low=nothing, high=nothing, covered=0.0)
    weights = areas[weighed, np.newaxis] / covered
    found = counts[weighed] / tested[weighed, np.newaxis]
    share = (weights * found).sum(axis=0)
    variance = weights**2 * found * (1 - found) / (tested[weighed, np.newaxis] - 1)
    margin = ndtri((1 + confidence) / 2) * np.sqrt(variance.sum(axis=0))
    area, low, high = (
        np.where(lacking, np.nan, covered * part)
        for part in (share, np.maximum(share - margin, 0), np.minimum(share + margin, 1))
    )
    return AdjustedAreas(area=area, low=low, high=high, covered=covered)


def summarise_area(
    cm: ArrayLike,
    pixels: Mapping[int, int],
    *,
    ids: Sequence[int],
    names: Sequence[str],
    pixel_m2: float | None,
) -> dict[str, Any]:
    """Return mapped and estimated areas in a form that JSON can hold.

    Parameters
    ----------
    cm : array_like of int
        Confusion matrix ``(K, K)`` of the test pixels, rows = truth, columns = map.
    pixels : mapping
        Number of pixels of the map by label id; 0, no data, is left out.
    ids, names : sequence
        Label id and name of each of the K classes, in the order of `cm`.
    pixel_m2 : float, optional
        The area of a pixel in square metres; None where it is not known.

    Returns
    -------
    dict
        ``unit``, ``"ha"`` or ``"pixels"``, in which it is best read; ``pixel_m2``; ``confidence``;
        ``mapped``, the whole map; ``covered``, what the estimates are of; ``per_class``, each with
        ``id``, ``name``, ``mapped``, ``test_pixels`` (those mapped as the class), and ``estimate``,
        ``low`` and ``high``, None where there are none; and ``notes`` about these. Every area is a
        dict with ``pixels`` and, if the size of a pixel is known, ``m2`` and ``ha``.

    Raises
    ------
    UsageError
        If the arguments do not fit each other.
    """
    counts = np.asarray(cm)
    mapped = [pixels.get(each, 0) for each in ids]
    found = adjusted_areas(counts, mapped)
    tested = counts.sum(axis=0).tolist()

    def area(number: float) -> dict[str, float] | None:
        return None if np.isnan(number) else _area(number, pixel_m2)

    per_class = [
        {
            "id": int(each),
            "name": name,
            "mapped": area(mapped[k]),
            "test_pixels": int(tested[k]),
            "estimate": area(found.area[k]),
            "low": area(found.low[k]),
            "high": area(found.high[k]),
        }
        for k, (each, name) in enumerate(zip(ids, names, strict=True))
    ]
    return {
        "unit": "pixels" if pixel_m2 is None else "ha",
        "pixel_m2": pixel_m2,
        "confidence": CONFIDENCE,
        "mapped": area(sum(mapped)),
        "covered": area(found.covered),
        "per_class": per_class,
        "notes": _lacking(per_class, sum(mapped)),
    }


def _area(number: float, pixel_m2: float | None) -> dict[str, float]:
    pixels = int(number) if float(number).is_integer() else round(float(number), 2)
    if pixel_m2 is None:
        return {"pixels": pixels}
    m2 = float(number) * pixel_m2
    return {"pixels": pixels, "m2": round(m2, 2), "ha": round(m2 / _M2_PER_HA, 6)}


def _lacking(per_class: Sequence[Mapping[str, Any]], mapped: int) -> list[str]:
    """Return the note on mapped classes that were hardly tested, if there are any."""
    lacking = [each for each in per_class if each["estimate"] is None and each["mapped"]["pixels"]]
    if not lacking:
        return []
    share = sum(each["mapped"]["pixels"] for each in lacking) / mapped
    names = ", ".join(str(each["name"]) for each in lacking)
    return [
        f"Fewer than {FEWEST_TESTED} test pixels are mapped as {names}: no estimate, and the "
        f"{100 * share:.2g} % of the map that are mapped so are left out of the others' estimates."
    ]
