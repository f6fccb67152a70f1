"""Scenes that workers begin with before their turn, so that none of them waits between scenes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from hsi.errors import HsiError
from hsi.mapping import MapJob
from hsi.workflows.cluster.cluster import Cluster
from hsi.workflows.cluster.map_strips import ClusterStrips


class ScenesAhead:
    """Prepares the maps of scenes, in order, as soon as workers could do with more.

    Parameters
    ----------
    cluster : Cluster
        Whose workers ask for more.
    prepare : callable
        Returns the map of the scene of that number (`hsi.workflows.mapping.prepare_map`), which
        the workers compute. What goes wrong with that before a scene's turn goes wrong again in
        its turn, and is said then.
    count : int
        How many there are.
    """

    def __init__(self, cluster: Cluster, prepare: Callable[[int], MapJob], count: int) -> None:
        self._prepare, self._count, self._next = prepare, count, 0
        self._begun: dict[int, tuple[MapJob, ClusterStrips | None]] = {}
        cluster.more = self._more

    @contextmanager
    def turn(self, number: int) -> Iterator[MapJob]:
        """Yield the map of a scene; what was computed ahead and not used is forgotten."""
        self._next = max(self._next, number + 1)
        job, strips = self._begun.pop(number, (None, None))
        try:
            yield job or self._prepare(number)
        finally:
            if strips is not None:
                strips.forget()

    def _more(self) -> bool:
        if self._next >= self._count:
            return False
        number, self._next = self._next, self._next + 1
        with suppress(HsiError, OSError, MemoryError):
            job = self._prepare(number)
            self._begun[number] = job, _begun(job)
        return True


def _begun(job: MapJob) -> ClusterStrips | None:
    """Let the strips of a map wait for workers; return them, None where nothing is left to do."""
    found = job.ahead()
    if found is None:
        return None
    strips, row = found
    assert isinstance(strips, ClusterStrips)
    strips.begin(row)
    return strips
