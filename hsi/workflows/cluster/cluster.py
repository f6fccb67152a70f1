"""The cluster that is open: who its workers are, what they were given, and what they are at."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from hsi.errors import ClusterError
from hsi.training import Run
from hsi.workflows.cluster.queue import TaskQueue, in_words, scheduler_asked
from hsi.workflows.cluster.workers import PACKAGES, Agreed, agree, facts_here


class Cluster:
    """Workers of a Dask cluster; `hsi.workflows.cluster.open_cluster` makes it.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    local : bool
        Whether the workers are ours, on this machine.

    Attributes
    ----------
    tasks : TaskQueue
        What the workers are at.
    more : callable
        Called when workers could do with more than what was asked for; see `TaskQueue`.
    """

    def __init__(self, client: Any, *, local: bool) -> None:
        self.client, self.local = client, local
        self.more: Callable[[], bool] = lambda: False
        self.tasks = TaskQueue(client, more=lambda: self.more(), done=self.done)
        self._agreed: dict[tuple[str, tuple[str, ...]], Agreed] = {}
        self._models: set[str] = set()

    @property
    def dashboard(self) -> str:
        """The address of Dask's dashboard."""
        return str(self.client.dashboard_link)

    @property
    def threads(self) -> dict[str, int]:
        """The number of tasks that each worker takes at a time, by address."""
        return dict(self.client.nthreads())

    def agreed(self, device: Any, packages: tuple[str, ...] = ()) -> Agreed:
        """Return what the workers have in common; they are asked once.

        Parameters
        ----------
        device : str or torch.device
            Where they are to compute.
        packages : tuple of str
            Whose versions matter, beside those that always do.

        Raises
        ------
        ClusterError
            If there is no worker, or one is not like this process.
        """
        which = str(device), packages
        if which not in self._agreed:
            wanted = (*PACKAGES, *packages)
            found = self.on_each(facts_here, device, wanted)
            if not found:
                raise ClusterError(
                    f"no worker is connected to the scheduler {self.address}\n"
                    f"Start some: dask worker {self.address} --nworkers 4 --nthreads 1"
                )
            self._agreed[which] = agree(found, wanted)
        return self._agreed[which]

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return str(self.client.scheduler.address)

    def on_each(self, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """Call a function on each worker; return by address what it returned or raised."""
        with scheduler_asked("a question to all workers"):
            return dict(self.client.run(function, *arguments, on_error="return"))

    def ask(self, function: Callable[..., Any], *arguments: Any, what: str) -> Any:
        """Return what a function returns on one of the workers; raises as `TaskQueue.take`."""
        with scheduler_asked(what):
            future = self.client.submit(function, *arguments, pure=False, priority=1)
        try:
            return future.result()
        except Exception as error:
            raise in_words(error, what) from error

    def done(self, futures: Collection[Any], *, seconds: float | None = None) -> set[Any]:
        """Wait for at least one of the futures, at most so long; return those that are done."""
        from distributed import wait

        with self.client.as_current():
            try:
                return set(wait(list(futures), seconds, return_when="FIRST_COMPLETED").done)
            except TimeoutError:
                return set()

    def model(self, run: Run) -> str:
        """Return the name by which workers find the classifier of a run; it is sent once."""
        from hsi.workflows.cluster.model import ModelPlugin, name_of_model

        content = run.kept.read_bytes()
        name = name_of_model(content, client=self.client.id)
        if name not in self._models:
            with scheduler_asked("the network"):
                self.client.register_plugin(ModelPlugin(content, name=name))
            self._models.add(name)
        return name

    def close(self) -> None:
        """Let the workers forget what they were given."""
        # Of a scheduler that is gone, nothing is wanted any more.
        with suppress(Exception):
            self.tasks.clear()
            for name in self._models:
                self.client.unregister_worker_plugin(name)
