"""The central noun: an image and all that is known of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError
from hsi.scenes.cube import BLOCK_BYTES, is_missing, may_lack_values, row_blocks
from hsi.scenes.grid import Grid
from hsi.scenes.palette import Color, complete_colors
from hsi.scenes.part import Part
from hsi.scenes.storage import release_pages

# Centres in nanometres of red, green and blue in a composite of natural colours.
RGB_NANOMETRES = (640.0, 550.0, 460.0)
# Pixels of which the percentiles of a composite are taken.
SAMPLE = 10**6


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """An image and all that is known of it.

    Parameters
    ----------
    name : str
        A card's name, or the file's.
    cube : array_like
        ``(rows, cols, bands)``: an ndarray, a memmap or anything that slices like one. The values
        are the file's; where it declares a scale or an offset, they are in physical units, and NaN
        where no data is.
    labels : ndarray of int32, optional
        ``(rows, cols)``, the file's own ids; 0 is unlabelled. Ids need not be contiguous.
    class_names, class_colors : dict
        Name and colour (red, green, blue in 0..255) by class id. What is missing is completed:
        every id > 0 that occurs has both, and no two classes have the same colour.
    wavelengths : ndarray of float64, optional
        ``(bands,)`` band centres in nanometres. Not necessarily ascending.
    fwhm : ndarray of float64, optional
        ``(bands,)`` full widths at half maximum in nanometres.
    file_bands : ndarray of bool, optional
        ``(bands of the file,)``: which of them the cube holds, in the file's order. None where this
        is not known.
    rgb_bands : tuple of int, optional
        Zero-based bands for red, green and blue. Default: nearest to 640, 550 and 460 nm where
        wavelengths are known, else spread over the bands.
    nodata : float, optional
        The value of pixels without data.
    grid : Grid, optional
        Where the pixels lie on the Earth.
    components : int
        Number of PCA components that is customary for this scene.
    source : dict
        Arguments with which `load_scene` gives this scene again; of a mosaic, those of
        `hsi.scenes.open_scene`. Paths are absolute; values that
        are not given are left out.
    metadata : dict
        What else is known: sensor, resolution, citation, ...; without labels, the names of arrays
        in the image's file that could be them (``label_arrays``).
    parts : tuple of Part
        The scenes that a mosaic (`hsi.join_scenes`) holds; empty for any other scene.

    Raises
    ------
    SceneError
        If the parts do not fit each other.
    """

    name: str
    cube: Any
    labels: NDArray[np.int32] | None = None
    class_names: dict[int, str] = field(default_factory=dict)
    class_colors: dict[int, Color] = field(default_factory=dict)
    wavelengths: NDArray[np.float64] | None = None
    fwhm: NDArray[np.float64] | None = None
    file_bands: NDArray[np.bool_] | None = None
    # None stands for the default only until the scene is complete.
    rgb_bands: tuple[int, int, int] = None  # type: ignore[assignment]
    nodata: float | None = None
    grid: Grid | None = None
    components: int = 30
    source: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        _check_cube(self.name, self.cube)
        for what, values in (("wavelengths", self.wavelengths), ("widths (fwhm)", self.fwhm)):
            if values is not None and np.shape(values) != (self.bands,):
                raise SceneError(f"{self.name} has {self.bands} bands but {np.size(values)} {what}")
        if self.file_bands is not None and np.count_nonzero(self.file_bands) != self.bands:
            raise SceneError(
                f"{self.name} has {self.bands} bands, but file_bands marks "
                f"{np.count_nonzero(self.file_bands)}; with other bands than the file's, leave it "
                "out (None)"
            )
        if self.rgb_bands is None:
            chosen = default_rgb_bands(self.bands, self.wavelengths)
            object.__setattr__(self, "rgb_bands", chosen)
        if len(self.rgb_bands) != 3 or not all(0 <= band < self.bands for band in self.rgb_bands):
            raise SceneError(
                f"{self.name}: the bands for a colour composite are {self.rgb_bands}; "
                f"expected three bands of 0..{self.bands - 1}"
            )
        if self.labels is not None:
            _check_labels(self.name, self.labels, self.cube.shape)
            ids = self.class_ids.tolist()
            names = {each: f"class {each}" for each in ids} | self.class_names
            object.__setattr__(self, "class_names", {each: names[each] for each in sorted(names)})
            colors = complete_colors(sorted(names), self.class_colors)
            object.__setattr__(self, "class_colors", colors)

    def __repr__(self) -> str:
        size = f"{self.rows} x {self.cols} pixels, {self.bands} bands, {np.dtype(self.cube.dtype)}"
        classes = "no labels" if self.labels is None else f"{len(self.class_ids)} classes"
        return f"<Scene {self.name}: {size}, {classes}>"

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(rows, cols, bands)``."""
        rows, cols, bands = self.cube.shape
        return int(rows), int(cols), int(bands)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.shape[0]

    @property
    def cols(self) -> int:
        """Number of columns."""
        return self.shape[1]

    @property
    def bands(self) -> int:
        """Number of bands."""
        return self.shape[2]

    @cached_property
    def class_ids(self) -> NDArray[np.int32]:
        """The ids > 0 that occur in the labels, ascending; empty without labels."""
        if self.labels is None:
            return np.zeros(0, dtype=np.int32)
        ids = np.unique(self.labels)
        return ids[ids > 0].astype(np.int32)

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """``(rows, cols)``: False where any band is NaN, infinite or `nodata`."""
        valid = np.ones(self.shape[:2], dtype=np.bool_)
        if may_lack_values(np.dtype(self.cube.dtype), self.nodata):
            for rows, block in self.iter_blocks():
                valid[rows] = ~is_missing(block, self.nodata).any(axis=2)
        return valid

    @cached_property
    def fingerprint(self) -> str:
        """A text that is another one for other values of the cube; takes one pass over it."""
        digest = hashlib.sha256()
        for _, block in self.iter_blocks():
            digest.update(np.ascontiguousarray(block).data)
        return f"{self.shape} {np.dtype(self.cube.dtype).name} {digest.hexdigest()}"

    def iter_blocks(
        self, max_bytes: int = BLOCK_BYTES
    ) -> Iterator[tuple[slice, NDArray[np.generic]]]:
        """Yield ``(rows, block)``: blocks of whole rows, native byte order, at most `max_bytes`."""
        return row_blocks(self.cube, max_bytes=max_bytes)

    def composite(self) -> NDArray[np.uint8]:
        """Return a colour picture of the scene.

        Returns
        -------
        ndarray of uint8
            ``(rows, cols, 3)``: the bands `rgb_bands`, each stretched from its 2nd to its 98th
            percentile over the valid pixels, of large scenes over a million of them; 0 where a
            pixel is invalid.
        """
        picture = np.zeros((self.rows, self.cols, 3), dtype=np.uint8)
        if not self.valid.any():
            return picture
        low, high = np.percentile(self._composite_sample(), (2, 98), axis=0)
        rows = max(1, BLOCK_BYTES // (3 * 8 * self.cols))
        for row in range(0, self.rows, rows):
            part = slice(row, row + rows)
            valid = self.valid[part]
            values = self._composite_bands(part)[valid]
            values -= low
            values /= np.where(high > low, high - low, 1)
            picture[part][valid] = np.rint(255 * values.clip(0, 1)).astype(np.uint8)
            release_pages(self.cube)
        return picture

    def _composite_sample(self) -> NDArray[np.float64]:
        """Return ``(n, 3)`` values of valid pixels, of rows that lie evenly; of few, all."""
        step = math.ceil(self.rows * self.cols / SAMPLE)
        rows = slice(None, None, step if self.valid[::step].any() else 1)
        return self._composite_bands(rows)[self.valid[rows]]

    def _composite_bands(self, rows: slice) -> NDArray[np.float64]:
        """Return ``(rows, cols, 3)`` of red, green and blue."""
        return np.array(self.cube[rows, :, list(self.rgb_bands)], dtype=np.float64)


def default_rgb_bands(bands: int, wavelengths: NDArray[np.float64] | None) -> tuple[int, int, int]:
    """Return zero-based bands for red, green and blue, by wavelength or spread over the bands."""
    if wavelengths is None:
        return (5 * bands) // 6, bands // 2, bands // 6
    red, green, blue = (int(np.abs(wavelengths - target).argmin()) for target in RGB_NANOMETRES)
    return red, green, blue


def _check_cube(name: str, cube: Any) -> None:
    shape, dtype = tuple(cube.shape), np.dtype(cube.dtype)
    if len(shape) != 3:
        raise SceneError(
            f"{name}: the image has {len(shape)} axes {shape}; "
            "a cube has three: rows, columns, bands"
        )
    if 0 in shape:
        raise SceneError(f"{name}: the image {shape} is empty")
    if dtype.kind not in "iuf":
        raise SceneError(f"{name}: the image holds {dtype} values; expected real numbers")


def _check_labels(name: str, labels: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(labels, np.ndarray) or labels.dtype != np.int32:
        found = getattr(labels, "dtype", type(labels).__name__)
        raise SceneError(f"{name}: labels are an int32 array, not {found}")
    if labels.shape != shape[:2]:
        hint = ""
        if labels.T.shape == shape[:2]:
            hint = "\nThey look transposed: labels are (rows, columns), as the image is."
        elif labels.shape == shape[1:]:
            hint = "\nThe image seems to have its bands first; expected (rows, columns, bands)."
        raise SceneError(
            f"{name}: the labels have the shape {labels.shape}, "
            f"the image has {shape[0]} rows and {shape[1]} columns{hint}"
        )
    if labels.min() < 0:
        row, col = np.argwhere(labels < 0)[0]
        raise SceneError(
            f"{name}: the labels hold {labels[row, col]} at row {row}, column {col}; "
            "ids are positive, and 0 is unlabelled"
        )
    if labels.max() == 0:
        raise SceneError(f"{name}: the labels are 0 everywhere, so that no pixel has a class")
