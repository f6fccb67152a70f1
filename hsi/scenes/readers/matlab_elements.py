"""A look at a level-5 MATLAB file before SciPy reads it.

SciPy looks up the type of an array's values in a table, by a number of the file that it does not
check: a damaged one ends the Python process. The format is described in "MAT-File Format",
MathWorks; an element is a tag, which says the type and the number of bytes, and these bytes.
"""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from hsi.scenes.contents import HARMLESS_BYTES, LARGEST_RATIO

HEADER_BYTES = 128
MATRIX, COMPRESSED = 14, 15
# Bytes of a value of each type that an array of numbers may be stored in.
NUMBERS = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
NUMERIC_CLASSES = range(6, 16)  # double, single, int8 to uint64
COMPLEX = 0x0800  # a flag of an array: an imaginary part follows the real one
LONGEST_TEXT = 2**16  # of names and shapes; a name has 63 bytes at most
BLOCK_BYTES = 2**16
DEFLATE_RATIO = 1032  # zlib makes nothing smaller than by that


def check_numbers(path: Path, name: str) -> None:
    """Check the tags of the array of numbers `name`.

    Raises
    ------
    ValueError
        If one of them is wrong.
    zlib.error
        If the array is compressed and damaged.
    """
    with path.open("rb") as file:
        order = "<" if file.read(HEADER_BYTES)[126:] == b"IM" else ">"
        start, size = HEADER_BYTES, path.stat().st_size
        while start + 8 <= size:
            file.seek(start)
            kind, length = struct.unpack(f"{order}II", file.read(8))
            start += 8 + length
            stream = _Stream(file, min(length, size - file.tell()), inflate=kind == COMPRESSED)
            if kind == COMPRESSED:
                kind, _ = struct.unpack(f"{order}II", stream.read(8))
            if kind == MATRIX and _is_checked(stream, order, name):
                return


class _Stream:
    """The bytes of an element, inflated where they are compressed; a block at a time."""

    def __init__(self, file: BinaryIO, length: int, *, inflate: bool) -> None:
        self.file, self.left, self.length = file, length, length
        self.most = length * (DEFLATE_RATIO if inflate else 1)
        self.engine = zlib.decompressobj() if inflate else None
        self.buffer = b""

    def read(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self.buffer += self._block()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def skip(self, count: int) -> None:
        while count:
            count -= len(self.read(min(count, BLOCK_BYTES)))

    def _block(self) -> bytes:
        tail = self.engine.unconsumed_tail if self.engine else b""
        if not tail:
            tail = self.file.read(min(self.left, BLOCK_BYTES))
            self.left -= len(tail)
            if not tail:
                raise ValueError("an element is cut off")
        return self.engine.decompress(tail, BLOCK_BYTES) if self.engine else tail


def _is_checked(stream: _Stream, order: str, name: str) -> bool:
    """Check an array of numbers of that name; return False if it is another one."""
    # flags, shape and name; then the values
    flags = _content(stream, order)
    if len(flags) < 4:
        raise ValueError("an array without flags")
    (bits,) = struct.unpack(f"{order}I", flags[:4])
    if bits & 0xFF not in NUMERIC_CLASSES:
        return False
    shape, text = _content(stream, order), _content(stream, order)
    if text.decode("latin1") != name:
        return False
    count = math.prod(struct.unpack(f"{order}{len(shape) // 4}i", shape[: len(shape) // 4 * 4]))
    for _ in range(2 if bits & COMPLEX else 1):
        kind, length, inline = _tag(stream, order)
        if kind not in NUMBERS:
            raise ValueError(f"an array of type {kind}, which is none of numbers")
        if length != count * NUMBERS[kind] or length > stream.most:
            raise ValueError(f"an array of {count:,} values in {length:,} bytes of type {kind}")
        if length > HARMLESS_BYTES and length > LARGEST_RATIO * stream.length:
            raise ValueError(f"{stream.length:,} bytes unpack to {length:,}, which is no image")
        if bits & COMPLEX:
            stream.skip(4 if inline else length + -length % 8)
    return True


def _tag(stream: _Stream, order: str) -> tuple[int, int, bool]:
    """Return type and length of the next element, and whether its bytes are within the tag."""
    (first,) = struct.unpack(f"{order}I", stream.read(4))
    if first >> 16:
        return first & 0xFFFF, first >> 16, True
    (length,) = struct.unpack(f"{order}I", stream.read(4))
    return first, length, False


def _content(stream: _Stream, order: str) -> bytes:
    _, length, inline = _tag(stream, order)
    if length > (4 if inline else LONGEST_TEXT):
        raise ValueError(f"{length:,} bytes in place of flags, a shape or a name")
    return stream.read(4 if inline else length + -length % 8)[:length]
