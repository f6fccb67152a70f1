"""A look at the boxes of a JPEG 2000 file before GDAL reads them.

Where damage makes a box within another one 0 bytes long, GDAL (3.10) steps from it to itself for
ever. Annex I of ISO/IEC 15444-1 describes boxes: a length, a type, and content, which may be boxes.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from hsi.errors import SceneError

_SUPERBOXES = {b"jp2h", b"res ", b"uinf", b"asoc", b"jpch", b"jplh", b"ftbl"}
_HEAD, _LONG_BYTES = struct.Struct(">I4s"), 8
# Files hold some dozens, three deep.
_MOST_BOXES, _DEEPEST = 10_000, 16


def check_boxes(path: Path) -> None:
    """Refuse a file in whose boxes the library would get lost.

    Raises
    ------
    SceneError
        If a box within another one is shorter than its head, or there are absurdly many.
    """
    with path.open("rb") as file:
        if not _are_sound(file, 0, path.stat().st_size, [_MOST_BOXES], 0):
            raise SceneError(
                f"{path} is damaged (a box in it is shorter than its own head)\n"
                "Get or save the file anew."
            )


def _are_sound(file: BinaryIO, start: int, end: int, left: list[int], depth: int) -> bool:
    """Return whether one steps from box to box to the end; `left` counts down all boxes."""
    while start + _HEAD.size <= end:
        left[0] -= 1
        file.seek(start)
        length, kind = _HEAD.unpack(file.read(_HEAD.size))
        head = _HEAD.size
        if length == 1:
            length = int.from_bytes(file.read(_LONG_BYTES), "big")
            head += _LONG_BYTES
        if length == 0 and depth == 0:
            return True  # the last box, to the end of the file
        if length < head or left[0] < 0 or depth > _DEEPEST:
            return False
        stop = min(start + length, end)
        if kind in _SUPERBOXES and not _are_sound(file, start + head, stop, left, depth + 1):
            return False
        start += length
    return True
