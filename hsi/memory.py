"""How much memory a machine has left, and amounts of it as users write them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from hsi.errors import UsageError

_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def free_memory() -> int:
    """Return the bytes that can still be had of the machine's memory."""
    try:
        # What the kernel would give without swapping, file caches included.
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    except OSError:
        found = None
    if found:
        return 1024 * int(found[1])
    try:
        # Elsewhere only the whole is known; half of it is taken to be in use.
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):
        return 2**31


def as_bytes(max_memory: int | str) -> int:
    """Return the bytes that `max_memory` stands for.

    Raises
    ------
    UsageError
        If it is no amount.

    Examples
    --------
    >>> as_bytes("1.5G")
    1610612736
    """
    text = str(max_memory).strip().lower().removesuffix("b").removesuffix("i")
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)", text)
    if isinstance(max_memory, bool) or not match or float(match[1]) == 0:
        raise UsageError(
            f"max_memory must be a number of bytes such as 2000000000 or 2G, not {max_memory!r}"
        )
    return int(float(match[1]) * _UNITS[match[2]])
