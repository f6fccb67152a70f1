"""What `test_killed_beginnings` runs in a process of its own, with its names given from outside.

The process is killed just before the change of a file or folder that has this `number`, from 1.
"""

# ruff: noqa: F821

import os
import signal
import sys

import hsi
from hsi.files import write_text

changes = 0


def killed(event, arguments):
    global changes
    changing = event in ("os.mkdir", "os.remove", "os.rename", "os.rmdir")
    if changing or (event == "open" and arguments[2] & os.O_CREAT):
        changes += str(arguments[0]).startswith(str(out))
        if changes == number:
            os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(killed)
if work == "begin":
    hsi.Run.begun(
        out, config, before=lambda folder: write_text(folder / "split.npz", "of the first")
    )
else:
    run = hsi.Run(out)
    with run.alone():
        run.discard_if_untrained()
