"""Pixels of a scene that scikit-learn can index, and that know where they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsi.errors import UsageError
from hsi.sampling.targets import class_ids
from hsi.scenes.lazy import LazyCube


class ScenePixels:
    """Some pixels of a cube, ``(n, bands)``, with the place of each.

    scikit-learn's tools for validation take it for `X`: they ask for its length and for some of its
    pixels, and hand those over as another `ScenePixels` of the same cube. `hsi.BlockKFold` divides
    it by places, `hsi.HybridSNClassifier` sees the patch around each pixel, and classifiers of
    scikit-learn, which know no places, take its spectra.

    Parameters
    ----------
    cube : array_like
        ``(rows, cols, bands)``; arrays and the cubes of scenes are not copied.
    mask : array_like
        ``(rows, cols)``: the pixels, either boolean or labels, of which those above 0 are meant.

    Attributes
    ----------
    cube : array_like
        All of it.
    rows, cols : ndarray
        ``(n,)`` int64, the place of each pixel; row by row, as ``labels[labels > 0]`` is.

    Raises
    ------
    UsageError
        If shapes or types do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> cube = np.arange(24.0).reshape(3, 4, 2)
    >>> pixels = ScenePixels(cube, [[0, 0, 5, 0], [0, 7, 0, 0], [0, 0, 0, 5]])
    >>> pixels, pixels.rows, pixels.cols
    (<ScenePixels: 3 of 3 x 4 pixels, 2 bands>, array([0, 1, 2]), array([2, 1, 3]))
    >>> np.asarray(pixels[1:])
    array([[10., 11.],
           [22., 23.]])
    """

    ndim = 2

    def __init__(self, cube: Any, mask: ArrayLike) -> None:
        if not isinstance(cube, np.ndarray | LazyCube):
            cube = np.asarray(cube)
        mask = np.asarray(mask)
        if cube.ndim != 3 or mask.shape != cube.shape[:2]:
            raise UsageError(
                f"the cube has shape {tuple(cube.shape)} and the mask {mask.shape}; expected "
                "(rows, cols, bands) and (rows, cols)"
            )
        if cube.dtype.kind not in "iuf":
            raise UsageError(f"the cube holds {cube.dtype} values; expected real numbers")
        if mask.dtype != bool:
            class_ids(mask)  # says what is wrong with labels
            mask = mask > 0
        self.cube = cube
        self.rows, self.cols = np.nonzero(mask)

    @property
    def scene_shape(self) -> tuple[int, int]:
        """Rows and columns of the scene."""
        rows, cols, _ = self.cube.shape
        return int(rows), int(cols)

    @property
    def shape(self) -> tuple[int, int]:
        """``(n, bands)``."""
        return len(self), int(self.cube.shape[2])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values."""
        return np.dtype(self.cube.dtype)

    def __repr__(self) -> str:
        rows, cols = self.scene_shape
        return f"<ScenePixels: {len(self):,} of {rows} x {cols} pixels, {self.shape[1]} bands>"

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return iter(np.asarray(self))

    def __getitem__(self, chosen: Any) -> Self:
        """Return some of the pixels, by a slice, positions or a mask ``(n,)``."""
        if isinstance(chosen, tuple):  # scikit-learn writes X[chosen, ...]
            chosen, *rest = chosen
            if rest not in ([], [Ellipsis], [slice(None)]):
                raise UsageError("pixels are chosen along their first axis; bands are not")
        if not isinstance(chosen, slice):
            chosen = np.asarray(chosen)
            if chosen.ndim != 1:
                raise UsageError(
                    f"pixels are chosen by a slice, positions or a mask (n,), not by {chosen!r}"
                )
            if not chosen.size:
                chosen = chosen.astype(np.int64)  # an empty list is one of floats
        some = object.__new__(type(self))
        some.cube = self.cube
        some.rows, some.cols = self.rows[chosen], self.cols[chosen]
        return some

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("the spectra of some pixels become an array only as a copy")
        return np.asarray(self.cube[self.rows, self.cols], dtype=dtype)
