"""What a file of a cube says besides its pixels, whatever its format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.scenes.grid import Grid


@dataclass(frozen=True, kw_only=True, eq=False)
class CubeFacts:
    """What is known of a cube that is written.

    Parameters
    ----------
    name : str
        Of the array, where the format names arrays.
    history : str
        What was done to it.
    nodata : float, optional
        The stored value of pixels without data.
    scale, offset : ndarray of float64
        ``(bands,)``: stored values times `scale` plus `offset` are in physical units.
    wavelengths, fwhm : ndarray of float64, optional
        ``(bands,)`` in nanometres.
    good : ndarray of bool, optional
        ``(bands,)``: False for bands that are marked as bad. None: nothing is marked.
    grid : Grid, optional
        Where the pixels lie on the Earth.
    header : mapping
        Fields of an ENVI header that are kept word for word.
    tags : mapping
        Tags of a raster that are kept word for word.
    band_tags : list of mapping
        The same of each band.
    descriptions : list of str
        Of each band.
    """

    name: str
    history: str
    nodata: float | None
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]
    wavelengths: NDArray[np.float64] | None = None
    fwhm: NDArray[np.float64] | None = None
    good: NDArray[np.bool_] | None = None
    grid: Grid | None = None
    header: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    band_tags: list[dict[str, str]] = field(default_factory=list)
    descriptions: list[str] = field(default_factory=list)

    @property
    def scaled(self) -> bool:
        """Whether stored values are others than physical ones."""
        return bool(np.any(self.scale != 1) or np.any(self.offset != 0))
