"""A graph in onnxruntime, on processors, with errors in words for the user."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.deployed.description import CUBE
from hsi.deployed.optional import check_onnx
from hsi.errors import OutOfMemoryError, RunError

# How onnxruntime says that there is no more memory.
NO_MEMORY = ("bad_alloc", "Failed to allocate memory", "bad allocation")
ONLY_ERRORS = 3


class Session:
    """A graph that is ready to be run.

    As many threads are used as ``OMP_NUM_THREADS`` says, or as there are processors for this
    process.

    Parameters
    ----------
    path : Path
        Where it came from, for messages.
    content : bytes
        The file.

    Raises
    ------
    RunError
        If onnxruntime cannot make anything of it.
    UsageError
        If onnxruntime is not installed.
    """

    def __init__(self, path: Path, content: bytes) -> None:
        check_onnx("onnxruntime")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads(), 1
        options.log_severity_level = ONLY_ERRORS
        # What a large tile took would be kept for good.
        options.enable_cpu_mem_arena = False
        self.path = path
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except _errors() as error:
            raise self._error("cannot load", error) from error

    def run(self, outputs: list[str], cube: NDArray[np.float32]) -> list[NDArray[Any]]:
        """Return some outputs of the graph for a cube.

        Raises
        ------
        RunError
            If it cannot be computed.
        OutOfMemoryError
            If there is not enough memory.
        """
        try:
            found: list[NDArray[Any]] = self._session.run(outputs, {CUBE: cube})
        except _errors() as error:
            raise self._error("cannot compute", error) from error
        return found

    def _error(self, what: str, error: Exception) -> RunError | OutOfMemoryError:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        if any(words in str(error) for words in NO_MEMORY):
            return OutOfMemoryError(
                f"not enough memory to run {self.path}\nA smaller --max-memory needs less."
            )
        return RunError(f"onnxruntime {what} {self.path}: {reason}")


def threads() -> int:
    """Return how many threads to compute with."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isascii() and asked.isdigit() and int(asked) > 0:
        return int(asked)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def _errors() -> tuple[type[Exception], ...]:
    """Return what onnxruntime raises: types of its own, without one above them."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [each for each in vars(state).values() if isinstance(each, type)]
    return (RuntimeError, *(each for each in own if issubclass(each, Exception)))
