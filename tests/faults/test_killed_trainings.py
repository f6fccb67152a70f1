"""Trainings that are killed at any moment go on to the same bits."""

import dataclasses
import json
import os
import random
import runpy
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import hsi
from hsi.atomic import MARK
from hsi.errors import RunError, UsageError

KILLS, MANY_KILLS = 30, 200
PROGRAM = Path(__file__).with_name("train_or_go_on.py")
BRIEF = {
    "patch_size": 9, "components": 13, "train": 0.15, "validation": 0.05, "epochs": 4,
    "batch_size": 32, "device": "cpu", "report": False,
}  # fmt: skip
# What no two trainings share.
TIMES = ("test_first_used", "train_seconds", "map_seconds")


@pytest.fixture(scope="module")
def start(processes):
    """Return a function that trains, or goes on, in a process that has everything imported."""

    def start(work, paths, out):
        given = {"work": work, "paths": paths, "out": out, "settings": BRIEF}
        process = processes.Process(target=runpy.run_path, args=(str(PROGRAM), given))
        process.start()
        return process

    return start


@pytest.fixture(scope="module")
def paths(files):
    return files / "cube.npy", files / "truth.npy"


@pytest.fixture(scope="module")
def whole(start, paths, tmp_path_factory):
    """Return a run that nothing interrupted, and the seconds it took."""
    out = tmp_path_factory.mktemp("whole") / "run"
    for each in ("first", "run"):  # the first of the server's processes is a slow one
        begun = time.monotonic()
        process = start("train", paths, out.with_name(each))
        process.join()
        assert process.exitcode == 0
    return hsi.Run(out), time.monotonic() - begun


def contents(run):
    metrics = {name: value for name, value in run.metrics.items() if name not in TIMES}
    history = [line.rpartition(",")[0] for line in (run.path / "history.csv").read_text().split()]
    files = ("model.safetensors", "class_map.tif", "class_map.json")
    return metrics, history, [(run.path / name).read_bytes() for name in files]


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_to_the_same_bits(
    start, paths, whole, tmp_path, counted, how_many
):
    expected, seconds = contents(whole[0]), whole[1]
    rng = random.Random(1)
    kills = resumed = runs = 0
    wanted = how_many(KILLS, MANY_KILLS)
    while kills < wanted:
        runs += 1
        out = tmp_path / f"run{runs}"
        work = "train"
        while True:
            process = start(work, paths, out)
            process.join(rng.uniform(0, 1.1 * seconds))
            if process.exitcode is None:
                kills += 1
                os.kill(process.pid, signal.SIGKILL)
                process.join()
            else:
                assert process.exitcode == 0, work
            if not (out / "config.toml").is_file():
                shutil.rmtree(out, ignore_errors=True)
                continue
            if hsi.Run(out).finished:
                break
            work = "resume"
            resumed += 1
        assert contents(hsi.Run(out)) == expected
        # Nothing is left of what was killed, or only until somebody would go on with it.
        with pytest.raises(UsageError, match="is finished"):
            hsi.resume(out)
        assert {each.name for each in out.iterdir()} == {
            each.name for each in whole[0].path.iterdir()
        }
    assert resumed >= wanted // 3
    counted("resume", "trainings killed at a random moment", kills)


def test_a_finished_run_is_not_gone_on_with(whole):
    with pytest.raises(UsageError, match=r"is finished\n.*--config"):
        hsi.resume(whole[0])


def test_what_was_left_by_one_killed_when_all_was_written_is_removed(whole, tmp_path):
    run = hsi.Run(shutil.copytree(whole[0].path, tmp_path / "run"))
    left = run.path / "checkpoint"
    left.mkdir()
    (left / "state-1.safetensors").write_bytes(b"of no use any more")
    (left / "SHA256SUMS").touch()
    names = {each.name for each in whole[0].path.iterdir()}
    assert {path.name for path in run.states.paths} >= {"state-1.safetensors"}
    with pytest.raises(UsageError, match=r"is finished\n.*--config"):
        hsi.resume(run)
    assert {each.name for each in run.path.iterdir()} == names


@pytest.fixture
def unfinished(scene, tmp_path, monkeypatch, interrupting):
    """Return a run that was interrupted after five steps."""
    monkeypatch.setattr("hsi.workflows.kept.CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt) as stopped:
        hsi.train(scene, out=tmp_path / "run", progress=interrupting(5), **BRIEF)
    assert f"`hsi train --resume {tmp_path / 'run'}` goes on" in " ".join(stopped.value.__notes__)
    return hsi.Run(tmp_path / "run")


def test_other_conditions_are_refused_or_accepted(unfinished, scene, monkeypatch):
    real = torch.get_num_threads
    monkeypatch.setattr(torch, "get_num_threads", lambda: 77)
    with pytest.raises(RunError, match=r"threads was \d+, is 77\n.*\n?.*--not-bitwise"):
        hsi.resume(unfinished, scene, device="cpu")
    assert not unfinished.finished
    hsi.resume(unfinished.path, scene, bitwise=False, device="cpu", report=False)
    assert hsi.Run(unfinished.path).finished
    assert real() != 77


def test_another_scene_is_refused(unfinished, scene):
    cube = np.asarray(scene.cube).copy()
    cube[5, 6, 7] += 1
    with pytest.raises(RunError, match=r"the values of .* are not those"):
        hsi.resume(unfinished, dataclasses.replace(scene, cube=cube), device="cpu")
    labels = np.where(scene.labels == 14, 0, scene.labels)
    with pytest.raises(RunError, match="the labels of the scene are not those"):
        hsi.resume(unfinished, dataclasses.replace(scene, labels=labels), device="cpu")


def test_the_states_of_another_run_are_refused(unfinished, scene, tmp_path):
    other = hsi.Run.create(
        tmp_path / "other", settings=unfinished.settings.changed(seed=1), source=scene.source,
        split=unfinished.split, labels=scene.labels, cube=scene.fingerprint,
    )  # fmt: skip
    shutil.copytree(unfinished.path / "checkpoint", other.path / "checkpoint")
    with pytest.raises(RunError, match="those of a training with other settings"):
        hsi.resume(other, scene, device="cpu")
    assert not other.trained


def test_files_of_ones_own_in_a_run_are_left_alone(unfinished, scene):
    (unfinished.path / ".notes-personal").mkdir()
    names = [".notes-personal/x", ".split-original.npz", ".config-settings.toml"]
    for name in names:
        (unfinished.path / name).write_text("mine")
    left = unfinished.path / f".model-{MARK}-abcd1234.safetensors"
    left.write_text("half")
    hsi.resume(unfinished, scene, device="cpu", report=False)
    assert not left.exists()
    for name in names:
        assert (unfinished.path / name).read_text() == "mine"


def test_a_damaged_state_is_passed_over_and_said(unfinished, scene, counted):
    newest = max(
        (unfinished.path / "checkpoint").glob("state-*"), key=lambda path: path.stat().st_mtime_ns
    )
    content = bytearray(newest.read_bytes())
    content[-100] ^= 1
    newest.write_bytes(content)
    said = []
    hsi.resume(unfinished, scene, device="cpu", report=False, noted=said.append)
    assert "is damaged" in said[0]
    assert said[1:] == ["it goes on in epoch 1"]
    whole = hsi.train(scene, out=unfinished.path.with_name("whole"), **BRIEF)
    assert contents(hsi.Run(unfinished.path)) == contents(whole)
    counted("atomic and checked", "damaged states, for which the one before was taken")


def test_two_at_once(unfinished, scene, counted):
    with unfinished.alone():
        other = hsi.Run(unfinished.path)
        mine = rf"another process is training .*process {os.getpid()} on "
        with pytest.raises(RunError, match=mine):
            hsi.resume(other, scene, device="cpu")
    # A process that was killed leaves its file, but no lock.
    (unfinished.path / ".lock").write_text("process 1 on elsewhere\n")
    hsi.resume(unfinished, scene, device="cpu", report=False)
    assert not (unfinished.path / ".lock").exists()
    counted("two at once", "locks, held and left behind", 2)
    assert json.loads((unfinished.path / "metrics.json").read_text())["scene"] == scene.name
