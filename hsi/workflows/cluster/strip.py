"""One strip of a scene, as a worker computes it: a row of tiles, over all columns."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import ClusterError, HsiError, SceneError
from hsi.inference import Precision
from hsi.mapping.facts import scene_facts
from hsi.mapping.tiles import LocalTiles, MapTile
from hsi.scenes import Scene, open_scene
from hsi.scenes.trained_bands import match_bands
from hsi.training import Classifier
from hsi.workflows.cluster.workers import check_versions, versions_here

# What a scene file is known by on every machine; times of files differ between mounts.
ALIKE = ("size", "type", "nodata", "pixels", "bytes of its file")


@dataclass(frozen=True, kw_only=True)
class StripJob:
    """All that a worker has to know of a scene and of what is wanted of it.

    Attributes
    ----------
    model : str
        The name of the plugin with the classifier.
    source : dict
        What opens the scene.
    scene : dict
        Facts of the scene (`scene_facts`).
    resample_bands : bool
        Whether spectra of other bands are resampled.
    names : tuple of str
        The arrays that are wanted.
    device : str
        Where to compute.
    precision : {"full", "bf16"}
        How.
    plan : dict
        `SceneTiles.plan`; without ``side``, tiles come out as they come out.
    versions : dict
        Of the process that asks.
    """

    model: str
    source: dict[str, Any]
    scene: dict[str, Any]
    resample_bands: bool
    names: tuple[str, ...]
    device: str
    precision: Precision
    plan: dict[str, Any]
    versions: dict[str, str | None]


class SceneOfStrips:
    """A scene that is open on a worker, with the tiles of a job.

    Strips that follow each other are computed as if they were asked for together: what the first
    has read of the file and taken of memory is there for the next.

    Parameters
    ----------
    job : StripJob
        Of which strips are asked for.
    tiles : LocalTiles
        Of the scene.
    """

    def __init__(self, job: StripJob, tiles: LocalTiles) -> None:
        self.job, self._tiles = job, tiles
        self._cols = job.scene["size"][1]
        self._rest: Iterator[MapTile] = iter(())
        self._next: int | None = None

    def strip(self, row: int) -> dict[str, NDArray[Any]]:
        """Return the arrays of the tiles that begin in `row`, side by side."""
        if row != self._next:
            self._rest = iter(())  # gives its memory back before another takes some
            self._rest = self._tiles.from_row(row)
        self._next = None  # if this fails, it begins anew
        parts: list[Mapping[str, NDArray[Any]]] = []
        for tile, arrays in self._rest:
            parts.append(arrays)
            if tile.col + tile.cols == self._cols:
                self._next = tile.row + tile.rows
                break
        return {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}


def strip(job: StripJob, row: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of the tiles that begin in `row`, side by side; called on a worker.

    Raises
    ------
    SceneError
        If the scene cannot be read here, or is another one here.
    ClusterError
        If this worker is not like the process that asks.
    """
    plugin = _plugin(job.model)
    # Threads of one worker would hold the rows of their scenes several times.
    with plugin.lock:
        if plugin.last is None or plugin.last.job != job:
            plugin.last = None  # gives its memory back before the next one takes some
            plugin.last = SceneOfStrips(job, tiles_of(job, plugin.classifier))
        return dict(plugin.last.strip(row))


def plan_of(job: StripJob) -> dict[str, Any]:
    """Return the plan that comes out for a job whose plan is not complete; called on a worker."""
    return tiles_of(job, _plugin(job.model).classifier).plan


def tiles_of(job: StripJob, classifier: Classifier) -> LocalTiles:
    """Open the scene of a job and return its tiles, planned as the job says."""
    check_versions(versions_here(tuple(job.versions)), job.versions, f"the worker {here()}")
    scene = match_bands(_opened(job), classifier.bands, resample=job.resample_bands)
    found = scene_facts(scene)
    other = [name for name in ALIKE if found.get(name) != job.scene.get(name)]
    if other:
        raise SceneError(
            f"{scene.name} is another scene on the worker {here()}: {other[0]} "
            f"{found.get(other[0])}, not {job.scene.get(other[0])}\n"
            f"It reads {job.source.get('dataset', 'a mosaic')}; bring the file up to date there."
        )
    tiles = classifier.tiles(
        scene,
        method=job.plan["method"],
        max_memory=job.plan["max_memory"],
        device=job.device,
        precision=job.precision,
    )
    if "side" in job.plan and tiles.plan != job.plan:
        raise ClusterError(
            f"the worker {here()} would make {scene.name} as {tiles.plan}; planned was {job.plan}\n"
            "Workers have to be alike, or their maps differ in the last digits."
        )
    return LocalTiles(tiles=tiles, classifier=classifier, names=job.names)


def here() -> str:
    """Return the address of this worker, with its machine."""
    from distributed import get_worker

    return f"{get_worker().address} on {platform.node()}"


def _opened(job: StripJob) -> Scene:
    try:
        return open_scene(job.source)
    except HsiError as error:
        raise SceneError(
            f"the worker {here()} cannot open the scene: {str(error).splitlines()[0]}\n"
            "Name it by a path under which all workers see the file, or bring it there."
        ) from error


def _plugin(name: str) -> Any:
    from distributed import get_worker

    try:
        return get_worker().plugins[name]
    except KeyError:
        raise ClusterError(
            f"the worker {here()} was not given the classifier; was it told to forget it?\n"
            "The same command with --resume goes on."
        ) from None
