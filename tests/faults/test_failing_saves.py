"""A save that is killed, or fails for want of space or of a working disk, at any system call.

``strace`` injects the fault; afterwards the file is the old or the new one, whole, and its sum is
right.
"""

import shutil
import subprocess
import sys

import pytest

from hsi.atomic import remove_temporary
from hsi.sums import NAME, check_sum

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")

OLD, NEW = b"old " * 5000, b"new " * 70000
SAVE = """
import sys
from pathlib import Path
from hsi.files import atomic_path
path = Path(sys.argv[1])
with atomic_path(path) as temporary:
    with temporary.open("wb", buffering=0) as file:
        for start in range(0, 280000, 100000):
            file.write((b"new " * 70000)[start : start + 100000])
"""
SAVE_MODEL = """
import sys
from pathlib import Path
import torch
from hsi.training.model_file import write_model
write_model(Path(sys.argv[1]), about={"format": 1}, tensors={"weight": torch.zeros(1000)})
"""
CALLS = ("openat", "write", "fsync", "chmod", "rename")
FAULTS = ("signal=KILL", "error=ENOSPC", "error=EIO")


def save(path, *options, program=SAVE):
    """Save in a process of its own; return its exit code, and the system calls that it made."""
    trace = path.with_name("trace.txt")
    done = subprocess.run(
        ["strace", "-f", "-o", trace, *options, sys.executable, "-Bc", program, path],
        capture_output=True,
        text=True,
    )
    return done.returncode, trace.read_text(errors="replace").splitlines()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


def begun(folder):
    """Let the folder hold the old file and its sum, and nothing else."""
    from hsi.files import atomic_path, make_folder_with_sums

    for each in folder.iterdir():
        each.unlink()
    make_folder_with_sums(folder)
    with atomic_path(folder / "file.bin") as temporary:
        temporary.write_bytes(OLD)
    return folder / "file.bin"


def numbers(trace, call, folder):
    """Return which calls of this kind, counted from 1, are part of the save."""
    started, found, count = False, [], 0
    for line in trace:
        words = line.split(maxsplit=1)[-1]
        if not words.startswith(f"{call}("):
            started = started or str(folder) in words
            continue
        count += 1
        started = started or str(folder) in words
        if started:
            found.append(count)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS)
def test_at_every_call_the_old_or_the_new_file_is_left(folder, counted, call):
    path = begun(folder)
    code, trace = save(path, "-e", f"trace={','.join(CALLS)}")
    assert code == 0
    assert path.read_bytes() == NEW
    places = numbers(trace, call, folder)
    assert places
    outcomes = set()
    for number in places:
        for fault in FAULTS:
            path = begun(folder)
            code, _ = save(
                path, "-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={number}"
            )
            content = path.read_bytes()
            assert content in (OLD, NEW), (call, number, fault)
            check_sum(path)
            assert (folder / NAME).read_text().count("file.bin") in (1, 2)
            counted("atomic and checked", "system calls of a save, killed or failed")
            outcomes.add((fault, code == 0, content == NEW))
            if fault != "signal=KILL" and code:  # what failed tidies up
                left = {each.name for each in folder.iterdir()} - {"trace.txt"}
                assert left == {"file.bin", NAME}, (call, number, fault)
    assert {new for _, _, new in outcomes} >= {False}


@pytest.mark.slow
def test_what_a_killed_save_of_a_model_leaves_is_known(folder, counted):
    path = begun(folder)
    # The first rename is that of safetensors, which writes under a name of its own.
    renaming = "/^rename"
    code, trace = save(
        path, "-e", f"trace={renaming}", "-e", f"inject={renaming}:signal=KILL:when=1",
        program=SAVE_MODEL,
    )  # fmt: skip
    assert code
    assert str(folder) in "".join(trace)
    left = {each.name for each in folder.iterdir()}
    remove_temporary(folder)
    assert {each.name for each in folder.iterdir()} == {"file.bin", NAME, "trace.txt"} < left
    assert path.read_bytes() == OLD
    check_sum(path)
    counted("atomic and checked", "system calls of a save, killed or failed")
