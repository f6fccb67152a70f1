"""A scheduler and workers as their own commands start them, on the loopback address."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import torch

from hsi.workflows.cluster import open_cluster

DASK = (sys.executable, "-m", "dask")


def end(process):
    """End a process that `start_new_session` began, and all that it has started."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def scheduler_and_workers(folder, workers):
    """Have so many workers that are started again when they are killed, and their scheduler."""
    environment = os.environ | {"DASK_TEMPORARY_DIRECTORY": str(folder)}
    threads = str(torch.get_num_threads())  # or their last digits differ from those made here
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    file = folder / "scheduler.json"

    def start(*command):
        return subprocess.Popen(
            [*DASK, *command, "--scheduler-file", str(file), "--host", "127.0.0.1"], cwd=folder,
            env=environment, start_new_session=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    scheduler = start("scheduler", "--port", "0", "--dashboard-address", "127.0.0.1:0")
    own = start(
        "worker", "--nworkers", str(workers), "--nthreads", "1", "--memory-limit", "0",
        "--no-dashboard",
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not file.is_file():
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.05)
        from distributed import Client

        with Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=120)
            address = client.scheduler.address
        yield SimpleNamespace(address=address, scheduler=scheduler)
    finally:
        end(own)
        end(scheduler)


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """The address of a scheduler with two workers."""
    with scheduler_and_workers(tmp_path_factory.mktemp("dask"), 2) as started:
        yield started.address


@pytest.fixture
def mortal(tmp_path):
    """A scheduler with a worker, of which a test may end either."""
    (tmp_path / "dask").mkdir()
    with scheduler_and_workers(tmp_path / "dask", 1) as started:
        yield started


@pytest.fixture
def cluster(address):
    """A connection to the workers, all of them there."""
    with open_cluster(address) as cluster:
        cluster.client.wait_for_workers(2, timeout=120)
        yield cluster
