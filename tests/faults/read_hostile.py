"""What `test_hostile_files` runs in a process of its own, with its names given from outside."""

# ruff: noqa: F821, BLE001

import json
import os
import resource
import runpy
import warnings
from pathlib import Path

doors = runpy.run_path(doors)
warnings.simplefilter("error")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
doors["limit"](memory)
try:
    with doors["in_time"](seconds):
        said = doors["refusal"](read, Path(opened), options, [Path(opened).name])
    answer = {"said": said}
except BaseException as error:
    answer = {"wrong": doors["described"](error)}
answer["peak"] = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
Path(out).write_text(json.dumps(answer))
os._exit(0)
