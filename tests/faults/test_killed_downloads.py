"""Downloads that are killed leave nothing to be trusted; processes at one time get a file once."""

import contextlib
import hashlib
import random
import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hsi import downloads

HERE = Path(__file__).parent
PROGRAM = HERE / "download_until_killed.py"
SERVER = runpy.run_path(str(HERE / "misbehaving_server.py"))["MisbehavingServer"]
CONTENT = random.Random(0).randbytes(240_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
CARD = """
title = "A field"
[cube]
name = "image.npy"
addresses = ["{address}"]
sha256 = "{sha256}"
"""
PROCESSES = 8


@pytest.fixture
def server(bare_machine, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    server = SERVER(CONTENT)
    yield server
    server.close()


@pytest.fixture
def target(bare_machine):
    return bare_machine / "field" / "image.npy"


@pytest.fixture
def start(server, target, tmp_path, processes):
    """Return a function that downloads in another process, which may be killed before a step."""
    started = []

    def start(kill_before=None):
        given = {
            "address": f"{server.address}/image.npy", "target": target, "sha256": SHA256,
            "size": len(CONTENT), "folder": str(target.parent), "kill_before": kill_before,
            "counts": tmp_path / "counts",
        }  # fmt: skip
        started.append(processes.Process(target=runpy.run_path, args=(str(PROGRAM), given)))
        started[-1].start()
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.join()


def get(server, target):
    downloads.retrieve([f"{server.address}/image.npy"], target, sha256=SHA256, size=len(CONTENT))


def whole_or_absent(target):
    return not target.exists() or target.read_bytes() == CONTENT


def alone_and_whole(target):
    return target.read_bytes() == CONTENT and list(target.parent.iterdir()) == [target]


def test_killed_before_each_step(start, server, target, tmp_path, counted):
    process = start()
    process.join()
    assert process.exitcode == 0
    assert alone_and_whole(target)
    steps = int((tmp_path / "counts").read_text())
    assert steps >= 10  # folders, lock, temporary file, its writing, mode, name, end of the lock
    left = 0
    for step in range(steps):
        shutil.rmtree(target.parents[1])
        process = start(kill_before=step)
        process.join()
        assert process.exitcode == -signal.SIGKILL, step
        assert whole_or_absent(target), step
        left += any(path != target for path in target.parent.glob("*"))
        get(server, target)
        assert alone_and_whole(target), step
    assert left >= 5  # else nothing was there to be cleaned up
    counted("downloads", "kills", steps)


@pytest.mark.parametrize("place", ["request", "head", "half", "end"])
def test_killed_while_it_waits_for_the_server(place, start, server, target, counted):
    server.answers["/image.npy"] = [{"gate": place, "length": "not told"}]
    process = start()
    assert server.reached.wait(60)
    if place in ("half", "end"):
        # Until a piece of it is on the disk.
        wait_until(lambda: any(each.stat().st_size for each in target.parent.glob(".image-*")))
    process.kill()
    process.join()
    assert not target.exists()
    assert any(target.parent.iterdir())
    server.answers.clear()
    get(server, target)
    assert alone_and_whole(target)
    counted("downloads", "kills")


def test_killed_at_any_moment(start, server, target, counted, how_many):
    kills, rng = how_many(20, 400), random.Random(1)
    server.answers["/image.npy"] = [{"pause": 0.002}]
    begun = time.monotonic()
    start().join()
    seconds = time.monotonic() - begun
    done = 0
    while done < kills:
        target.unlink(missing_ok=True)
        process = start()
        process.join(rng.uniform(0, seconds))
        if process.exitcode is None:
            process.kill()
            done += 1
        process.join()
        assert whole_or_absent(target)
    get(server, target)
    assert alone_and_whole(target)
    counted("downloads", "kills", kills)


@contextlib.contextmanager
def many_commands(server, tmp_path):
    """Start `hsi scenes fetch` many times at once; yield the processes."""
    card = tmp_path / "field.toml"
    card.write_text(CARD.format(address=f"{server.address}/image.npy", sha256=SHA256))
    command = [sys.executable, "-m", "hsi", "scenes", "fetch", str(card)]
    with contextlib.ExitStack() as stack:
        processes = []
        for _ in range(PROCESSES):
            process = subprocess.Popen(
                command, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            processes.append(stack.enter_context(process))
            stack.callback(process.kill)
        yield processes


def owner_and_waiting(processes, target):
    """Wait until one has the lock and all others say so; return it and them."""
    lock = target.parent / ".lock"
    wait_until(lambda: lock.exists() and lock.read_text().startswith("process "))
    number = int(lock.read_text().split()[1])
    (owner,) = (each for each in processes if each.pid == number)
    waiting = [each for each in processes if each is not owner]
    for each in waiting:
        said = each.stderr.readline()
        assert said.startswith(f"Waiting for process {number} on ")
        assert said.endswith(f", which downloads into {target.parent}\n")
    return owner, waiting


@pytest.mark.slow
def test_many_processes_at_one_time_get_it_once(server, target, tmp_path, counted):
    server.answers["/image.npy"] = [{"gate": "half"}]
    with many_commands(server, tmp_path) as processes:
        owner_and_waiting(processes, target)
        server.gate.set()
        for process in processes:
            out, error = process.communicate()
            assert (process.returncode, out, error) == (0, f"{target}\n", "")
    assert server.asked == ["/image.npy"]
    assert alone_and_whole(target)
    counted("downloads", "processes at one time", PROCESSES)


@pytest.mark.slow
def test_where_the_one_that_downloads_is_killed_one_other_does_it(
    server, target, tmp_path, counted
):
    server.answers["/image.npy"] = [{"gate": "half"}, {}]
    with many_commands(server, tmp_path) as processes:
        owner, waiting = owner_and_waiting(processes, target)
        owner.kill()
        for process in waiting:
            out, error = process.communicate()
            assert (process.returncode, out, error) == (0, f"{target}\n", "")
    assert server.asked == ["/image.npy"] * 2
    assert alone_and_whole(target)
    counted("downloads", "processes at one time", PROCESSES)


def test_who_is_interrupted_while_downloading_leaves_nothing(server, target, monkeypatch):
    server.answers["/image.npy"] = [{"gate": "half"}]

    def interrupt(progress, received):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(downloads._Progress, "update", interrupt)
        with pytest.raises(KeyboardInterrupt):
            get(server, target)
    assert not any(target.parent.iterdir())
    server.gate.set()
    get(server, target)
    assert alone_and_whole(target)


def wait_until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)
