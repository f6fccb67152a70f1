"""Run a command that is interrupted, and interrupted again at each line that follows.

Given how the command ends by itself ("raised", "stopped", "failed", "finished"), prints one line of
JSON for each process: its exit status, and what it said.
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


def begun(how, number):
    """Do what a command does, in this process; interrupt it at a line of what follows."""
    lines = 0

    def at_a_line(frame, event, argument):
        nonlocal lines
        lines += 1
        if lines == number:
            sys.settrace(None)
            signal.raise_signal(signal.SIGINT)
        return at_a_line

    def from_here():
        frame = sys._getframe()
        while frame:
            frame.f_trace = at_a_line
            frame = frame.f_back
        sys.settrace(at_a_line)

    @click.command
    def command():
        if how == "failed":
            from_here()
            raise HsiError("it cannot be")
        try:
            if how == "raised":
                try:
                    signal.raise_signal(signal.SIGINT)
                finally:
                    from_here()
            with stoppable() as stop:
                if how == "stopped":
                    with stop.after_steps():
                        signal.raise_signal(signal.SIGINT)
                        from_here()
        except KeyboardInterrupt as interrupt:
            interrupt.add_note("What is done is kept.")
            raise
        from_here()

    # What is registered first is called last.
    atexit.register(lambda: lines < number and os.write(2, END))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["hsi"]
    main.cli = command
    main.main()


def outcome(how, number):
    """Begin in a process of its own; return how it ended and what it said."""
    with tempfile.TemporaryFile() as said:
        pid = os.fork()
        if pid == 0:
            os.dup2(said.fileno(), 2)
            begun(how, number)
            sys.exit()
        _, status = os.waitpid(pid, 0)
        said.seek(0)
        return os.waitstatus_to_exitcode(status), said.read()


if __name__ == "__main__":
    number = 1
    while True:
        code, said = outcome(sys.argv[1], number)
        if END in said:
            break
        print(json.dumps([code, said.decode()]), flush=True)
        number += 1
