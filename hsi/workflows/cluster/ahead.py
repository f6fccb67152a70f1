"""Scenes that workers begin with before their turn, so that none of them waits between scenes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from hsi.errors import HsiError
from hsi.workflows.cluster.cluster import Cluster
from hsi.workflows.cluster.map_strips import ClusterStrips


class ScenesAhead:
    """Opens scenes, in order, as soon as workers could do with more.

    Parameters
    ----------
    cluster : Cluster
        Whose workers ask for more.
    begin : sequence of callable
        For each scene, plans its strips and lets them wait (see `begin_ahead`). What goes wrong
        with that goes wrong again when it is the scene's turn, and is said then.
    """

    def __init__(
        self, cluster: Cluster, begin: Sequence[Callable[[], ClusterStrips | None]]
    ) -> None:
        self._begin, self._next = begin, 0
        self._begun: dict[int, ClusterStrips | None] = {}
        cluster.more = self._more

    @contextmanager
    def turn(self, number: int) -> Iterator[None]:
        """Let it be the turn of a scene; what was computed ahead and not used is forgotten."""
        self._next = max(self._next, number + 1)
        try:
            yield
        finally:
            strips = self._begun.pop(number, None)
            if strips is not None:
                strips.forget()

    def _more(self) -> bool:
        if self._next >= len(self._begin):
            return False
        number, self._next = self._next, self._next + 1
        with suppress(HsiError, OSError, MemoryError):
            self._begun[number] = self._begin[number]()
        return True
