"""A run that is killed while it is begun, or discarded: it is a run, or its place is free."""

import errno
import runpy
import signal
import sys
from pathlib import Path

import pytest

import hsi
from hsi.atomic import MARK
from hsi.errors import RunError
from hsi.files import make_folder_with_sums, write_text
from hsi.training import run_place
from hsi.training.run_folder import RunFolder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no signals that kill")

PROGRAM = Path(__file__).with_name("begin_or_discard.py")
CONFIG = {"scene": {"dataset": "first"}, "settings": {}}
NAMES = {"SHA256SUMS", "config.toml", "split.npz"}


@pytest.fixture
def killed(processes):
    """Return a function that begins or discards a run, killed before one of its changes.

    It returns whether there were so many.
    """

    def killed(work, out, number):
        given = {"work": work, "out": out, "number": number, "config": CONFIG}
        process = processes.Process(target=runpy.run_path, args=(str(PROGRAM), given))
        process.start()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        return process.exitcode != 0

    return killed


def begin(out):
    second = {"scene": {"dataset": "second"}, "settings": {}}
    return hsi.Run.begun(
        out, second, before=lambda folder: write_text(folder / "split.npz", "of the second")
    )


def check_place(out, words):
    """Have the run that is there, or begin one; nothing else is left."""
    if (out / "config.toml").exists():
        run = hsi.Run(out)
        with run.alone():
            assert run.source == {"dataset": words}
            assert (out / "split.npz").read_text() == f"of the {words}"
    else:
        assert begin(out).source == {"dataset": "second"}
        assert (out / "split.npz").read_text() == "of the second"
    assert {each.name for each in out.iterdir()} == NAMES


@pytest.mark.slow
def test_while_it_is_begun(killed, tmp_path, counted):
    number = 1
    while killed("begin", tmp_path / f"run{number}", number):
        check_place(tmp_path / f"run{number}", "first")
        number += 1
    assert number > 10
    counted("resume", "runs killed while they were begun or discarded", number - 1)


@pytest.mark.slow
def test_while_it_is_discarded(killed, tmp_path, counted):
    number = 1
    while True:
        begin(out := tmp_path / f"run{number}")
        if not killed("discard", out, number):
            break
        check_place(out, "second")
        number += 1
    assert number > 7
    assert not out.exists()
    counted("resume", "runs killed while they were begun or discarded", number - 1)


@pytest.mark.slow
def test_whoever_has_a_file_of_ones_own_there_keeps_it(killed, tmp_path):
    for number in range(1, 9):
        out = begin(tmp_path / f"run{number}").path
        (out / "notes.txt").write_text("mine")
        assert killed("discard", out, number)
        if not (out / "config.toml").exists():
            with pytest.raises(RunError, match="is not empty"):
                begin(out)
        assert (out / "notes.txt").read_text() == "mine"


def test_what_a_killed_save_of_a_state_left_goes_with_the_run(tmp_path):
    run = begin(tmp_path / "run")
    left = run.states.folder
    make_folder_with_sums(left)
    (left / f".state-2-{MARK}-abcd1234.safetensors").write_text("half")
    with run.alone():
        run.discard_if_untrained()
    assert not run.path.exists()


def test_a_lock_that_somebody_else_has_taken_meanwhile_stays(tmp_path):
    run = begin(tmp_path / "run")
    with run.alone():
        run.discard_if_untrained()
        run.path.mkdir()
        (run.path / ".lock").write_text("process 1 on elsewhere")
    assert (run.path / ".lock").read_text() == "process 1 on elsewhere"


def test_what_runs_of_all_kinds_begin_with_is_known():
    kinds = RunFolder.__subclasses__()
    assert len(kinds) >= 4
    for kind in kinds:
        assert set(kind.STARTED) <= set(run_place._FIRST)
        assert kind.STARTED[0] == "config.toml"


def test_a_split_of_ones_own_is_nothing_that_was_left(tmp_path):
    (tmp_path / ".incomplete").touch()
    (tmp_path / "split.npz").write_text("mine")
    with pytest.raises(RunError, match="is not empty"):
        begin(tmp_path)
    assert (tmp_path / "split.npz").read_text() == "mine"


def test_without_locks_another_process_may_be_about_to_begin(tmp_path, monkeypatch):
    def no_locks(handle, how):
        raise OSError(errno.EOPNOTSUPP, "as a file system without locks answers")

    monkeypatch.setattr("fcntl.flock", no_locks)
    (tmp_path / ".incomplete").touch()
    (tmp_path / "SHA256SUMS").touch()
    with pytest.raises(RunError, match="is not empty"):
        begin(tmp_path)
    assert (tmp_path / "SHA256SUMS").exists()
