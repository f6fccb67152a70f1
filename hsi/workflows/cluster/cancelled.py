"""How a task that runs on a worker learns that nobody waits for it any more."""

from __future__ import annotations

from collections.abc import Callable


def cancelled_here() -> Callable[[], bool]:
    """Return a function that tells whether the task that calls this was cancelled since.

    Dask ends no thread: a task that takes long has to look itself. The function may be called in
    other threads than that of the task.
    """
    from distributed import get_worker
    from distributed.worker import thread_state

    worker, key = get_worker(), thread_state.key

    def cancelled() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state in ("cancelled", "released", "forgotten")

    return cancelled
