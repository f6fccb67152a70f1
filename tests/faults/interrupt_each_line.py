"""Run a command that is interrupted, and interrupted again at each line that follows.

Given the name of a function, how the command ends by itself, prints one line of JSON for each
process: its exit status, and what it said.
"""

import atexit
import json
import os
import signal
import sys
import tempfile

import click

from hsi.cli import main
from hsi.errors import HsiError
from hsi.interrupts import stoppable

END = b"all lines were run\n"


def raised(follow):
    try:
        signal.raise_signal(signal.SIGINT)
    finally:
        follow()


def stopped(follow):
    with stoppable() as stop, stop.after_steps():
        signal.raise_signal(signal.SIGINT)
        follow()


def failed(follow):
    follow()
    raise HsiError("it cannot be")


def finished(follow):
    with stoppable():
        pass
    follow()


def begun(end, number):
    """Do what a command does, in this process; interrupt it at a line of its end."""
    lines = 0

    def at_a_line(frame, event, argument):
        nonlocal lines
        lines += 1
        if lines == number:
            sys.settrace(None)
            signal.raise_signal(signal.SIGINT)
        return at_a_line

    def follow():
        frame = sys._getframe()
        while frame:
            frame.f_trace = at_a_line
            frame = frame.f_back
        sys.settrace(at_a_line)

    @click.command
    def command():
        try:
            end(follow)
        except KeyboardInterrupt as interrupt:
            interrupt.add_note("What is done is kept.")
            raise

    # What is registered first is called last.
    atexit.register(lambda: lines < number and os.write(2, END))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["hsi"]
    main.cli = command
    main.main()


def outcome(end, number):
    """Begin in a process of its own; return how it ended and what it said."""
    with tempfile.TemporaryFile() as said:
        pid = os.fork()
        if pid == 0:
            os.dup2(said.fileno(), 2)
            begun(end, number)
            sys.exit()
        _, status = os.waitpid(pid, 0)
        said.seek(0)
        return os.waitstatus_to_exitcode(status), said.read()


if __name__ == "__main__":
    end = {each.__name__: each for each in (raised, stopped, failed, finished)}[sys.argv[1]]
    number = 1
    while True:
        code, said = outcome(end, number)
        if END in said:
            break
        print(json.dumps([code, said.decode()]), flush=True)
        number += 1
