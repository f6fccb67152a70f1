"""The doors by which files come in, and what may come out: run in a process of its own.

Loaded with `runpy`, since tests are no package.
"""

import json
import resource
import signal
import traceback
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

import hsi
from hsi.errors import HsiError
from hsi.photographs import find_photographs
from hsi.photographs.decode import read_photograph as decode
from hsi.photographs.decode import square, without_pillow_warnings
from hsi.sums import seal
from hsi.training import Settings
from hsi.training.model_file import _place_of_sum
from hsi.training.photograph_classifier import PhotographClassifier
from hsi.training.state_file import States
from hsi.workflows.splitting import split_for, with_split

torch.set_num_threads(1)
MOST_LINES, MOST_LETTERS, SHOWN = 5, 5100, 300
# Of a scene that claims more, the first and the last rows are read.
MOST_BYTES = 2**25
FIRST = 2**20


def look(scene):
    """Read all pixels."""
    if np.prod(scene.shape, dtype=float) * np.dtype(scene.cube.dtype).itemsize > MOST_BYTES:
        rows = max(1, FIRST // (scene.cols * scene.bands))
        for part in (slice(rows), slice(-rows, None)):
            np.asarray(scene.cube[part])
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


def read_name(name, options):
    look(hsi.load_scene(str(name)))


def read_recipe(path, options):
    Settings().changed(recipe=path)


def read_split(path, options):
    scene = hsi.load_scene(path.with_name("scene.npz"), labels_key="gt")
    split_for(scene, with_split(Settings().changed(split_file=str(path), patch_size=3), scene))


def read_config(path, options):
    run = hsi.Run(path.parent)
    _ = run.settings, run.source


def read_transfer_config(path, options):
    run = hsi.TransferRun(path.parent)
    _ = run.settings, run.config


def read_metrics(path, options):
    _ = hsi.Run(path.parent).metrics


def with_right_sum(path):
    """Write the sum of a model into it, so that what else is wrong with it is met."""
    length = int.from_bytes(path.read_bytes()[:8], "little")
    place = _place_of_sum(path) if length < path.stat().st_size else None
    if place is not None:
        seal(path, place)


def read_model(path, options):
    if options.get("right_sum"):
        with_right_sum(path)
    hsi.Classifier.load(path)


def read_photograph_model(path, options):
    if options.get("right_sum"):
        with_right_sum(path)
    PhotographClassifier.load(path)


def read_states(path, options):
    if options.get("right_sum"):
        with_right_sum(path)
    States(path.parent).read()


def read_weights(path, options):
    hsi.build_backbone("lenet5", channels=1, classes=2, weights=path)


def read_photograph(path, options):
    with without_pillow_warnings():
        square(decode(path), 16)


def read_photographs(path, options):
    found, others = find_photographs(path)
    for each in found:
        read_photograph(each, {})
    (path / "left.json").write_text(json.dumps([str(each.path) for each in others]))


DOORS = {
    name.removeprefix("read_"): door for name, door in globals().items() if name.startswith("read_")
}


def refusal(door, path, options, names):
    """Return the message with which a file is refused, None where it is read; raise all else."""
    try:
        DOORS[door](path, options)
    except HsiError as error:
        text = str(error)
        if "it took more than" in text:
            raise TimeoutError(text) from error
        if len(text.splitlines()) > MOST_LINES:
            raise ValueError(f"{len(text.splitlines())} lines: {text[:SHOWN]!r}") from error
        if len(text) > MOST_LETTERS:
            raise ValueError(f"{len(text):,} letters: {text[:SHOWN]!r}") from error
        if not any(name in text for name in names):
            raise ValueError(f"names no file: {text[:SHOWN]!r}") from error
        return text
    return None


def described(error):
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {str(error)[:SHOWN]!r} at {where.filename}:{where.lineno}"


def limit(memory):
    """Let this process have so much more memory than it has."""
    status = Path("/proc/self/status").read_text()
    now = 1024 * int(status.split("VmData:")[1].split()[0])
    resource.setrlimit(resource.RLIMIT_DATA, (now + memory, now + memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def in_time(seconds):
    """End this process by a signal after so many seconds of computing, or sixfold of waiting."""
    for timer, most in ((signal.ITIMER_PROF, seconds), (signal.ITIMER_REAL, 6 * seconds)):
        signal.setitimer(timer, most)
    try:
        yield
    finally:
        for timer in (signal.ITIMER_PROF, signal.ITIMER_REAL):
            signal.setitimer(timer, 0)
