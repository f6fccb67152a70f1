"""How much memory a computation may take, and keeping it while the computation lasts."""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

import hsi.memory
from hsi.memory import as_bytes

# PyTorch reads this once, when it first allocates: large arrays are then asked for in huge pages,
# where Linux gives them on request. A map takes a tenth less time, since pages come one by one.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def free_memory(device: torch.device) -> int:
    """Return the bytes that can still be had: on a CUDA device, or in the machine's memory."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return hsi.memory.free_memory()


def memory_budget(max_memory: int | str | None, device: torch.device) -> int:
    """Return the bytes that `max_memory` stands for; None is a quarter of what is free.

    Raises
    ------
    UsageError
        If it is no amount.

    Examples
    --------
    >>> memory_budget("1.5G", torch.device("cpu"))
    1610612736
    """
    return free_memory(device) // 4 if max_memory is None else as_bytes(max_memory)


def give_back(device: torch.device) -> None:
    """Give back to the device, or to the system, what this process holds but does not use."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif (libc := _glibc()) is not None:
        libc.malloc_trim(0)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that a device, or the machine, has no more memory.

    PyTorch has a type for devices; of what fails on a CPU, and within libraries of CUDA, only the
    text tells.
    """
    said = (
        "not enough memory", "can't allocate memory", "ALLOC_FAILED", "out of memory",
        "could not create a primitive",  # all that oneDNN says of it
    )  # fmt: skip
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in said)
    )


# Parameters of glibc's mallopt, and what glibc itself raises the thresholds to in time.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_USUAL = {_TRIM_THRESHOLD: 64 * 2**20, _MMAP_THRESHOLD: 32 * 2**20}
_LARGEST = 2**31 - 1
_lock = threading.Lock()
_depth = 0


@contextmanager
def reusing_memory() -> Iterator[None]:
    """Let freed memory be used again within the block instead of going back to the system.

    On Linux, large arrays are by default mapped afresh each time, and the kernel clears every page
    of them before its first use. Feature maps are large and short-lived: without this, half of the
    time of a prediction goes there. Afterwards what is free is given back. Elsewhere it does
    nothing.
    """
    global _depth
    libc = _glibc()
    if libc is None:
        yield
        return
    with _lock:
        _depth += 1
        if _depth == 1:
            for parameter in _USUAL:
                libc.mallopt(parameter, _LARGEST)
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                for parameter, value in _USUAL.items():
                    libc.mallopt(parameter, value)
                libc.malloc_trim(0)


@functools.cache
def _glibc() -> Any:
    if platform.libc_ver()[0] != "glibc":
        return None
    return ctypes.CDLL(None)
