"""Commands whose standard output is not read; a script, so that they share one start of Python.

``python closed_output.py COMMANDS.json`` runs each of the command lines in a process forked from
this one, as `hsi` itself would: to the end of the interpreter, which flushes what is left. It
prints a JSON line for each: its exit code, and what it said on standard error.

How the output is closed: "pipe" has nobody at its other end, as after ``| head -1``; "closed" is
no file at all, as with ``>&-``; "both" are closed, errors too.
"""

import gc
import json
import os
import sys
import tempfile
from pathlib import Path

import torch

import hsi
from hsi.cli.main import main

torch.set_num_threads(1)


def close(how):
    """Let nothing that is printed arrive."""
    if how == "pipe":
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, 1)
        return
    os.close(1)
    sys.stdout = None
    if how == "both":
        os.close(2)
        sys.stderr = None


def start(words, how, errors):
    """Become the command; returns in the process of the command only, when it is to begin."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    os.dup2(errors.fileno(), 2)
    close(how)
    sys.argv = ["hsi", *words]
    return None


# What is imported and prepared at first use takes longer than the commands.
with tempfile.TemporaryDirectory() as folder:
    hsi.train(
        hsi.load_scene("synthetic"), out=Path(folder) / "run", patch_size=9, components=13,
        train=10, epochs=1, device="cpu",
    )  # fmt: skip
gc.freeze()  # or the end of each process looks through all that
for words, how in json.loads(Path(sys.argv[1]).read_text("utf-8")):
    with tempfile.TemporaryFile() as errors:
        code = start(words, how, errors)
        if code is None:
            break
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    os.write(1, (json.dumps({"code": code, "err": said}) + "\n").encode())
else:
    sys.exit()
main()
