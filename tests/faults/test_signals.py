"""Ctrl-C and SIGTERM: what is done is kept and told, and no process is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
import uuid
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the processes of Linux")

TABLE = tomllib.loads(Path(__file__).with_name("cases").joinpath("signals.toml").read_text("utf-8"))
QUICK = "--patch-size 9 --components 13 --train 0.15 --batch-size 16"
# What rows may begin with, and the places that they name.
WORDS = {
    "QUICK": f"{QUICK} --device cpu",
    "SIZES": f"{QUICK} --epochs 20 --device cpu",
    "SEARCHED": "--fix patch-size=9 --fix components=13 --fix epochs=20 --device cpu "
    "--train 0.15 --validation 0.1",
}


@pytest.fixture
def places(files, photographs, run, tmp_path):
    long = np.random.default_rng(0).normal(1000, 300, (6000, 40, 20)).astype(np.float32)
    np.save(tmp_path / "long.npy", long)
    return {
        "FILES": f"--dataset {files}/cube.npy --labels {files}/truth.npy",
        "PAIR": f"--scene {files}/cube.npy --labels {files}/truth.npy --second rgb",
        "images": photographs, "run": run.path, "long": tmp_path / "long.npy", **WORDS,
    }  # fmt: skip


def started_by(process, mark):
    """Return the processes of a session, and those whose environment holds a mark."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            session = int((path / "stat").read_text().rpartition(")")[2].split()[3])
            if session == process.pid or mark.encode() in (path / "environ").read_bytes():
                found.append(int(path.name))
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            continue  # it is another user's, or has ended meanwhile
    return found


def wait_for(process, when, folder):
    """Wait until a line on standard error, or a file, says that there is something to keep."""
    if not when.startswith("@"):
        for line in process.stderr:
            if line.startswith(when):
                return
        pytest.fail("it ended before it could be stopped")
    path = folder / when[1:]
    while not (path.is_file() and path.read_bytes().count(b"\n") > 1):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("case", TABLE["case"], ids=lambda case: case["id"])
def test_a_request_to_stop(start_hsi, places, tmp_path, counted, case):
    mark = f"mark-{uuid.uuid4()}"
    number = getattr(signal, case["signal"])
    words = case["fault"].format(**places).split()
    process = start_hsi(
        *words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={"HSI_MARK": mark, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    wait_for(process, case["when"], tmp_path)
    for _ in range(case["times"]):
        process.send_signal(number)
        time.sleep(0.05)
    began = time.monotonic()
    _, said = process.communicate(timeout=120)
    if case["times"] == 1:
        assert process.returncode == 128 + number, said
    else:  # the second may come when the first has done its work already
        assert process.returncode in (-number, 128 + number), said
        assert time.monotonic() - began < 20
    assert "Traceback" not in said
    for word in case["expected"]:
        assert word in said
    end = time.monotonic() + 20
    while left := started_by(process, mark):
        assert time.monotonic() < end, left
        time.sleep(0.1)
    counted("signals", "requests to stop")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["raised", "stopped", "failed", "finished"])
def test_an_interrupt_at_each_line_until_the_process_has_ended(how, counted):
    program = Path(__file__).with_name("interrupt_each_line.py")
    made = subprocess.run([sys.executable, program, how], capture_output=True, check=True)
    ends = [json.loads(line) for line in made.stdout.splitlines()]
    assert len(ends) > 100
    for code, said in ends:
        assert code in (130, -signal.SIGINT), said
        # Python says "Exception ignored in" of what comes while it cleans up.
        assert "Traceback" not in said
        assert "ignored" not in said
    last = {"failed": "Error: it cannot be", "finished": ""}.get(how, "What is done is kept.")
    assert last in ends[-1][1]
    counted("signals", "interrupts at each line of an end", len(ends))


@pytest.mark.slow
def test_an_interrupt_at_the_terminal_reaches_a_worker_that_starts(start_hsi, places):
    for seconds in (0.1, 0.2, 0.4, 0.8):  # in the midst of its imports
        out = f"--out new{seconds}"
        words = f"bench {places['FILES']} --model svm --seeds 9 --jobs 2 {out} {places['SIZES']}"
        process = start_hsi(
            *words.split(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        while not any(b"spawn_main" in command for command in commands_of(process)):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130, said
        assert "Traceback" not in said


def commands_of(process):
    """Return the command lines of the processes of a session."""
    found = []
    for pid in started_by(process, "no mark"):
        try:
            found.append(Path(f"/proc/{pid}/cmdline").read_bytes())
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
    return found
