"""An array in a file of plain numbers, written and read in parts, never held as a whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray


class RawArray:
    """An array ``(rows, cols)`` or ``(classes, rows, cols)`` whose rows follow each other on disk.

    Slicing returns a copy: pages of the file do not stay in memory.

    Parameters
    ----------
    path : Path
        The file, as large as the array.
    shape : tuple of int
        Of the array.
    dtype : dtype
        Of its values.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: Any) -> None:
        self.path, self.shape, self.dtype = path, shape, np.dtype(dtype)
        self.ndim = len(shape)
        *classes, self.rows, self.cols = shape
        self.layers = classes[0] if classes else 1
        self._file: BinaryIO | None = None

    def __getitem__(self, key: Any) -> NDArray[Any]:
        stored = np.memmap(self.path, self.dtype, "r", shape=(self.rows, self.layers, self.cols))
        array = stored.transpose(1, 0, 2) if self.ndim == 3 else stored[:, 0]
        return np.array(array[key])

    def parts(self, first: int, last: int) -> Iterator[bytes]:
        """Yield the bytes of rows as they are in the file, some megabytes at a time."""
        row = self.layers * self.cols * self.dtype.itemsize
        with self.path.open("rb") as file:
            file.seek(first * row)
            left = (last - first) * row
            while left and (part := file.read(min(left, 2**22))):
                left -= len(part)
                yield part

    def write(self, rows: slice, cols: slice, values: NDArray[Any]) -> None:
        """Write ``(rows, cols)`` or ``(classes, rows, cols)`` of a rectangle."""
        if self._file is None:
            self._file = self.path.open("r+b", buffering=0)
        layered = values if values.ndim == 3 else values[np.newaxis]
        lines = np.ascontiguousarray(layered.transpose(1, 0, 2), dtype=self.dtype)
        if cols == slice(0, self.cols):
            self._put(rows.start * self.layers * self.cols, lines)
            return
        for row, layer in np.ndindex(lines.shape[:2]):
            line = (rows.start + row) * self.layers + layer
            self._put(line * self.cols + cols.start, lines[row, layer])

    def flush(self) -> None:
        """Have what was written on disk."""
        if self._file is not None:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; it may be written again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _put(self, place: int, values: NDArray[Any]) -> None:
        """Write values at a place, counted in values."""
        assert self._file is not None
        self._file.seek(place * self.dtype.itemsize)
        part = memoryview(values.tobytes())
        while part:
            # A file without a buffer may take less than it is given.
            part = part[self._file.write(part) or 0 :]
