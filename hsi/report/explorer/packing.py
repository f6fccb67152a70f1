"""Arrays as text that a page can hold: differences along rows, deflated, in base64.

Neighbouring pixels are alike, so that their differences are small numbers, and the upper bytes of
these nearly all zero. `assets/unpack.js` undoes it in the browser.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_UNSIGNED = ("uint8", "uint16")


@dataclass(frozen=True, kw_only=True)
class Block:
    """An array on its way into a page.

    Attributes
    ----------
    type : str
        ``"uint8"``, ``"uint16"`` or ``"float32"``.
    shape : tuple of int
        Of the array.
    data : bytes
        Deflated (RFC 1950).
    """

    type: str
    shape: tuple[int, ...]
    data: bytes

    @property
    def text(self) -> str:
        """The data in base64."""
        return base64.b64encode(self.data).decode("ascii")

    @property
    def about(self) -> dict[str, Any]:
        """What a reader of the data has to know, as JSON holds it."""
        return {"type": self.type, "shape": list(self.shape)}


def pack(array: NDArray[Any]) -> Block:
    """Return an array of uint8, uint16 or float32 as a block, without loss.

    Examples
    --------
    >>> block = pack(np.array([[7, 8, 6]], dtype=np.uint8))
    >>> block.about
    {'type': 'uint8', 'shape': [1, 3]}
    >>> unpack(block)
    array([[7, 8, 6]], dtype=uint8)
    """
    kind = array.dtype.name
    if kind in _UNSIGNED:
        signed = np.diff(array, axis=-1, prepend=array.dtype.type(0)).view(kind[1:])
        # 0, -1, 1, -2, ... as 0, 1, 2, 3, ...: small differences of either sign have no high bits.
        turned = (signed << 1) ^ (signed >> (8 * array.itemsize - 1))
        little = np.ascontiguousarray(turned.astype(turned.dtype.newbyteorder("<")))
        planes = little.view(np.uint8).reshape(-1, array.itemsize).T
        content = np.ascontiguousarray(planes).tobytes()
    elif kind == "float32":
        content = np.ascontiguousarray(array.astype("<f4")).tobytes()
    else:
        raise TypeError(f"a page holds uint8, uint16 and float32, not {kind}")
    return Block(type=kind, shape=array.shape, data=zlib.compress(content, 6))


def unpack(block: Block) -> NDArray[Any]:
    """Return the array that `pack` made a block of."""
    content = np.frombuffer(zlib.decompress(block.data), dtype=np.uint8)
    if block.type == "float32":
        return content.view("<f4").reshape(block.shape).astype(np.float32)
    size = np.dtype(block.type).itemsize
    little = np.ascontiguousarray(content.reshape(size, -1).T)
    turned = little.view(f"<u{size}").astype(block.type).reshape(block.shape)
    differences = (turned >> 1) ^ (-(turned & 1).view(block.type[1:])).view(block.type)
    return np.cumsum(differences, axis=-1, dtype=block.type)
