"""What `test_fuzzed_files` runs in a process of its own, with its names given from outside.

A damaged file that ends the process, takes too long or too much memory ends this one; `begun`
says then which it was.
"""

# ruff: noqa: F821

import json
import os
import resource
import runpy
import shutil
import signal
import sys
import warnings
from pathlib import Path

import numpy as np
import torch

import hsi
from hsi.errors import HsiError
from hsi.photographs.decode import read_photograph as decode
from hsi.photographs.decode import square, without_pillow_warnings
from hsi.training import Settings
from hsi.training.photograph_classifier import PhotographClassifier
from hsi.training.state_file import States
from hsi.workflows.splitting import split_for

torch.set_num_threads(1)
MOST_LINES, MOST_LETTERS, SHOWN = 5, 5100, 300
# Of a scene that claims more, the first and the last rows are read.
MOST_BYTES = 2**25
FIRST = 2**20


def look(scene):
    rows = max(1, FIRST // max(1, scene.cols * scene.bands))
    if np.prod(scene.shape, dtype=float) * np.dtype(scene.cube.dtype).itemsize > MOST_BYTES:
        np.asarray(scene.cube[:rows]), np.asarray(scene.cube[-rows:])
        return
    np.asarray(scene.cube[:])
    scene.composite()
    repr(scene)


def read_scene(path, options):
    for name in ("labels", "dataset"):
        if name in options:
            options = options | {name: path.parent / options[name]}
    look(hsi.load_scene(**({"dataset": path} | options)))


def read_scenes(path, options):
    look(hsi.load_scenes(path))


def read_recipe(path, options):
    Settings().changed(recipe=path)


def read_split(path, options):
    scene = hsi.load_scene(path.with_name("scene.npz"), labels_key="gt")
    split_for(scene, Settings().changed(split_file=str(path), patch_size=3))


def read_config(path, options):
    run = hsi.Run(path.parent)
    _ = run.settings, run.source


def read_transfer_config(path, options):
    run = hsi.TransferRun(path.parent)
    _ = run.settings, run.config


def read_metrics(path, options):
    _ = hsi.Run(path.parent).metrics


def read_model(path, options):
    hsi.Classifier.load(path)


def read_photograph_model(path, options):
    PhotographClassifier.load(path)


def read_states(path, options):
    States(path.parent).read()


def read_weights(path, options):
    hsi.build_backbone("lenet5", channels=1, classes=2, weights=path)


def read_photograph(path, options):
    with without_pillow_warnings():
        square(decode(path), 16)


DOORS = {
    name.removeprefix("read_"): door for name, door in globals().items() if name.startswith("read_")
}


def outcome(path):
    """Return what is wrong with how a file was read; None if nothing is."""
    try:
        DOORS[case["read"]](path, case.get("options", {}))
    except HsiError as error:
        text = str(error)
        if len(text.splitlines()) > MOST_LINES:
            return f"{len(text.splitlines())} lines: {text[:SHOWN]!r}"
        if len(text) > MOST_LETTERS:
            return f"{len(text):,} letters: {text[:SHOWN]!r}"
        if not any(name in text for name in names):
            return f"names no file: {text[:SHOWN]!r}"
        refused[0] += 1
    except BaseException as error:
        import traceback

        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {str(error)[:SHOWN]!r} at {where.filename}:{where.lineno}"
    return None


def limit():
    status = Path("/proc/self/status").read_text()
    now = 1024 * int(status.split("VmData:")[1].split()[0])
    resource.setrlimit(resource.RLIMIT_DATA, (now + memory, now + memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


mutate = runpy.run_path(mutations)["mutate"]
DOORS[case["read"]](Path(valid) / case["opened"], case.get("options", {}))  # a valid one is read
warnings.simplefilter("error")
whole, other = ((Path(each) / case["damaged"]).read_bytes() for each in (valid, beside))
folder = Path(work)
shutil.copytree(valid, folder, dirs_exist_ok=True)
# A scene is called as its file is.
names = {name for path in folder.iterdir() for name in (path.name, path.stem)}
refused, wrong = [0], []
limit()
for seed in seeds:
    Path(begun).write_text(json.dumps([seed, refused[0], wrong]))
    content = mutate(whole, seed=seed, other=other, text=case.get("text", False))
    if content == whole:
        continue
    # Libraries share what they know of a file that is still open; hence new ones.
    (folder / case["damaged"]).unlink()
    (folder / case["damaged"]).write_bytes(content)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, 6 * seconds)
    amiss = outcome(folder / case["opened"])
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    if amiss:
        wrong.append([seed, amiss])
Path(begun).write_text(json.dumps([None, refused[0], wrong]))
sys.stdout.flush()
os._exit(0)
