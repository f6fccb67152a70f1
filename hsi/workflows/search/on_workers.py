"""A search on the workers of a cluster: each has a process that takes trials until all are done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hsi.workflows.cluster import Cluster
from hsi.workflows.cluster.cancelled import cancelled_here
from hsi.workflows.cluster.paths import check_seen
from hsi.workflows.cluster.queue import in_words
from hsi.workflows.search.journal import Journal
from hsi.workflows.search.processes import SECONDS, work_in_processes
from hsi.workflows.search.record import FILE, Searched, read_searched


class _Cancelled(Exception):  # noqa: N818 - an outcome, not an error
    """Nobody waits for the search any more."""


def work_on_cluster(
    cluster: Cluster, folder: Path, *, total: int, device: str, look: Callable[[], None]
) -> None:
    """Let every worker of a cluster work on the search in `folder` until all trials are done.

    A worker that dies leaves a trial that is void, and its part goes to another one.

    Parameters
    ----------
    cluster : Cluster
        Open.
    folder : Path
        Of the search, where all workers see it.
    total : int
        Trials of the search as a whole.
    device : str
        Where to compute.
    look : callable
        Called now and then.

    Raises
    ------
    HsiError
        If the work fails on a worker; the others are stopped.
    ClusterError
        If a worker does not see the folder, or the cluster does not answer any more.
    """
    cluster.agreed(device, ("optuna",))
    check_seen(cluster, folder / FILE)
    arguments = (str(folder.absolute()), str(Path.cwd()), total, device)
    running: set[Any] = {
        cluster.client.submit(
            work_here, *arguments, pure=False, workers=[address], allow_other_workers=True
        )
        for address in cluster.threads
    }
    try:
        while running:
            done = cluster.done(running, seconds=SECONDS)
            look()
            for future in done:
                running.remove(future)
                try:
                    future.result()
                except Exception as error:
                    raise in_words(error, "a part of the search") from error
    finally:
        if running:
            cluster.client.cancel(list(running), force=True)


def work_here(folder: str, home: str, total: int, device: str) -> None:
    """Work on a search until all trials are done, or nobody waits any more; called on a worker."""
    cancelled = cancelled_here()

    def look() -> None:
        if cancelled():
            raise _Cancelled

    searched = Searched.from_table(read_searched(Path(folder)))
    journal = Journal(Path(folder), seed=searched.settings.seed, prune=searched.prune)
    try:
        work_in_processes(
            Path(folder),
            jobs=1,
            total=total,
            device=device,
            trials=lambda: len(journal.trials),
            look=look,
            # A scene may be named from where the search was started.
            home=Path(home) if Path(home).is_dir() else None,
        )
    except _Cancelled:
        return
    finally:
        journal.close()
