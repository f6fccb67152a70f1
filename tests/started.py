"""Commands of `hsi` as processes of their own, forked from one that has everything imported.

What a command imports takes several times as long as what tests ask of it. `Starter` starts this
file as a program, which waits for command lines and forks a process for each. Such a process is
what `hsi` itself would be, with its own session, streams and environment, to the end of the
interpreter, which flushes what is left.
"""

import contextlib
import gc
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

PIECE = 2**16
CLOSED = -100  # beside subprocess.PIPE and DEVNULL: no stream at all, as with ``>&-``


class Starter:
    """Starts commands, and knows how they ended."""

    def __init__(self):
        self.socket, theirs = socket.socketpair()
        with theirs:
            self.program = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def close(self):
        self.socket.close()
        self.program.wait()

    def ask(self, what, files=()):
        send(self.socket, what, files)
        answer, _ = receive(self.socket)
        return answer

    def start(self, *words, cwd, env, stdout=None, stderr=None, text=False):
        """Start `hsi` with these words; the rest is as for `subprocess.Popen`."""
        ours, theirs, closed = {}, [], []
        with contextlib.ExitStack() as passed:
            for number, stream in ((1, stdout), (2, stderr)):
                if stream == CLOSED:
                    closed.append(number)
                if stream == subprocess.PIPE:
                    reader, writer = os.pipe()
                    ours[number] = open(reader, "r" if text else "rb")  # noqa: SIM115, PTH123
                    passed.callback(os.close, writer)
                elif stream in (subprocess.DEVNULL, CLOSED):
                    writer = os.open(os.devnull, os.O_WRONLY)
                    passed.callback(os.close, writer)
                elif stream is None:
                    writer = number
                else:
                    writer = stream if isinstance(stream, int) else stream.fileno()
                theirs.append(writer)
            asked = {
                "words": list(map(str, words)), "cwd": str(cwd), "env": env, "closed": closed
            }  # fmt: skip
            pid = self.ask(asked, theirs)
        return Started(self, pid, ours.get(1), ours.get(2))


class Started:
    """A process, with what tests use of `subprocess.Popen`. It leads a session of its own."""

    def __init__(self, starter, pid, stdout, stderr):
        self.starter, self.pid, self.stdout, self.stderr = starter, pid, stdout, stderr
        self.returncode = None

    def poll(self):
        if self.returncode is None:
            self.returncode = self.starter.ask({"wait": self.pid})
        return self.returncode

    def wait(self, timeout=None):
        end = time.monotonic() + (timeout or float("inf"))
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("hsi", timeout)
            time.sleep(0.005)
        return self.returncode

    def communicate(self, timeout=None):
        read = {}

        def drain(name, stream):
            read[name] = stream.read()

        streams = {name: getattr(self, name) for name in ("stdout", "stderr")}
        threads = [
            threading.Thread(target=drain, args=each, daemon=True)
            for each in streams.items() if each[1]
        ]  # fmt: skip
        for thread in threads:
            thread.start()
        self.wait(timeout)
        for thread in threads:
            thread.join(timeout)
            if thread.is_alive():
                raise subprocess.TimeoutExpired("hsi", timeout)
        return read.get("stdout"), read.get("stderr")

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def send(connection, what, files=()):
    """Send what JSON can say, in a line, with open files."""
    line = json.dumps(what).encode() + b"\n"
    done = socket.send_fds(connection, [line], files)
    connection.sendall(line[done:])


def receive(connection):
    """Return what was sent, and the files.

    Raises
    ------
    EOFError
        If the other end is closed.
    """
    line, files, _, _ = socket.recv_fds(connection, PIECE, 2)
    while not line.endswith(b"\n"):
        more = connection.recv(PIECE)
        if not more:
            raise EOFError("the program at the other end has ended")
        line += more
    return json.loads(line), files


def prepare():
    """Import, and use once, what commands use."""
    import optuna  # noqa: F401
    import sklearn.cross_decomposition  # noqa: F401
    import torch

    import hsi
    from hsi.cli.main import cli

    torch.set_num_threads(1)  # threads do not survive a fork
    for name in cli.list_commands(None):
        cli.get_command(None, name)
    with tempfile.TemporaryDirectory() as folder:
        hsi.train(
            hsi.load_scene("synthetic"), out=Path(folder) / "run", patch_size=9, components=13,
            train=10, epochs=1, device="cpu",
        )  # fmt: skip
    gc.collect()
    gc.freeze()  # or the end of each process looks through all that


def become(words, cwd, env, closed, files):
    """Be, in a process that was just forked, what a shell would have started."""
    os.setsid()
    random.seed()  # or all would draw the same
    for number, file in zip((1, 2), files, strict=True):
        os.dup2(file, number)
        os.close(file)
    for number in closed:
        os.close(number)
    out = None if 1 in closed else io.TextIOWrapper(
        open(1, "wb", closefd=False), line_buffering=os.isatty(1)  # noqa: SIM115
    )  # fmt: skip
    err = None if 2 in closed else io.TextIOWrapper(
        open(2, "wb", closefd=False), errors="backslashreplace", line_buffering=True  # noqa: SIM115
    )  # fmt: skip
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__ = out, err
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    # Where tests run in the background, a shell has SIGINT ignored; a terminal has not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["hsi", *words]


def serve(requests):
    """Answer requests until there is nobody to ask; return in a process that is to begin."""
    while True:
        try:
            asked, files = receive(requests)
        except EOFError:
            sys.exit()
        if "wait" in asked:
            pid, status = os.waitpid(asked["wait"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        elif not (answer := os.fork()):
            requests.close()
            become(**asked, files=files)
            return
        for file in files:
            os.close(file)
        send(requests, answer)


if __name__ == "__main__":
    requests = socket.socket(fileno=int(sys.argv[1]))
    import torch

    usual = torch.get_num_threads()
    prepare()
    serve(requests)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", usual)))
    from hsi.cli.main import main

    main()
