"""Labels as files hold them become an int32 map of ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError
from hsi.scenes.cube import is_missing


def as_labels(array: Any, *, path: Path, nodata: float | None = None) -> NDArray[np.int32]:
    """Return the label ids of a file as ``(rows, cols)`` int32.

    Parameters
    ----------
    array : array_like
        ``(rows, cols)``, or three axes of which the first or last has length 1; integers of any
        type, or floating-point numbers without a fraction.
    path : Path
        The file, for messages.
    nodata : float, optional
        The value of pixels without a label, beside 0.

    Raises
    ------
    SceneError
        If a value is no class id (fractional, NaN, negative, complex), or the array is no map.
    """
    values = np.asarray(array)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    elif values.ndim == 3 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 2:
        raise SceneError(
            f"{path}: labels have two axes, rows and columns; this array has the shape "
            f"{values.shape}"
        )
    if values.dtype.kind not in "biuf":
        raise SceneError(f"{path}: labels are whole numbers, not {values.dtype}")
    missing = is_missing(values, nodata) if nodata is not None else None
    if missing is not None and missing.any():
        values = np.where(missing, values.dtype.type(0), values)
    limit = np.iinfo(np.int32).max
    # NaN fails every comparison, and so counts as wrong.
    right = (values >= 0) & (values <= limit)
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            right &= values == np.trunc(values)
    if not right.all():
        row, col = np.argwhere(~right)[0]
        raise SceneError(
            f"{path}: the labels hold {values[row, col]} at row {row}, column {col}\n"
            f"A label is a whole number from 0 (unlabelled) to {limit}."
        )
    return values.astype(np.int32)
