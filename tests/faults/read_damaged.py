"""What `test_fuzzed_files` runs in a process of its own, with its names given from outside.

A damaged file that ends the process, takes too long or too much memory ends this one; `begun`
says then which it was.
"""

# ruff: noqa: F821, BLE001

import json
import os
import resource
import runpy
import shutil
import warnings
from pathlib import Path

from hsi.contained import HELPER
from hsi.scenes.readers import contained
from hsi.testing.mutations import mutate

doors = runpy.run_path(doors)
options, folder = case.get("options", {}), Path(work)
whole, other = ((Path(each) / case["damaged"]).read_bytes() for each in (valid, beside))
shutil.copytree(valid, folder, dirs_exist_ok=True)
# The process in which libraries read files begins with the first of them, and is limited, too.
assert not HELPER.alive
doors["limit"](memory)
# A scene is called as its file is.
names = [str(folder), *(name for path in folder.iterdir() for name in (path.name, path.stem))]
if (refused := doors["refusal"](case["read"], folder / case["opened"], options, names)) is not None:
    raise ValueError(f"a valid file is refused: {refused}")
warnings.simplefilter("error")
contained._PATIENCE = 3.0 * seconds
refused, wrong = 0, []


# Opened once: a system may take as long for that as for what is tested.
told = Path(begun).open("wb", buffering=0)  # noqa: SIM115 - closed with the process


def report(seed):
    used = resource.getrusage(resource.RUSAGE_SELF)
    said = json.dumps([seed, refused, wrong, used.ru_utime + used.ru_stime])
    told.seek(0)
    told.write(f"{said}\n".encode())  # what is left of a longer one, follows


for seed in seeds:
    report(seed)
    content = mutate(whole, seed=seed, other=other, text=case.get("text", False))
    # Libraries share what they know of a file that is still open; hence new ones.
    (folder / case["damaged"]).unlink()
    (folder / case["damaged"]).write_bytes(content)
    try:
        with doors["in_time"](seconds):
            said = doors["refusal"](case["read"], folder / case["opened"], options, names)
        refused += said is not None
    except BaseException as error:
        wrong.append([seed, doors["described"](error)])
report(None)
os._exit(0)
