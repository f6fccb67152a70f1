"""Several processes that work on one search, and their end."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch

from hsi.errors import HsiError, RunError

# How often one looks what has become of them, and how long they may take to stop.
SECONDS, PATIENCE = 0.5, 15.0


@dataclass
class _Started:
    """A process, what it complains of, and how many trials there were when it began."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    trials: int


def work_in_processes(
    folder: Path,
    *,
    jobs: int,
    total: int,
    device: str,
    trials: Callable[[], int],
    look: Callable[[], None],
    home: Path | None = None,
) -> None:
    """Let so many processes work on the search in `folder` until `total` trials are done.

    One that is killed is replaced, unless it did not come as far as a trial.

    Parameters
    ----------
    folder : Path
        Of the search.
    jobs, total : int
        Processes, and trials of the search as a whole.
    device : str
        Where to compute.
    trials : callable
        Returns how many trials were begun so far.
    look : callable
        Called now and then; the processes are stopped by what it raises.
    home : Path, optional
        Where relative paths of scenes begin.

    Raises
    ------
    HsiError
        If a process fails; the others are stopped.
    KeyboardInterrupt
        When all of them have stopped.
    """
    threads = max(1, torch.get_num_threads() // jobs)
    arguments = [str(folder.absolute()), str(total), device, str(threads)]

    def start() -> _Started:
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        command = [sys.executable, "-m", "hsi.workflows.search.process", *arguments]
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            cwd=home,
            env=os.environ | dict.fromkeys(names, str(threads)),
            # An interrupt at the terminal is for the one who started them, and he tells them.
            start_new_session=True,
        )
        return _Started(process, errors, trials())

    with _stopping() as running:
        for _ in range(jobs):
            running.append(start())
        while running:
            time.sleep(SECONDS)
            look()
            for each in [each for each in running if each.process.poll() is not None]:
                running.remove(each)
                if _was_killed(each, began=trials()):
                    running.append(start())


@contextlib.contextmanager
def _stopping() -> Iterator[list[_Started]]:
    """Yield a list for processes; those that are in it at the end are stopped."""
    running: list[_Started] = []
    try:
        yield running
    finally:
        for each in running:
            _close(each.process.stdin)
        deadline = time.monotonic() + PATIENCE
        try:
            for each in running:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    each.process.wait(max(0.0, deadline - time.monotonic()))
        finally:
            for each in running:
                each.process.kill()
                each.process.wait()
                each.errors.close()


def _was_killed(ended: _Started, *, began: int) -> bool:
    """Return whether a process that has ended was killed and may be replaced.

    Raises
    ------
    HsiError
        If it failed.
    """
    code = ended.process.returncode
    _close(ended.process.stdin)
    with ended.errors as file:
        file.seek(0)
        said = file.read().decode(errors="replace").strip()
    if code == 0:
        return False
    if code > 0:
        # What an HsiError says is short; anything else is a defect, which should be seen whole.
        if "Traceback" in said:
            raise RuntimeError(f"a process of the search failed:\n{said}")
        raise HsiError(said or f"a process of the search ended with code {code}")
    if began == ended.trials:
        raise RunError(
            f"a process of the search was ended by signal {-code} before it had begun a trial\n"
            "If memory is short, fewer processes need less (--jobs)."
        )
    return True


def _close(stream: Any) -> None:
    with contextlib.suppress(OSError):
        stream.close()
