"""Functions in a process of their own: what they return, and what becomes of a crash."""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from hsi.contained import CrashedError, Helper
from hsi.errors import SceneError
from hsi.scenes.readers import check_file


@pytest.fixture
def helper():
    helper = Helper()
    yield helper
    helper.close()


def call(helper, function, *arguments, seconds=60.0):
    return helper.call(function, *arguments, seconds=seconds)


def test_arrays_come_back_as_they_are_and_may_be_written(helper):
    for shape in ((0, 3), (1,), (300, 500, 7)):
        array = np.random.default_rng(0).random(shape)
        back = call(helper, np.negative, array)
        assert np.array_equal(back, -array)
        back += 1


def test_one_process_serves_all_calls_and_is_another(helper):
    numbers = {call(helper, os.getpid) for _ in range(5)}
    assert len(numbers) == 1
    assert os.getpid() not in numbers


def test_an_error_is_raised_here(helper, tmp_path):
    with pytest.raises(SceneError, match="is a folder") as raised:
        call(helper, check_file, tmp_path)
    assert not hasattr(raised.value, "__notes__")
    with pytest.raises(ZeroDivisionError) as raised:
        call(helper, divmod, 1, 0)
    assert "in serve" in raised.value.__notes__[0]
    assert call(helper, divmod, 7, 2) == (3, 1)


def test_a_warning_is_given_here(helper):
    with pytest.warns(UserWarning, match="beware"):
        call(helper, warnings.warn, "beware")


def test_what_cannot_be_sent_is_told_and_harms_nothing(helper):
    with pytest.raises(Exception, match="pickle"):
        call(helper, lambda: 1)
    assert call(helper, divmod, 7, 2) == (3, 1)


@pytest.mark.parametrize(
    ("function", "arguments", "how"),
    [
        (ctypes.string_at, (0,), "crashed (SIGSEGV)"),
        (signal.raise_signal, (signal.SIGBUS,), "crashed (SIGBUS)"),
        (os.abort, (), "crashed (SIGABRT)"),
        (os._exit, (3,), "ended (exit code 3)"),
        (time.sleep, (600,), "took more than 1 s"),
    ],
)
def test_whatever_ends_it_ends_that_call_alone(helper, function, arguments, how):
    began = time.monotonic()
    with pytest.raises(CrashedError) as raised:
        call(helper, function, *arguments, seconds=1.0 if function is time.sleep else 60.0)
    assert how in str(raised.value)
    assert time.monotonic() - began < 20
    assert call(helper, divmod, 7, 2) == (3, 1)


def test_each_call_has_its_own_time(helper):
    for _ in range(12):
        call(helper, time.sleep, 0.25, seconds=1.0)
    with pytest.raises(CrashedError, match="took more than 2 s"):
        call(helper, time.sleep, 600, seconds=2.0)


@pytest.fixture
def interruptible():
    """Where tests run in the background, a shell has SIGINT ignored; a terminal has not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_leaves_no_answer_for_the_next_call(helper, interruptible):
    first = call(helper, os.getpid)
    timer = threading.Timer(
        0.3, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)
    )
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        call(helper, time.sleep, 600)
    assert call(helper, divmod, 7, 2) == (3, 1)
    assert call(helper, os.getpid) != first


def test_what_libraries_print_is_no_answer(helper):
    assert call(helper, os.write, 1, b"printed") == 7
    assert call(helper, print, "printed") is None


def test_relative_paths_begin_where_this_process_is(helper, tmp_path, monkeypatch):
    call(helper, os.getpid)
    monkeypatch.chdir(tmp_path)
    assert call(helper, os.getcwd) == str(tmp_path.resolve())
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert call(helper, divmod, 7, 2) == (3, 1)


def test_threads_get_their_own_answers(helper):
    got = {}

    def ask(number):
        for _ in range(20):
            got[number] = call(helper, divmod, number, 1)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert got == {number: (number, 0) for number in range(6)}


def test_a_process_that_was_forked_has_its_own(helper):
    mine = call(helper, os.getpid)
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forks of programs with threads
        forked = context.Process(target=lambda: queue.put(call(helper, os.getpid)))
        forked.start()
        forked.join()
    assert queue.get() not in (mine, os.getpid())
    assert call(helper, os.getpid) == mine


def test_a_process_that_was_forked_during_a_call_is_not_locked(helper):
    call(helper, os.getpid)
    busy = threading.Thread(target=call, args=(helper, time.sleep, 2))
    busy.start()
    while not helper._lock.locked():
        time.sleep(0.01)
    context = multiprocessing.get_context("fork")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forks of programs with threads
        forked = context.Process(target=lambda: call(helper, os.getpid))
        forked.start()
        forked.join(30)
    assert forked.exitcode == 0
    busy.join()


@pytest.mark.parametrize("busy", [False, True])
def test_it_ends_with_a_process_that_is_killed(busy):
    program = (
        "import os, time; from hsi.contained import HELPER;"
        "print(HELPER.call(os.getpid, seconds=60), flush=True);"
        + ("HELPER.call(time.sleep, 600, seconds=900)" if busy else "time.sleep(600)")
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        number = int(process.stdout.readline())
        os.kill(number, 0)  # is there
        process.kill()
    for _ in range(100):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the helper process was left behind")


def test_time_in_which_this_process_stands_still_does_not_count(helper):
    call(helper, os.getpid)
    stopper = subprocess.Popen(
        [
            sys.executable, "-c",
            "import os, signal, sys, time; number = int(sys.argv[1]); time.sleep(1);"
            "os.kill(number, signal.SIGSTOP); time.sleep(6); os.kill(number, signal.SIGCONT)",
            str(os.getpid()),
        ]
    )  # fmt: skip
    call(helper, time.sleep, 3, seconds=5)
    stopper.wait()


def test_closing_waits_for_no_call(helper):
    call(helper, os.getpid)
    failed = []

    def ask():
        try:
            call(helper, time.sleep, 60)
        except CrashedError as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    helper.close()
    thread.join()
    assert time.monotonic() - began < 10
    assert failed


def test_where_no_process_can_be_started_calls_are_made_here(helper, monkeypatch):
    monkeypatch.setattr("hsi.contained.helper._executable", lambda: "/nowhere/python")
    assert call(helper, os.getpid) == os.getpid()
