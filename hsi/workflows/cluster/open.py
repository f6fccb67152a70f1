"""A cluster: a scheduler that is there, or one of our own with workers on this machine."""

from __future__ import annotations

import logging
import re
import socket
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import torch

from hsi.errors import ClusterError, UsageError, check_whole_number
from hsi.workflows.cluster.cluster import Cluster
from hsi.workflows.cluster.optional import check_dask, quiet

# So long a scheduler may take to answer, and so long workers may take to come or to go.
CONNECT_SECONDS, WORKERS_SECONDS, CLOSE_SECONDS = 10.0, 15.0, 20.0
# So long a Python that imports PyTorch may take to start on a busy machine.
START_SECONDS = 300.0
ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://\S+:\d+")
LOOPBACK = "127.0.0.1"
PRELOAD = "hsi.workflows.cluster.preload"
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@contextmanager
def open_cluster(address: str | None = None, *, workers: int | None = None) -> Iterator[Cluster]:
    """Connect to a Dask cluster, or start workers on this machine, of which none is left then.

    What is sent to a cluster can do there all that its workers may do, and the other way round: it
    has to be one that is trusted. Encryption is set in Dask's own configuration.

    Parameters
    ----------
    address : str, optional
        Of a scheduler, ``"tcp://HOST:PORT"``.
    workers : int, optional
        Instead of it, the number of processes to start. They share the threads of this process
        evenly. Scripts that use it need the usual ``if __name__ == "__main__":``.

    Raises
    ------
    UsageError
        If none or both are given, one cannot be meant, or Dask is not installed.
    ClusterError
        If the scheduler does not answer, has no workers, or workers do not start.
    """
    if (address is None) == (workers is None):
        raise UsageError(
            "name a scheduler (--cluster) or a number of workers (--workers), not both"
        )
    if address is not None and not ADDRESS.fullmatch(address):
        raise UsageError(
            f"'{address}' is no address of a Dask scheduler, such as tcp://HOST:PORT\n"
            "`dask scheduler` prints it when it starts."
        )
    if workers is not None:
        check_whole_number("workers", workers)
        if workers < 1:
            raise UsageError(f"workers must be 1 or more, not {workers} (--workers)")
    check_dask()
    with quiet():
        if address is not None:
            with _connected(address) as client:
                yield from _used(client, local=False)
        else:
            assert workers is not None
            with _started(workers) as local, _connected(local) as client:
                yield from _used(client, local=True)


def _used(client: Any, *, local: bool) -> Iterator[Cluster]:
    cluster = Cluster(client, local=local)
    try:
        yield cluster
    finally:
        cluster.close()


@contextmanager
def _connected(to: Any) -> Iterator[Any]:
    from distributed import Client

    try:
        if isinstance(to, str):
            _knock(to)
        with warnings.catch_warnings():
            # Versions that matter are compared with more words.
            warnings.simplefilter("ignore")
            client = Client(to, timeout=CONNECT_SECONDS, set_as_default=False, name="hsi")
    except (OSError, TimeoutError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ClusterError(
            f"no Dask scheduler answers at {to}: {reason}\n"
            "Start one (dask scheduler), and workers for it (dask worker ADDRESS); a scheduler\n"
            "with TLS needs Dask's own configuration here, too."
        ) from error
    try:
        with suppress(TimeoutError):  # who asks for workers says that there are none
            client.wait_for_workers(1, timeout=WORKERS_SECONDS)
        yield client
    finally:
        # The scheduler may be gone, and then there is nobody to say goodbye to.
        with suppress(Exception):
            client.close(timeout=CLOSE_SECONDS)


def _knock(address: str) -> None:
    """See at once whether anybody listens: Dask would try again for as long as it may."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), CONNECT_SECONDS):
        return


@contextmanager
def _started(workers: int) -> Iterator[Any]:
    import dask
    from distributed import LocalCluster

    threads = max(1, torch.get_num_threads() // workers)
    with (
        tempfile.TemporaryDirectory(prefix="hsi-workers-", ignore_cleanup_errors=True) as folder,
        dask.config.set(
            {
                "distributed.comm.timeouts.connect": f"{START_SECONDS:.0f}s",
                "distributed.nanny.pre-spawn-environ": dict.fromkeys(_THREADS, str(threads))
                | {"DASK_LOGGING__DISTRIBUTED": "critical"},
                "temporary-directory": folder,
            }
        ),
    ):
        try:
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host=LOOPBACK,
                dashboard_address=f"{LOOPBACK}:0",
                # A worker takes what it is told to take, and is not to be halted half-way.
                memory_limit=0,
                local_directory=folder,
                preload=[PRELOAD],
                silence_logs=logging.CRITICAL,
            )
        except (OSError, TimeoutError, RuntimeError) as error:
            raise ClusterError(
                f"{workers} workers could not be started: {error}\n"
                "Workers import the program that starts them: it has to start them under "
                "`if __name__ == '__main__':`."
            ) from error
        try:
            yield cluster
        finally:
            cluster.close(timeout=CLOSE_SECONDS)
