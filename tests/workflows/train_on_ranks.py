"""What `test_together` runs under torchrun: `hsi`, that writes a state after every step.

In the step that the environment names, a rank is killed (the first of `KILLED` before any restart,
the next after one), or torchrun is asked to stop. With `CREATED`, the first is killed as soon as it
has made the run.
"""

import os
import signal
import sys
import time
from pathlib import Path

from hsi.cli.main import main
from hsi.training import Run
from hsi.training.shared_steps import SharedSteps
from hsi.workflows import kept

kept.CHECKPOINT_SECONDS = 0.0
steps, learn = 0, SharedSteps.learn
kills = os.environ.get("KILLED", "").split()


def counted(shared, *arguments):
    global steps
    steps += 1
    step = f"{shared.ranks.rank}:{steps}"
    if step in kills[shared.ranks.launched.restarts :][:1]:
        if "TOLD" in os.environ:
            Path(os.environ["TOLD"]).write_text(repr(time.time()))
        os.kill(os.getpid(), signal.SIGKILL)
    if step == os.environ.get("STOPPED"):
        os.kill(os.getppid(), signal.SIGTERM)
    if "STOPPED" in os.environ:
        time.sleep(0.2)  # torchrun looks around ten times a second
    return learn(shared, *arguments)


create = Run.create.__func__


def killed_after(cls, *arguments, **options):
    run = create(cls, *arguments, **options)
    if "CREATED" in os.environ and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
        os.kill(os.getpid(), signal.SIGKILL)
    return run


Run.create = classmethod(killed_after)
SharedSteps.learn = counted
sys.argv[0] = "hsi"
main()
