"""The command line, called in this process or in one of its own."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from hsi.cli.main import main

# Where tests run in the background, a shell has SIGINT ignored; a terminal has not.
START = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from hsi.cli.main import main; sys.argv[0] = 'hsi'; main()"
)
# A training that takes a second, but for --epochs.
QUICK = (
    "--patch-size", "9", "--components", "13", "--train", "0.15", "--batch-size", "16",
    "--device", "cpu",
)  # fmt: skip
BRIEFLY = (*QUICK, "--epochs", "2")


@pytest.fixture
def quick(files):
    """Arguments of a short training on the small scene."""
    return "train", "--dataset", files / "cube.npy", "--labels", files / "truth.npy", *BRIEFLY


@pytest.fixture
def briefly():
    """Arguments of a short training on scenes that are yet to be named."""
    return "train", *BRIEFLY


@pytest.fixture
def hsi_command(monkeypatch, capsys, tmp_path):
    """Return a function that calls `hsi` in an empty folder and returns code, out and err."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["hsi", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as done:
            code = done.code or 0
        return SimpleNamespace(code=code, **capsys.readouterr()._asdict())

    return call


@pytest.fixture
def start_hsi(tmp_path):
    """Return a function that starts `hsi` as a process; keywords are those of `Popen`."""
    started = []
    # Output is buffered for users, which decides when a failure to write it is met.
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}

    def start(*arguments, **options):
        command = [sys.executable, "-c", START, *map(str, arguments)]
        options["env"] = usual | options.get("env", {})
        started.append(subprocess.Popen(command, cwd=tmp_path, **options))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()
