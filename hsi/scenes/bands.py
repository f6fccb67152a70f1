"""Which bands of a file a scene holds: those with data that nobody calls bad."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError
from hsi.scenes.cube import bands_with_data
from hsi.scenes.lazy import BandSelection


@dataclass(frozen=True, kw_only=True, eq=False)
class BandChoice:
    """Bands of a file that a scene holds.

    Attributes
    ----------
    mask : ndarray of bool
        ``(bands of the file,)``.
    counts : dict
        How many bands were left out, by reason, for the metadata.
    """

    mask: NDArray[np.bool_]
    counts: dict[str, int]

    def choose(self, cube: Any) -> Any:
        """Return the cube with the chosen bands only; itself where that is all of them."""
        return cube if self.mask.all() else BandSelection(cube, np.flatnonzero(self.mask))

    def of(self, values: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        """Return what belongs to the chosen bands of ``(bands of the file,)`` values."""
        return None if values is None else values[self.mask]

    def nearest(self, bands: tuple[int, int, int] | None) -> tuple[int, int, int] | None:
        """Return where the chosen bands nearest to some of the file's stand."""
        if bands is None:
            return None
        kept = np.flatnonzero(self.mask)
        red, green, blue = (int(np.abs(kept - band).argmin()) for band in bands)
        return red, green, blue


def usable_bands(
    path: Path, cube: Any, *, nodata: float | None, bad: NDArray[np.bool_] | None
) -> BandChoice | None:
    """Return the bands of a file that can be used; None where the array is no cube of numbers.

    Left out are bands that the file calls bad, and those without a value in any pixel.

    Raises
    ------
    SceneError
        If no band is left.
    """
    if np.ndim(cube) != 3 or np.dtype(cube.dtype).kind not in "iuf":
        return None  # Scene refuses it with its own words
    mask = np.zeros(cube.shape[2], dtype=np.bool_)
    mask[bands_with_data(cube, nodata)] = True
    if not mask.any():
        raise SceneError(f"{path}: no pixel of any band holds a value")
    counts = {"empty_bands": int(np.count_nonzero(~mask))}
    if bad is not None:
        counts["bad_bands"] = int(np.count_nonzero(mask & bad))
        if counts["bad_bands"] == np.count_nonzero(mask):
            raise SceneError(f"{path} marks all of its bands as bad; correct its list of bad bands")
        mask &= ~bad
    return BandChoice(mask=mask, counts={name: count for name, count in counts.items() if count})
