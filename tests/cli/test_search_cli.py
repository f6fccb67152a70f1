"""``hsi search``."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hsi
from hsi.cli.search_display import SearchDisplay
from hsi.workflows.search.journal import Tally
from hsi.workflows.search.rows import Row

SPACE = """
model = ["hybridsn", "hybridsn-dw"]
attention = ["none", "eca"]
patch_size = [9, 11]
components = 13
[recipe]
epochs = 2
batch_size = 64
learning_rate = { low = 1e-3, high = 1e-2, log = true }
"""


@pytest.fixture
def quick(files, tmp_path):
    """Arguments of a search of short trainings in the small scene."""
    (tmp_path / "space.toml").write_text(SPACE)
    return (
        "search", "--dataset", files / "cube.npy", "--labels", files / "truth.npy",
        "--space", tmp_path / "space.toml", "--train", "0.15", "--validation", "0.15",
        "--device", "cpu", "--out", tmp_path / "found",
    )  # fmt: skip


def test_settings_of_a_training_are_kept_by_fix(hsi_command, quick):
    done = hsi_command(*quick, "--patch-size", "9")
    assert done.code == 2
    assert "--fix patch-size=VALUE" in done.err
    assert "Did you mean" in hsi_command(*quick, "--trails", "9").err


def test_the_time_left_is_that_of_the_trials_since_the_beginning(monkeypatch, capsys):
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    row = Row(
        number=0, outcome="pruned", value=None, spread=None, accuracies={}, settings=None,
        epochs=None, seconds=2.0, reason=None, usual=False,
    )  # fmt: skip
    with SearchDisplay("aa") as display:
        display.begun(None, Tally(3, 0, 1, 0), 10, [])
        now += 30
        # Two processes have finished one each: 15 s for a trial, and four are left.
        display.finished(row, Tally(3, 2, 1, 2))
        now += 30
        display.finished(row, Tally(3, 6, 1, 0))
    first, last = capsys.readouterr().err.splitlines()[1:]
    assert first == "trial 6/10  ended early  2.0 s  about 1.0 min left"
    assert last == "trial 10/10  ended early  2.0 s"


def test_it_ends_with_the_best_trials_and_the_command_to_train(hsi_command, quick, tmp_path):
    done = hsi_command(*quick, "--trials", "4", "--split", "blocks", "--seed", "3")
    assert done.code == 0
    found = json.loads((tmp_path / "found" / "search.json").read_text())
    best = found["best"]
    assert "The best of 4 trials" in done.out
    assert f"{100 * best['value']:.2f}" in done.out
    assert "What matters cannot be told: " in done.out
    assert re.search(r"Usual settings \(trial 0\): [\d.]+ %; best: [\d.]+ %", done.out)
    lines = done.err.splitlines()
    assert [line.split("  ")[0] for line in lines if line.startswith("trial")] == [
        f"trial {number}/4" for number in range(1, 5)
    ]
    shown = [line for line in lines if line.startswith("trial")]
    assert [bool(re.search(r"  about .* left$", line)) for line in shown] == [True] * 3 + [False]
    # The command trains on the same pixels, with the same result in validation.
    command = shlex.split(done.out.splitlines()[-1])
    assert command[0] == "hsi"
    assert "--guard" in command
    trained = hsi_command(*command[1:], "--out", "run", "--device", "cpu")
    assert trained.code == 0, trained.err
    history = (Path("run") / "history.csv").read_text().splitlines()[1:]
    assert max(float(row.split(",")[3]) for row in history) == pytest.approx(best["oa"])
    assert hsi.Run("run").settings.model == best["model"]


def test_json_is_all_of_standard_output(hsi_command, quick, tmp_path):
    done = hsi_command(*quick, "--trials", "2", "--json")
    printed = json.loads(done.out)
    assert printed["trials"]["complete"] == 2
    assert printed["search"] == str(tmp_path / "found")
    assert "--recipe" in printed["train_command"]
    again = hsi_command(*quick, "--trials", "2", "--json")
    assert json.loads(again.out)["best"] == printed["best"]
    assert "Continuing: 2 of 2 trials are finished." in again.err


def test_what_is_fixed_is_not_searched(hsi_command, quick, tmp_path):
    (tmp_path / "start.toml").write_text("[recipe]\nweight_decay = 0.5\n")
    done = hsi_command(
        *quick, "--trials", "3", "--fix", "attention=eca", "--fix", "patch-size=9",
        "--model", "hybridsn", "--model", "hybridsn-2d3d", "--recipe", tmp_path / "start.toml",
    )  # fmt: skip
    assert done.code == 0
    config = json.loads((tmp_path / "found" / "search.json").read_text())["config"]
    assert config["space"].keys() == {"model", "learning_rate"}
    assert config["space"]["model"] == ["hybridsn", "hybridsn-2d3d"]
    assert config["settings"]["attention"] == "eca"
    assert config["settings"]["patch_size"] == 9
    assert config["settings"]["recipe"]["weight_decay"] == 0.5
    text = (tmp_path / "found" / "recipe.toml").read_text()
    assert 'attention = "eca"' in text
    assert "weight_decay = 0.5" in text


def test_without_optuna_it_says_how_to_get_it(hsi_command, quick, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    done = hsi_command(*quick)
    assert done.code == 2
    assert done.err.splitlines() == [
        "Error: a search needs optuna, which is not installed",
        'In the clone of the repository: python -m pip install -c constraints.txt -e ".[search]"',
    ]
    assert not (tmp_path / "found").exists()


def wait_for(condition, *, process, seconds=120):
    """Wait until something is the case, as long as a process lives."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def begun_by(folder):
    """Return the processes that have begun a trial, and how many trials have ended."""
    journal = folder / "search.journal"
    text = journal.read_text() if journal.is_file() else ""
    processes = set(re.findall(r'"process":"([0-9a-f]+)"', text))
    return processes, len(re.findall(r'"values":\[', text))


def finished(folder):
    """Return how many trials are finished, as another process reads it."""
    from hsi.workflows.search.journal import Journal, tally

    journal = Journal(folder, seed=0, prune=True)
    try:
        with journal.claiming():
            journal.void_abandoned()
        return tally(journal.trials)
    finally:
        journal.close()


@pytest.mark.slow
def test_one_that_is_started_meanwhile_joins_and_an_interrupt_keeps_what_is_finished(
    start_hsi, hsi_command, quick, tmp_path
):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    endless = (*quick, "--trials", "100000")
    folder = tmp_path / "found"
    both = [start_hsi(*endless, **pipes) for _ in range(2)]

    def each_has_finished_one():
        processes, ended = begun_by(folder)
        return len(processes) == 2 and ended >= 3

    wait_for(each_has_finished_one, process=both[0])
    for process in both:
        process.send_signal(signal.SIGINT)
    said = [process.communicate(timeout=60) for process in both]
    for process, (out, err) in zip(both, said, strict=True):
        assert process.returncode == 130, err
        assert out == ""
        assert re.fullmatch(
            rf"Interrupted\. \d+ of 100000 trials are finished and kept in {folder}; the same "
            r"command continues\.",
            err.splitlines()[-1],
        )
        assert "Traceback" not in err
    assert list(folder.glob(".search/process-*")) == []
    counts = finished(folder)
    assert counts.running == 0
    assert counts.finished >= 3
    done = hsi_command(*quick, "--trials", counts.finished + 1, "--json")
    assert sum(json.loads(done.out)["trials"].values()) == counts.finished + 1


def children(process):
    """Return the processes that a process has started."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(each) for each in listed.read_text().split()]


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that has ended may not have been asked for yet.
    return " Z " not in Path(f"/proc/{pid}/stat").read_text()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to find children")
def test_a_process_that_is_killed_is_replaced_and_an_interrupt_stops_all(
    start_hsi, quick, tmp_path
):
    process = start_hsi(
        *quick, "--trials", "100000", "--jobs", "2",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    folder = tmp_path / "found"
    wait_for(lambda: len(begun_by(folder)[0]) == 2, process=process)
    lost, other = children(process)
    os.kill(lost, signal.SIGKILL)
    # One that takes its place begins a trial.
    wait_for(lambda: len(begun_by(folder)[0]) == 3, process=process)
    now = children(process)
    assert lost not in now
    assert other in now
    assert len(now) == 2
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command continues" in err
    assert not any(map(is_there, now))
    assert list(folder.glob(".search/process-*")) == []
    counts = finished(folder)
    assert counts.failed == counts.running == 0


@pytest.mark.slow
def test_a_process_ends_when_whoever_started_it_is_gone(hsi_command, quick, tmp_path):
    """Its standard input closes then, however the other has ended."""
    hsi_command(*quick, "--trials", "1")
    folder = tmp_path / "found"
    process = subprocess.Popen(
        [sys.executable, "-m", "hsi.workflows.search.process", folder, "100000", "cpu", "1"],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for(lambda: len(begun_by(folder)[0]) == 2, process=process)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == ""
    assert finished(folder).running == 0


@pytest.mark.slow
def test_several_processes_finish_what_is_asked_for(hsi_command, quick, tmp_path):
    done = hsi_command(*quick, "--trials", "5", "--jobs", "2", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert sum(found["trials"].values()) == 5
    lines = [line for line in done.err.splitlines() if line.startswith("trial ")]
    assert len(lines) == 5
    assert lines[-1].startswith("trial 5/5")
