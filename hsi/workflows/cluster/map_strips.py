"""The strips of a scene that workers compute, as the process that writes the map asks for them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import torch

from hsi.errors import UsageError
from hsi.inference import Method, Precision
from hsi.mapping.tiles import MapTile, stored_types
from hsi.models.registry import OWN
from hsi.scenes import Scene
from hsi.scenes.tiles import Tile, tiles_of
from hsi.training import Run
from hsi.training.scene_tiles import ENOUGH
from hsi.workflows.cluster import strip as on_worker
from hsi.workflows.cluster.cluster import Cluster
from hsi.workflows.cluster.paths import absolute_source, without_labels
from hsi.workflows.cluster.queue import Task
from hsi.workflows.cluster.strip import StripJob


class ClusterStrips:
    """A scene in strips, each a row of tiles that one worker computes.

    Parameters
    ----------
    cluster : Cluster
        Open.
    scene : Scene
        What the workers have to find.
    job : StripJob
        With a complete plan.
    pixel_bytes : int
        What comes back for each pixel.
    """

    def __init__(self, cluster: Cluster, scene: Scene, job: StripJob, *, pixel_bytes: int) -> None:
        self.cluster, self.job, self.name = cluster, job, scene.name
        self.pixel_bytes = pixel_bytes
        self.rows, self.cols = scene.shape[:2]
        self._known_by = repr(job)

    @property
    def plan(self) -> dict[str, Any]:
        """As `SceneTiles.plan`."""
        return self.job.plan

    def from_row(self, row: int) -> Iterator[MapTile]:
        """Yield strips from top to bottom, whichever comes back first.

        Raises
        ------
        ClusterError
            If the cluster is gone, or a strip ends worker after worker.
        SceneError
            If a worker cannot read the scene.
        """
        try:
            self.begin(row)
            for tile, task in self._tasks(row):
                yield MapTile(tile, self.cluster.tasks.take(task))
        finally:
            self.forget()

    def begin(self, row: int) -> None:
        """Let the strips from `row` on wait for workers, unless they do already."""
        self.cluster.tasks.add(task for _, task in self._tasks(row))

    def forget(self) -> None:
        """Let workers leave alone what nobody has asked for yet."""
        self.cluster.tasks.drop(self._known_by)

    def _tasks(self, row: int) -> list[tuple[Tile, Task]]:
        whole = [
            Tile(tile.row, 0, tile.rows, self.cols)
            for tile in tiles_of(self.rows, self.cols, self.plan["side"])
            if tile.col == 0 and tile.row >= row
        ]
        return [
            (
                tile,
                Task(
                    series=self._known_by,
                    place=tile.row,
                    what=f"{self.name}, rows {tile.row:,} to {tile.row + tile.rows - 1:,},",
                    function=on_worker.strip,
                    arguments=(self.job, tile.row),
                    size=self.pixel_bytes * tile.rows * tile.cols,
                ),
            )
            for tile in whole
        ]


def strips_of_scene(
    cluster: Cluster,
    run: Run,
    scene: Scene,
    *,
    facts: dict[str, Any],
    names: tuple[str, ...],
    device: str | torch.device,
    resample_bands: bool,
    precision: Precision,
    method: Method,
    max_memory: int | str | None,
) -> ClusterStrips:
    """Plan the strips of a scene for the workers of a cluster.

    Parameters
    ----------
    cluster : Cluster
        Open.
    run : Run
        Whose classifier they use.
    scene : Scene
        From a file, with the bands of the classifier.
    facts : dict
        Of the scene (`hsi.mapping.facts.scene_facts`).
    names : tuple of str
        The arrays that are wanted.
    device : str or torch.device
        Where workers compute.
    resample_bands : bool
        Whether they resample the scene's spectra.
    precision, method, max_memory
        As for `hsi.map_scene`, for each worker.

    Raises
    ------
    UsageError
        If workers cannot have the scene or the network, or an argument cannot be meant.
    ClusterError
        If workers are not like this process.
    """
    if not scene.source:
        raise UsageError(f"{scene.name} was made in memory, and workers cannot open it")
    name = run.classifier.options["name"]
    if name not in OWN:
        raise UsageError(f"{name} was registered in this process, and workers do not know it")
    agreed = cluster.agreed(device)
    if max_memory is None:
        max_memory = min(agreed.memory, ENOUGH) if agreed.device == "cpu" else agreed.memory
    job = StripJob(
        model=cluster.model(run),
        source=without_labels(absolute_source(scene.source)),
        scene=facts,
        resample_bands=resample_bands,
        names=names,
        device=agreed.device if str(device) == "auto" else str(device),
        precision=precision,
        plan={"method": method, "max_memory": max_memory},
        versions=agreed.versions,
    )
    if agreed.device == "cpu":
        plan = run.classifier.tiles(scene, device="cpu", precision=precision, **job.plan).plan
    else:
        # This machine may have no such device, and only there it is known what fits.
        plan = cluster.ask(on_worker.plan_of, job, what=f"{scene.name}: its plan")
    stored = stored_types(run.classifier, names).values()
    return ClusterStrips(
        cluster,
        scene,
        dataclasses.replace(job, plan=plan),
        pixel_bytes=sum(math.prod(before) * kind.itemsize for before, kind in stored),
    )
