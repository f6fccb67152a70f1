"""A scheduler and workers as their own commands start them, on the loopback address."""

import os
import signal
import subprocess
import sys
import time

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


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """The address of a scheduler with two workers that are started again when they are killed."""
    folder = tmp_path_factory.mktemp("dask")
    environment = os.environ | {"DASK_TEMPORARY_DIRECTORY": str(folder)}
    threads = str(torch.get_num_threads())  # or their last digits differ from those made here
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), threads)

    def start(*command):
        return subprocess.Popen(
            [*DASK, *command], cwd=folder, env=environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    file = folder / "scheduler.json"
    scheduler = start(
        "scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0",
        "--scheduler-file", str(file),
    )  # fmt: skip
    workers = start(
        "worker", "--scheduler-file", str(file), "--host", "127.0.0.1", "--nworkers", "2",
        "--nthreads", "1", "--memory-limit", "0", "--no-dashboard",
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not file.is_file():
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.05)
        from distributed import Client

        with Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=120)
            found = client.scheduler.address
        yield found
    finally:
        end(workers)
        end(scheduler)


@pytest.fixture
def cluster(address):
    """A connection to the workers, all of them there."""
    with open_cluster(address) as cluster:
        cluster.client.wait_for_workers(2, timeout=120)
        yield cluster
