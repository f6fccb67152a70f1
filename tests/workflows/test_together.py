"""`hsi train` by two processes of torchrun: one result, one writer, one message, one end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist

import hsi
from hsi.errors import UsageError
from hsi.training import Run
from hsi.training.ranks import Unshared

PROGRAM = Path(__file__).with_name("train_on_ranks.py")
HALF, WHOLE = 16, 32
SETTINGS = {
    "patch_size": 9, "components": 13, "train": 0.15, "validation": 0.05, "epochs": 3,
    "device": "cpu",
}  # fmt: skip


@pytest.fixture(scope="module")
def torchrun(files, tmp_path_factory):
    """Return a function that runs torchrun and returns what it did."""

    def run(*arguments, more=(), program=(PROGRAM,), **environment):
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
        return subprocess.run(
            [*command, "--standalone", *more, *program, *map(str, arguments)],
            capture_output=True, text=True, cwd=tmp_path_factory.mktemp("here"),
            env=os.environ | {"OMP_NUM_THREADS": "1"} | environment, timeout=600,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def arguments(files):
    """Return the words of a training."""
    options = [(f"--{name.replace('_', '-')}", value) for name, value in SETTINGS.items()]
    words = [word for option in options for word in option]
    return [
        "train", "--dataset", files / "cube.npy", "--labels", files / "truth.npy", *words,
        "--batch-size", HALF,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def together(torchrun, arguments, tmp_path_factory):
    """Return a run of two processes, and what torchrun printed."""
    out = tmp_path_factory.mktemp("together") / "run"
    done = torchrun(*arguments, "--out", out, program=("-m", "hsi"))
    assert done.returncode == 0, done.stderr
    return hsi.Run(out), done


def weights(run):
    return run.classifier.network.state_dict()


@pytest.mark.slow
def test_it_is_the_run_of_one_process(together, scene, tmp_path):
    run, done = together
    alone = hsi.train(scene, out=tmp_path / "run", batch_size=WHOLE, **SETTINGS)
    assert run.config["settings"] == alone.config["settings"]
    assert {each.name for each in run.path.iterdir()} == {
        each.name for each in alone.path.iterdir()
    }
    assert np.array_equal(run.split.train, alone.split.train)
    for name, value in weights(alone).items():
        torch.testing.assert_close(weights(run)[name], value, rtol=0.02, atol=2e-3, msg=name)
    assert run.metrics["oa"] == pytest.approx(alone.metrics["oa"], abs=0.01)
    # It is said once, and the batch of each is what was asked for.
    assert done.stdout.count("OA %") == 1
    assert done.stderr.count(f"2 processes share batches of {WHOLE}, {HALF} each") == 1
    assert "Warning" not in done.stderr


@pytest.mark.slow
def test_after_a_process_was_killed_a_restart_goes_on_to_the_same_bits(
    together, torchrun, arguments, tmp_path
):
    """Once before there is anything to go on from, and once the one that writes."""
    out = tmp_path / "run"
    done = torchrun(*arguments, "--out", out, more=["--max-restarts=2"], KILLED="1:1 0:7")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("another process of this training has ended") == 2
    assert "Process 0 of 2 ends, too." in done.stderr
    assert "Process 1 of 2 ends, too." in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("it goes on in epoch 2") == 1
    for name, value in weights(together[0]).items():
        assert torch.equal(weights(Run(out))[name], value), name
    assert {each.name for each in out.iterdir()} == {
        each.name for each in together[0].path.iterdir()
    }


@pytest.mark.slow
def test_killed_when_it_has_just_made_the_run_it_finds_it_again(torchrun, arguments, tmp_path):
    out = tmp_path / "run"
    done = torchrun(*arguments, "--out", out, more=["--max-restarts=1"], CREATED="1")
    assert done.returncode == 0, done.stderr
    assert Run(out).finished
    assert [each.name for each in tmp_path.iterdir()] == ["run"]


@pytest.fixture(scope="module")
def broken(torchrun, arguments, tmp_path_factory):
    """Return a run of which a process was killed, what torchrun said, and how long it took."""
    out = tmp_path_factory.mktemp("broken") / "run"
    told = out.with_name("told")
    done = torchrun(*arguments, "--out", out, KILLED="1:7", TOLD=str(told))
    return hsi.Run(out), done, time.time() - float(told.read_text())


@pytest.mark.slow
def test_when_a_process_is_killed_all_end_within_ten_seconds(broken):
    run, done, seconds = broken
    assert seconds < 10
    assert done.returncode == 1
    assert "another process of this training has ended" in done.stderr
    advice = f"torchrun --nproc-per-node 2 -m hsi train --resume {run.path}"
    assert f"`{advice}` goes on as if nothing had happened" in done.stderr
    assert not run.finished


@pytest.mark.slow
def test_all_stop_after_the_same_step(torchrun, arguments, tmp_path):
    out = tmp_path / "run"
    done = torchrun(*arguments, "--out", out, STOPPED="1:6")
    assert done.stderr.count("Interrupted.") == 1
    assert "goes on as if nothing had happened" in done.stderr
    # Torchrun says that it got a signal; no process of ours has anything to say beyond that.
    assert done.stderr.count("Traceback") == 1
    assert "SignalException" in done.stderr
    found = Run(out).states.read()
    assert found.computed_with["processes"] == "2"
    place = found.state.place
    assert 6 <= (place.epoch - 1) * 4 + place.done < 12


@pytest.fixture
def one_rank(monkeypatch):
    """Have this process be the only one that torchrun has started."""
    store = dist.TCPStore("127.0.0.1", 0, is_master=True)
    words = {
        "TORCHELASTIC_RUN_ID": "test", "RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",
    }  # fmt: skip
    for name, value in words.items():
        monkeypatch.setenv(name, value)
    # The process of the tests is not to be left.
    monkeypatch.setattr("hsi.cli.main._leave", lambda code: None)
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)
    if dist.is_initialized():
        dist.destroy_process_group()


@pytest.mark.slow
def test_another_number_goes_on_only_if_other_bits_are_accepted(
    broken, together, one_rank, hsi_command
):
    run, *_ = broken
    words = ("train", "--resume", run.path, "--device", "cpu")
    refused = hsi_command(*words)
    assert refused.code == 1
    assert "processes was 2, is 1" in refused.err
    dist.destroy_process_group()
    done = hsi_command(*words, "--not-bitwise")
    assert (done.code, done.out.count("OA %")) == (0, 1)
    # The batch is what it was.
    for name, value in weights(together[0]).items():
        torch.testing.assert_close(weights(run)[name], value, rtol=0.02, atol=2e-3, msg=name)


def test_a_taken_folder_is_refused(one_rank, hsi_command, files, run):
    scene = ("--dataset", files / "cube.npy", "--labels", files / "truth.npy")
    refused = hsi_command("train", *scene, "--device", "cpu", "--out", run.path)
    assert refused.code == 1
    assert refused.err.count("already holds a run") == 1


def test_what_cannot_be_shared_is_refused(one_rank, hsi_command, files):
    scene = ("--dataset", files / "cube.npy", "--labels", files / "truth.npy")
    refused = hsi_command("train", *scene, "--model", "svm", "--device", "cpu")
    assert (refused.code, refused.out) == (2, "")
    assert "svm is not trained in steps that processes could share" in refused.err


def test_other_commands_are_the_work_of_one(one_rank, hsi_command, monkeypatch, run):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for command in ("map", "evaluate", "bench", "transfer"):
        refused = hsi_command(command, run.path)
        assert refused.code == 2
        assert f"2 processes of `hsi {command}`" in refused.err
    monkeypatch.delenv("TORCHELASTIC_RUN_ID")  # a container may set the others
    assert hsi_command("evaluate", run.path).code == 0


def test_a_device_in_particular_is_refused(monkeypatch):
    monkeypatch.setattr("hsi.training.ranks.resolve_device", torch.device)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert Unshared("cuda", 1).resolve() == torch.device("cuda", 1)
    assert Unshared("cpu", 5).resolve() == torch.device("cpu")
    with pytest.raises(UsageError, match="CUDA device 2, of 2"):
        Unshared("cuda", 2).resolve()
    with pytest.raises(UsageError, match="CUDA_VISIBLE_DEVICES"):
        Unshared("cuda:1", 1).resolve()
