"""The components of a scene, reduced from its bands where they are sliced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsi.sampling import Reduction
from hsi.scenes import Scene
from hsi.scenes.cube import is_missing, may_lack_values
from hsi.scenes.fill import check_fill
from hsi.scenes.lazy import Bands, LazyCube
from hsi.scenes.storage import release_pages, stored_block

# Stored values that are read and reduced at a time; their copies in float64 come on top.
READ_BYTES = 16 * 2**20
# What is held of the rows of a scene if nothing else is said.
HELD_BYTES = 256 * 2**20


class _Block(NamedTuple):
    """Whole rows, reduced."""

    row: int
    components: NDArray[np.float32]
    valid: NDArray[np.bool_]

    @property
    def stop(self) -> int:
        return self.row + len(self.components)


class ComponentCube(LazyCube):
    """A reduced cube ``(rows, cols, components)`` that is never held as a whole.

    All components of a pixel without data are 0, which is the mean. Rows are read and reduced in
    blocks that begin in the same places always, so that a pixel has the same bits whatever part of
    the scene is asked for. Blocks stay until rows below them are asked for: whoever goes from top
    to bottom reads each row once. Where the rows of a request do not fit into `max_bytes`, its
    rectangle alone is read.

    Parameters
    ----------
    scene : Scene
        With the bands that the reduction was fitted to.
    reduction : BandPCA or BandScaler
        Fitted.
    max_bytes : int
        The most that is held of the components of whole rows.
    """

    def __init__(self, scene: Scene, reduction: Reduction, *, max_bytes: int = HELD_BYTES) -> None:
        super().__init__((scene.rows, scene.cols, reduction.components), np.float32)
        self.scene, self.reduction, self.max_bytes = scene, reduction, max_bytes
        self.may_lack = may_lack_values(np.dtype(scene.cube.dtype), scene.nodata)
        rows, cols = stored_block(scene.cube)
        pixel = scene.bands * np.dtype(scene.cube.dtype).itemsize
        fitting = max(1, READ_BYTES // (pixel * scene.cols))
        # Blocks of the file are not read in parts, unless they are very high.
        self.step = min(max(fitting // rows, 1) * rows, max(fitting, 1024))
        wide = max(1, READ_BYTES // (pixel * self.step))
        self.width = min(max(1, wide // cols) * cols, scene.cols)
        self._blocks: list[_Block] = []

    def held_bytes(self, rows: int) -> int:
        """Return what so many rows, in whole blocks, take while they are held."""
        return (rows + 2 * self.step) * self.scene.cols * (4 * self.shape[2] + 1)

    def read(self, rows: slice, cols: slice, bands: Bands) -> NDArray[np.float32]:
        """Return ``(rows, cols, components)`` of a rectangle."""
        return self.rectangle(rows, cols)[0][:, :, bands]

    def rectangle(self, rows: slice, cols: slice) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the components of a rectangle, and ``(rows, cols)``: where data is.

        Raises
        ------
        SceneError
            If a pixel lies so far from all others that it seems to hold a fill value.
        """
        if self.held_bytes(rows.stop - rows.start) > self.max_bytes:
            return self._reduced(rows, cols)
        self._hold(rows)
        parts = [
            (block, slice(max(rows.start - block.row, 0), rows.stop - block.row))
            for block in self._blocks
            if block.row < rows.stop
        ]
        return (
            np.concatenate([block.components[some, cols] for block, some in parts]),
            np.concatenate([block.valid[some, cols] for block, some in parts]),
        )

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.float32], NDArray[np.bool_]]]:
        """Yield rows, their components and where data is, from top to bottom; nothing is held."""
        for row in range(0, self.shape[0], self.step):
            rows = slice(row, min(row + self.step, self.shape[0]))
            yield rows, *self._reduced(rows, slice(0, self.shape[1]))

    def _hold(self, rows: slice) -> None:
        """Read the blocks of `rows` that are missing, and forget those before."""
        first = rows.start - rows.start % self.step
        self._blocks = [block for block in self._blocks if block.row >= first]
        if self._blocks and self._blocks[0].row > first:
            self._blocks = []
        row = self._blocks[-1].stop if self._blocks else first
        while row < rows.stop:
            stop = min(row + self.step, self.shape[0])
            block = self._reduced(slice(row, stop), slice(0, self.shape[1]))
            self._blocks.append(_Block(row, *block))
            row = stop

    def _reduced(self, rows: slice, cols: slice) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Read a rectangle and reduce it, some rows and columns at a time."""
        size = (rows.stop - rows.start, cols.stop - cols.start)
        reduced = np.empty((*size, self.shape[2]), dtype=np.float32)
        valid = np.ones(size, dtype=np.bool_)
        for row in range(rows.start - rows.start % self.step, rows.stop, self.step):
            for col in range(cols.start - cols.start % self.width, cols.stop, self.width):
                some_rows = slice(max(row, rows.start), min(row + self.step, rows.stop))
                some_cols = slice(max(col, cols.start), min(col + self.width, cols.stop))
                place = (
                    slice(some_rows.start - rows.start, some_rows.stop - rows.start),
                    slice(some_cols.start - cols.start, some_cols.stop - cols.start),
                )
                reduced[place], valid[place] = self._reduce(some_rows, some_cols)
        return reduced, valid

    def _reduce(self, rows: slice, cols: slice) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        scene = self.scene
        pixels = np.asarray(scene.cube[rows, cols])
        valid = np.ones(pixels.shape[:2], dtype=np.bool_)
        if self.may_lack:
            valid &= ~is_missing(pixels, scene.nodata).any(axis=2)
        reduced = self.reduction.transform(pixels, valid=None if valid.all() else valid)
        check_fill(scene.name, pixels, reduced, self.reduction, row=rows.start, col=cols.start)
        release_pages(scene.cube)
        return reduced, valid
