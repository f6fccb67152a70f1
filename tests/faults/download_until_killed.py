"""What `test_killed_downloads` runs in a process of its own, with its names given from outside."""

# ruff: noqa: F821

import os
import signal
import sys

from hsi.downloads import retrieve

os.environ["NO_PROXY"] = "*"
# What changes a folder, and what takes a lock.
CHANGES = ("open", "os.mkdir", "os.chmod", "os.rename", "os.remove", "tempfile.mkstemp")
passed = 0


def count(event, arguments):
    """Count what is about to be done in the cache; kill the process before one of it."""
    global passed
    if event == "fcntl.flock" or (event in CHANGES and folder in str(arguments[0])):
        if passed == kill_before:
            os.kill(os.getpid(), signal.SIGKILL)
        passed += 1


sys.addaudithook(count)
retrieve([address], target, sha256=sha256, size=size)
# One more file, after everything: whoever reads it knows how often a process can be killed.
folder = "nothing more is counted"
counts.write_text(str(passed))
