"""Pixels that hold a fill value which nobody declared."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError

# Standard deviations of the training pixels: of one component, and of the widest one for
# all components together.
FILL_DEVIATIONS, FILL_DISTANCE = 10_000, 10


class FittedReduction(Protocol):
    """What is known of the pixels that a band reduction was fitted to; see `hsi.BandPCA`."""

    @property
    def mean_(self) -> NDArray[np.float64]: ...  # noqa: D102

    @property
    def explained_variance_(self) -> NDArray[np.float64]: ...  # noqa: D102

    @property
    def scale_(self) -> NDArray[np.float64]: ...  # noqa: D102


def check_fill(
    name: str,
    pixels: NDArray[Any],
    reduced: NDArray[np.float32],
    reduction: FittedReduction,
    *,
    row: int = 0,
    col: int = 0,
) -> None:
    """Refuse pixels further from the mean of the training pixels than any surface is.

    Parameters
    ----------
    name : str
        Of the scene.
    pixels : ndarray
        ``(rows, cols, bands)``: a rectangle of it.
    reduced : ndarray
        ``(rows, cols, components)``: what `reduction` made of it.
    reduction : FittedReduction
        A `BandPCA` or `BandScaler`, fitted.
    row, col : int
        Where the rectangle begins.

    Raises
    ------
    SceneError
        If a pixel lies so far from all others that it seems to hold a fill value.
    """
    deviations = np.sqrt(reduction.explained_variance_)
    scale = reduction.scale_
    limits = FILL_DEVIATIONS * deviations / scale
    lowest, highest = reduced.min(axis=(0, 1)), reduced.max(axis=(0, 1))
    if ((lowest >= -limits) & (highest <= limits)).all():
        return
    beyond = ~(np.abs(reduced) <= limits).all(axis=2)
    # A component of hardly any variance is exceeded soon, but not far in the image's units.
    suspects = np.argwhere(beyond)
    distant = reduced[beyond].astype(np.float64) * scale
    far = ~(np.linalg.norm(distant, axis=1) <= FILL_DISTANCE * deviations.max())
    if not far.any():
        return
    first_row, first_col = suspects[far][0].tolist()
    values = np.asarray(pixels[first_row, first_col])
    band = int(np.abs(values.astype(np.float64) - reduction.mean_).argmax())
    value = str(values[band])  # as short as the type allows, and yet exact
    last = row + len(reduced) - 1
    cure = f"That looks like a fill value: declare it with nodata={value} (--nodata={value})."
    strange = np.asarray(pixels)[tuple(suspects[far].T)]
    others = np.count_nonzero(reduced.any(axis=2) & np.asarray(pixels).any(axis=2)) - far.sum()
    if far.sum() > others and (strange != strange[0]).any():
        cure = (
            "Most of them do: the values seem to be in another unit than those of the training; "
            "does the file lack a scale?"
        )
    raise SceneError(
        f"{name} holds {value} at row {row + first_row}, column {col + first_col} "
        f"(band {band + 1}), and {int(far.sum()):,} pixels in rows {row} to {last} lie more than "
        f"{FILL_DEVIATIONS:,} standard deviations away from the training pixels\n{cure}"
    )
