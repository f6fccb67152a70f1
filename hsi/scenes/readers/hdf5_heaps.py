"""Heaps of text in HDF5 files, looked at before the library does.

HDF5 keeps text of variable length in "global heap collections". Where damage makes a free object
in one of them 0 bytes long, the library (2.0 as well as 1.x) steps from it to itself for ever. The
layout is in section III.E of the "HDF5 File Format Specification", version 3.0.
"""

from __future__ import annotations

import struct
from pathlib import Path

from hsi.errors import SceneError

_START = b"GCOL\x01\x00\x00\x00"
_HEADER = struct.Struct("<HHIQ")  # index, references, reserved, size; 0 is the index of free space
# Text stands before or after the image. In larger files the middle is not looked at: it is image.
_END_BYTES = 8 * 2**20


def check_heaps(path: Path) -> None:
    """Refuse a file in whose heaps of text the library would get lost.

    Raises
    ------
    SceneError
        If there is an object of no size.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        parts = [file.read(2 * _END_BYTES)]
        if size > len(parts[0]):
            file.seek(-min(_END_BYTES, size - len(parts[0])), 2)
            parts.append(file.read())
    for part in parts:
        place = part.find(_START)
        while place >= 0:
            if _is_endless(part, place):
                raise SceneError(
                    f"{path} is damaged or cut off (an object of 0 bytes among its texts)\n"
                    "Get or save the file anew."
                )
            place = part.find(_START, place + 1)


def _is_endless(part: bytes, start: int) -> bool:
    """Return whether one steps from object to object without reaching the end of a collection."""
    place = start + len(_START) + 8
    if place > len(part):
        return False
    end = min(len(part), start + int.from_bytes(part[place - 8 : place], "little"))
    while place + _HEADER.size <= end:
        index, _, _, size = _HEADER.unpack_from(part, place)
        step = size if index == 0 else _HEADER.size + size + -size % 8
        if step == 0:
            return True
        place += step
    return False
