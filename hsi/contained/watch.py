"""How long another process may work."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# So long at most the watch looks away.
_STEP_SECONDS = 1.0


class Watch:
    """Ends a process that works too long; time in which this process stands still is not counted.

    One thread serves all that the process does, since one for each call would take longer than
    most calls. Of one that begins while another has just ended, up to a second is not counted.

    Parameters
    ----------
    process : Popen
        The process.

    Attributes
    ----------
    late : bool
        Whether the process was ended.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self.late = process, False
        self._left: float | None = None
        self._begun = 0
        self._asleep = self._over = False
        self._changed = threading.Condition()
        threading.Thread(target=self._watch, daemon=True).start()

    @contextmanager
    def over(self, seconds: float) -> Iterator[None]:
        """Let the process work so long while the block lasts."""
        with self._changed:
            self._left, self._begun = seconds, self._begun + 1
            if self._asleep:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._left = None

    def close(self) -> None:
        """Watch no more."""
        with self._changed:
            self._over = True
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            seen = 0
            while not self._over:
                if self._left is None and self._begun == seen:
                    self._asleep = True
                    self._changed.wait()
                    self._asleep = False
                    continue
                seen = self._begun
                step = min(_STEP_SECONDS if self._left is None else self._left, _STEP_SECONDS)
                self._changed.wait(step)
                if self._left is None or self._begun != seen:
                    continue
                self._left -= step
                if self._left <= 0:
                    self.late = True
                    self.process.kill()
                    return
