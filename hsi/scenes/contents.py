"""What a reader returns, and how one of several arrays in a file is chosen."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError, UsageError
from hsi.scenes.grid import Grid
from hsi.scenes.palette import Color

# Images become a few times smaller when they are packed. What claims to unpack to more than this
# is no image; smaller arrays do no harm whatever they claim.
LARGEST_RATIO, HARMLESS_BYTES = 100, 2**28

Purpose = Literal["cube", "labels"]
# Of a name in a message.
LONGEST = 60


@dataclass(frozen=True, kw_only=True)
class Contents:
    """An array of a file and what the file says of it. Fields are those of `Scene`."""

    array: Any
    """``(rows, cols, bands)``, stored values; a cube may be any array that slices like one."""
    wavelengths: NDArray[np.float64] | None = None
    fwhm: NDArray[np.float64] | None = None
    bad_bands: NDArray[np.bool_] | None = None
    """``(bands,)``: those that the file itself marks as bad."""
    rgb_bands: tuple[int, int, int] | None = None
    nodata: float | None = None
    """The stored value of pixels without data."""
    scale: float | NDArray[np.float64] = 1.0
    offset: float | NDArray[np.float64] = 0.0
    """Stored values times `scale` plus `offset` are in physical units; one, or ``(bands,)``."""
    grid: Grid | None = None
    labels: NDArray[np.int32] | None = None
    """``(rows, cols)`` ids of a file that holds both, such as a library of named spectra."""
    class_names: dict[int, str] = field(default_factory=dict)
    class_colors: dict[int, Color] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    label_arrays: tuple[str, ...] = ()
    """Names of other arrays in the file that could be labels of this one."""


@dataclass(frozen=True)
class Entry:
    """An array in a file, before it is read."""

    shape: tuple[int, ...]
    kind: str
    """The type of the values in the file's words; empty where it can only be told by reading."""
    numeric: bool

    def __str__(self) -> str:
        return f"{' x '.join(map(str, self.shape))} {self.kind}".strip()


def choose_array(
    path: Path, entries: dict[str, Entry], *, key: str | None, purpose: Purpose
) -> str:
    """Return the name of the array to read from a file that may hold several.

    Parameters
    ----------
    path : Path
        The file, for messages.
    entries : dict
        The file's arrays by name.
    key : str or None
        The wanted name. None: the only array that can serve the purpose.
    purpose : {"cube", "labels"}
        A cube has three axes; labels have two, or three of which one has length 1.

    Raises
    ------
    UsageError
        If there is no array of that name, or several can be meant.
    SceneError
        If nothing in the file serves the purpose.
    """
    option = "key=, or --key" if purpose == "cube" else "labels_key=, or --labels-key"
    if key is not None:
        if key not in entries:
            near = difflib.get_close_matches(key, entries, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise UsageError(f"{path} holds no array '{key}'{hint}\nIt holds {_listing(entries)}")
        if not entries[key].numeric:
            raise SceneError(f"'{key}' in {path} is {entries[key].kind}; expected numbers")
        return key
    fits = [name for name, entry in entries.items() if entry.numeric and _fits(entry, purpose)]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise UsageError(
            f"{path} holds {len(fits)} arrays that could be the {purpose}: "
            f"{_listing({name: entries[name] for name in fits})}\nChoose one by its name: {option}."
        )
    wanted = "a cube: three axes, rows x columns x bands"
    if purpose == "labels":
        wanted = "labels: two axes, rows x columns"
    raise SceneError(
        f"{path} holds nothing that could be {wanted}\n"
        f"It holds {_listing(entries) if entries else 'no array at all'}"
    )


def label_arrays(entries: dict[str, Entry], cube: Any) -> tuple[str, ...]:
    """Return the names of arrays that have a number for every pixel of `cube`."""
    return tuple(
        name
        for name, entry in entries.items()
        if entry.numeric
        and _fits(entry, "labels")
        and math.prod(entry.shape) == math.prod(cube.shape[:2])
        and set(entry.shape) - {1} <= set(cube.shape[:2])
    )


def _fits(entry: Entry, purpose: Purpose) -> bool:
    if purpose == "cube":
        return len(entry.shape) == 3
    if len(entry.shape) == 3:
        return entry.shape[0] == 1 or entry.shape[2] == 1
    # MATLAB knows no scalars: a 1 x 1 array is a setting that was saved along.
    return len(entry.shape) == 2 and entry.shape != (1, 1)


def _listing(entries: dict[str, Entry]) -> str:
    # A name with line breaks could pass for messages of its own.
    shown = [
        f"{repr(name) if len(name) <= LONGEST else repr(name[:LONGEST] + '...')} ({entry})"
        for name, entry in list(entries.items())[:12]
    ]
    more = [f"and {len(entries) - 12} more"] if len(entries) > 12 else []
    return ", ".join(shown + more)
