"""Cross-validation by blocks of a scene, in scikit-learn's manner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsi.errors import UsageError
from hsi.sampling.by_folds import arranged_folds, check_folds, pixels_of_fold
from hsi.sampling.draw import check_seed
from hsi.sampling.guard import guard_of
from hsi.sampling.overlap import check_patch_size


class BlockKFold:
    """Cross-validation by blocks of a scene, as scikit-learn takes it (``cv=``).

    Folds are those of `split_folds`: a pixel is tested once, and trained on only in folds whose
    test is far enough that no patches overlap.

    Parameters
    ----------
    n_splits : int
        Number of folds.
    patch_size : int
        Side in pixels, odd, of the patches that a classifier sees; 1 for single spectra. What is
        near is alike even then: a guard band that is wider than the patch needs is often right.
    guard : int, optional
        Width in pixels of the band around the test that is not trained on. Without,
        ``patch_size - 1``.
    seed : int
        Decides how blocks are arranged.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> rows, cols = np.divmod(np.arange(144), 12)
    >>> X = SimpleNamespace(rows=rows, cols=cols, scene_shape=(12, 12))
    >>> y = np.where(cols % 3, "wood", "meadow")
    >>> folds = list(BlockKFold(n_splits=3, patch_size=3).split(X, y))
    >>> sorted(int(pixel) for _, test in folds for pixel in test) == list(range(144))
    True
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        patch_size: int = 25,
        guard: int | None = None,
        seed: int = 0,
    ) -> None:
        check_patch_size(patch_size)
        check_seed(seed)
        check_folds(n_splits)
        guard_of(guard, patch_size)
        self.n_splits, self.patch_size, self.guard, self.seed = n_splits, patch_size, guard, seed

    def __repr__(self) -> str:
        return (
            f"BlockKFold(n_splits={self.n_splits}, patch_size={self.patch_size}, "
            f"guard={self.guard}, seed={self.seed})"
        )

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds; the arguments are scikit-learn's and do not matter."""
        return self.n_splits

    def split(
        self, X: Any, y: ArrayLike | None = None, groups: Any = None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield the training and the test pixels of each fold, as positions in `X`.

        Parameters
        ----------
        X : ScenePixels
            Or anything with the attributes `rows` and `cols`, ``(n,)`` the place of each pixel,
            and `scene_shape`, rows and columns of the scene.
        y : array_like
            ``(n,)`` the class of each pixel, numbers or names.
        groups : None
            There for scikit-learn; blocks are the groups.

        Raises
        ------
        UsageError
            If places are unknown or one occurs twice, `y` does not fit, or the pixels cannot be
            divided into so many folds.
        """
        if groups is not None:
            raise UsageError("BlockKFold makes its groups of places itself; leave out groups")
        rows, cols, shape = _places(X)
        classes, codes = _classes(y, rows.size)
        targets = np.full(shape, -1, dtype=np.int64)
        targets[rows, cols] = codes
        position = np.full(shape, -1, dtype=np.int64)
        position[rows, cols] = np.arange(rows.size)
        if np.count_nonzero(position >= 0) < rows.size:
            raise UsageError("a place in the scene occurs twice among the pixels")
        width = guard_of(self.guard, self.patch_size)
        arranged = arranged_folds(
            targets, classes, folds=self.n_splits, guard=width, seed=self.seed
        )
        for fold in range(self.n_splits):
            test, region = pixels_of_fold(targets, arranged, fold, width)
            yield np.sort(position[region]), np.sort(position[test])


class _Places(NamedTuple):
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    shape: tuple[int, int]


def _places(X: Any) -> _Places:
    missing = [name for name in ("rows", "cols", "scene_shape") if not hasattr(X, name)]
    if missing:
        raise UsageError(
            f"to divide a scene into blocks takes the place of each pixel, but {type(X).__name__} "
            f"has no {' and no '.join(missing)}\nPass hsi.ScenePixels, which know their places."
        )
    rows, cols = (np.asarray(each) for each in (X.rows, X.cols))
    shape = tuple(int(each) for each in X.scene_shape[:2])
    if rows.ndim != 1 or rows.shape != cols.shape or rows.dtype.kind not in "iu":
        raise UsageError(
            f"rows and cols must be whole numbers (n,), not {rows.dtype} of {rows.shape} and "
            f"{cols.dtype} of {cols.shape}"
        )
    if rows.size and not (
        min(rows.min(), cols.min()) >= 0 and rows.max() < shape[0] and cols.max() < shape[1]
    ):
        raise UsageError(f"some pixels lie outside the scene of {shape[0]} x {shape[1]} pixels")
    return _Places(rows.astype(np.int64), cols.astype(np.int64), (shape[0], shape[1]))


def _classes(y: ArrayLike | None, pixels: int) -> tuple[int, NDArray[np.int64]]:
    """Return how many classes there are, and the number of that of each pixel."""
    if y is None or np.shape(y) != (pixels,) or not pixels:
        got = "none" if y is None else f"an array of {np.shape(y)}"
        raise UsageError(f"y must be the class of each of the {pixels:,} pixels, not {got}")
    names, codes = np.unique(np.asarray(y), return_inverse=True)
    return names.size, codes.astype(np.int64)
