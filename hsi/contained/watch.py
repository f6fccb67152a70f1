"""How long another process may work."""

from __future__ import annotations

import subprocess
import threading
from typing import Self


class Watch:
    """Ends a process that works too long; time in which this process stands still is not counted.

    Parameters
    ----------
    process : Popen
        The process.
    seconds : float
        It may take while the block lasts.
    """

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.process, self.left, self.late = process, seconds, False
        self._over = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _watch(self) -> None:
        while self.left > 0:
            step = min(self.left, 1.0)
            if self._over.wait(step):
                return
            self.left -= step
        self.late = True
        self.process.kill()
