"""Requests to stop: what waits for them, who agrees on them, and what the next one does."""

import os
import signal
import subprocess
import sys
import time

import pytest

from hsi.interrupts import Stop, Terminated, interrupted_once, stoppable

# A lock that is waited for by the system, which no signal interrupts.
WAITING = """
import ctypes
from hsi.interrupts import stoppable
take, lock = ctypes.CDLL(None).pthread_mutex_lock, ctypes.create_string_buffer(64)
take(lock)
with stoppable(lambda number: number, patience=1.0):
    print("waiting", flush=True)
    take(lock)
"""


@pytest.fixture
def hears_interrupts():
    """Have this process take note of Ctrl-C, also where it was started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_process_stops_for_what_another_has_heard():
    stop = Stop(agree=lambda number: max(number, signal.SIGTERM))
    stop.check()
    stop.confer()
    assert stop.requested == signal.SIGTERM
    with pytest.raises(Terminated):
        stop.check()


def test_what_it_heard_alone_waits_until_all_know(hears_interrupts):
    heard = []
    with stoppable(lambda number: heard.append(number) or number) as stop, stop.after_steps():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)  # passed on by torchrun: no second request
        assert stop.requested is None
        stop.check()
        stop.confer()
        with pytest.raises(KeyboardInterrupt):
            stop.check()
    assert heard == [signal.SIGINT]


def test_a_request_does_not_take_the_place_of_an_error_in_a_step(hears_interrupts):
    with stoppable() as stop:
        with pytest.raises(OSError, match="in a step"), stop.after_steps():
            raise OSError("in a step")
        try:  # what is done about the error
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            pytest.fail("it did")


def test_of_an_interrupted_program_the_system_takes_the_next_one(hears_interrupts):
    with interrupted_once():
        with pytest.raises(KeyboardInterrupt), stoppable() as stop, stop.after_steps():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL


def test_a_program_that_goes_on_after_an_error_is_interrupted_as_before(hears_interrupts):
    def step():
        signal.raise_signal(signal.SIGINT)
        raise OSError("in a step")

    with interrupted_once():
        with pytest.raises(OSError, match="in a step"), stoppable() as stop, stop.after_steps():
            step()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_after_an_interruption_a_caller_has_its_own_handler_again(hears_interrupts):
    with pytest.raises(KeyboardInterrupt), stoppable() as stop, stop.after_steps():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_what_is_to_be_ignored_stays_ignored(hears_interrupts):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupted_once():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN


@pytest.mark.skipif(sys.platform != "linux", reason="locks as the C library of Linux has them")
def test_a_process_that_waits_within_a_library_is_ended():
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "waiting\n"
        time.sleep(1)  # it is about to
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        _, said = process.communicate(timeout=100)
    assert process.returncode == 128 + signal.SIGTERM
    assert time.monotonic() - begun < 20
    assert "Interrupted while waiting for another process." in said
