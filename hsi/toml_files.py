"""TOML files as they come from elsewhere: small, and read in bounded time."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# The config.toml of a training on ten thousand images has less than half of it.
LARGEST_BYTES = 16 * 2**20
# Python's parser takes time with the square of the parts of a dotted key (``a.a.a``).
MOST_PARTS = 100
_STRING = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_PIECE = re.compile(r"[\n=,{}\[\]#]")
_DOT = re.compile(r"(?<=[\w\"'-])[ \t]*\.[ \t]*(?=[\w\"'-])")


def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Raises
    ------
    ValueError
        If it is no TOML, not in UTF-8, or larger, or nested deeper, than any file that is meant.
    OSError
        If it cannot be read.
    """
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise ValueError(f"it has {size:,} bytes; expected {LARGEST_BYTES:,} at most")
    text = path.read_text(encoding="utf-8")
    for piece in _PIECE.split(_STRING.sub('""', text)):
        if piece.count(".") > MOST_PARTS and len(_DOT.findall(piece)) > MOST_PARTS:
            raise ValueError(f"a key in it has more than {MOST_PARTS} parts")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("its tables or lists are nested too deeply") from error


def differing(one: Mapping[str, Any], two: Mapping[str, Any]) -> list[str]:
    """Return the names whose values differ in two tables, or are in one of them only.

    Examples
    --------
    >>> differing({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4})
    ['b', 'c']
    """
    return [name for name in {**one, **two} if one.get(name) != two.get(name)]
