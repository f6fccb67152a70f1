"""Work that is spread over the workers of a Dask cluster: maps, benchmarks, searches.

::

    open.py         a scheduler that is there, or one of our own with workers on this machine
    cluster.py      the cluster that is open: who its workers are, what they were given
    workers.py      what workers say of themselves, and whether they are like this process
    model.py        the classifier on a worker: sent once, held as long as the cluster is open
    map_strips.py   the strips of a scene as this process asks for them, in order
    strip.py        one strip, as a worker computes it
    queue.py        tasks that wait, tasks that are on their way; never more than is of use
    preload.py      what workers of our own do when they start
    cancelled.py    how a task on a worker learns that nobody waits for it any more

Workers write nothing of a map: what they computed comes back and is written here.
"""

from hsi.workflows.cluster.cluster import Cluster
from hsi.workflows.cluster.open import open_cluster

__all__ = ["Cluster", "open_cluster"]
