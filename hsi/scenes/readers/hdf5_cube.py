"""A cube that lies in an HDF5 file, read where it is sliced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.scenes.cube import BLOCK_BYTES
from hsi.scenes.lazy import Bands, LazyCube
from hsi.scenes.readers.hdf5_access import reading

# Bands that lie no further apart are read in one go, with those between them: HDF5 reads one range
# much faster than several.
_GAP = 16


class Hdf5Cube(LazyCube):
    """A three-axis dataset in any order of axes.

    The file stays open as long as the cube lives.

    Parameters
    ----------
    dataset : h5py.Dataset
        As `hsi.scenes.readers.hdf5_access.find_dataset` returns it.
    path : Path
        Its file, for messages.
    axes : tuple of int
        Which axes of the dataset are rows, columns and bands.
    """

    def __init__(self, dataset: Any, *, path: Path, axes: tuple[int, int, int] = (0, 1, 2)) -> None:
        rows, cols, bands = (int(dataset.shape[axis]) for axis in axes)
        super().__init__((rows, cols, bands), dataset.dtype)
        self.dataset, self.path, self.axes = dataset, path, axes
        chunks = dataset.chunks
        self.chunks: tuple[int, int, int] | None = (
            (int(chunks[axes[0]]), int(chunks[axes[1]]), int(chunks[axes[2]])) if chunks else None
        )

    def read(self, rows: slice, cols: slice, bands: Bands) -> NDArray[Any]:
        """Return ``(rows, cols, bands)`` of a rectangle.

        Raises
        ------
        SceneError
            If the file turns out to be damaged there.
        """
        shape = (rows.stop - rows.start, cols.stop - cols.start, len(bands))
        values = np.empty(shape, dtype=self.dtype)
        runs = np.split(np.arange(len(bands)), np.flatnonzero(np.diff(bands) > _GAP) + 1)
        with reading(self.path):
            for run in runs if values.size else ():
                first, last = int(bands[run[0]]), int(bands[run[-1]]) + 1
                chosen = slice(None) if len(run) == last - first else bands[run] - first
                for block in self._blocks(rows, per_row=shape[1] * (last - first)):
                    key: list[Any] = [None] * 3
                    for axis, part in zip(
                        self.axes, (block, cols, slice(first, last)), strict=True
                    ):
                        key[axis] = part
                    stored = self.dataset[tuple(key)].transpose(self.axes)
                    place = slice(block.start - rows.start, block.stop - rows.start)
                    values[place, :, run[0] : run[-1] + 1] = stored[:, :, chosen]
        return values

    def _blocks(self, rows: slice, *, per_row: int) -> list[slice]:
        """Divide rows so that no block is large; where it can be, between chunks."""
        step = max(1, BLOCK_BYTES // max(1, per_row * self.dtype.itemsize))
        if self.chunks and self.chunks[0] <= step:
            step -= step % self.chunks[0]
        starts = range(rows.start - rows.start % step, rows.stop, step)
        return [slice(max(each, rows.start), min(each + step, rows.stop)) for each in starts]
