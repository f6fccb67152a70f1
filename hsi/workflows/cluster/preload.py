"""What a worker of our own does when it starts: import what tasks need, and leave Ctrl-C to us."""

from __future__ import annotations

import signal
from typing import Any

# Else the first task imports it, and keeps the worker from answering meanwhile.
from hsi.workflows.cluster import strip as strip


def dask_setup(worker: Any) -> None:
    """Ignore interrupts, which a terminal sends to all; called by Dask in the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
