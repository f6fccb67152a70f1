"""The class map as a raster that other programs open.

TIFF as in "TIFF Revision 6.0" (Adobe, 1992), with one sample a pixel: the label id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hsi.errors import UsageError
from hsi.files import atomic_path

Color = tuple[int, int, int]

_IMAGE_DESCRIPTION = 270


def write_class_map_tif(
    path: Path | str,
    class_map: NDArray[np.integer],
    *,
    names: Mapping[int, str],
    colors: Mapping[int, Color],
) -> None:
    """Write label ids as TIFF, without loss, all of it or nothing.

    Parameters
    ----------
    path : path
        Where to; its folder exists.
    class_map : ndarray of int
        ``(rows, cols)`` label ids, 0 = no data. Up to 255 the file has 8 bits and a palette, so
        that viewers show the classes' colours; beyond, it has 16 or 32 bits and no palette.
    names : mapping
        Class name by id. They go into the tag ImageDescription as JSON, ids as keys.
    colors : mapping
        Red, green and blue (0..255) by id.

    Raises
    ------
    UsageError
        If `class_map` is no array of ids.
    OSError
        If the file cannot be written.
    """
    check_ids(class_map, what="class map")
    highest = int(class_map.max())
    if highest > np.iinfo(np.int32).max:
        raise UsageError(f"the class map holds the id {highest}; a raster has ids below 2**31")
    if highest <= np.iinfo(np.uint8).max:
        image = Image.fromarray(class_map.astype(np.uint8))
        image.putpalette(_palette(colors))
    elif highest <= np.iinfo(np.uint16).max:
        image = Image.fromarray(class_map.astype(np.uint16))
    else:
        image = Image.fromarray(class_map.astype(np.int32))
    # ASCII throughout, as the tag demands: JSON escapes the rest.
    description = json.dumps({str(each): names[each] for each in sorted(names)})
    with atomic_path(Path(path)) as temporary:
        image.save(
            temporary,
            format="TIFF",
            compression="tiff_adobe_deflate",
            tiffinfo={_IMAGE_DESCRIPTION: description},
        )


def check_ids(ids: NDArray[np.integer], *, what: str) -> None:
    """Raise UsageError unless `ids` are whole numbers from 0 in rows and columns."""
    if ids.ndim != 2 or ids.size == 0 or not np.issubdtype(ids.dtype, np.integer):
        raise UsageError(
            f"a {what} of shape {ids.shape} and type {ids.dtype}; "
            "expected label ids, (rows, columns) of integers"
        )
    if ids.min() < 0:
        raise UsageError(f"the {what} holds the id {ids.min()}; ids are positive, 0 is no class")


def _palette(colors: Mapping[int, Color]) -> bytes:
    """Return 256 colours in red, green, blue; black where no class has the id."""
    palette = np.zeros((256, 3), dtype=np.uint8)
    for each, color in colors.items():
        if 0 < each < len(palette):
            palette[each] = color
    return palette.tobytes()
