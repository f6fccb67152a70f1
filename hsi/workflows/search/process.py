"""One process of several that work on a search: ``python -m hsi.workflows.search.process``.

It opens the scene and the split that the folder names, and works until all trials are done. When
its standard input closes, because whoever started it wants it to stop or has ended, it stops, and
its trial is void. Nothing is left behind, however the other ends.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from pathlib import Path

import torch

from hsi.errors import HsiError, RunError
from hsi.inference import resolve_device
from hsi.interrupts import INTERRUPTED
from hsi.scenes import open_scene
from hsi.workflows.search.journal import Journal
from hsi.workflows.search.objective import without_test_labels
from hsi.workflows.search.record import Searched, describe_scene, read_searched, read_split
from hsi.workflows.search.work import Work


def main() -> int:
    """Work on the search that the arguments name; return the exit code."""
    folder, total, device, threads = sys.argv[1:]
    # A shell has interrupts ignored in what it runs in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    try:
        torch.set_num_threads(int(threads))
        _work(Path(folder), int(total), device)
    except KeyboardInterrupt:
        return INTERRUPTED
    except HsiError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _stop_at_end_of_input() -> None:
    # Not through a buffer, whose lock Python could not take when it ends.
    while os.read(0, 4096):
        continue
    _thread.interrupt_main()


def _work(folder: Path, total: int, device: str) -> None:
    searched = Searched.from_table(read_searched(folder))
    scene = open_scene(dict(searched.scene["source"]))
    if describe_scene(scene) != searched.scene:
        raise RunError(f"the scene of {folder} has changed since the search began")
    split = read_split(folder, searched)
    journal = Journal(folder, seed=searched.settings.seed, prune=searched.prune)
    try:
        Work(
            scene=without_test_labels(scene, split),
            split=split,
            searched=searched,
            journal=journal,
            device=resolve_device(device),
        ).until(total)
    finally:
        journal.close()


if __name__ == "__main__":
    sys.exit(main())
