"""A scene of any size in tiles, and the scores of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from hsi.inference import (
    Method,
    Precision,
    TiledNetwork,
    check_input,
    memory_budget,
    resolve_device,
    reusing_memory,
)
from hsi.inference.tiles import region_of_part
from hsi.models import PatchNetwork
from hsi.sampling import Reduction
from hsi.scenes import Scene
from hsi.scenes.tiles import ScoredTile
from hsi.training.components import READ_BYTES, ComponentCube

# With more, maps get no faster on a CPU.
ENOUGH = 2**30
# What the rows of a scene may take of it: beyond, tiles are read one by one.
FOR_ROWS = 0.35


class SceneTiles:
    """The scores of a scene, tile by tile; iterating computes them.

    The scene is read from top to bottom. Tiles that lie beside each other come one after the
    other, and the rows that they need are held until all of them are done.

    Parameters
    ----------
    network : PatchNetwork
        It is moved to `device`.
    reduction : BandPCA or BandScaler
        Fitted.
    scene : Scene
        With the bands that `reduction` was fitted to.
    method, device, precision
        As for `hsi.predict_scene`.
    max_memory : int or str, optional
        As for `hsi.Classifier.tiles`.

    Attributes
    ----------
    shape : tuple of int
        ``(rows, cols)`` of the scene.
    dtype : dtype
        Of the scores.
    plan : dict
        ``method``, ``side`` of a tile and ``max_memory`` in bytes, as they came out. With these
        method and memory, another `SceneTiles` gives the same bits.
    """

    def __init__(
        self,
        network: PatchNetwork,
        reduction: Reduction,
        scene: Scene,
        *,
        method: Method = "auto",
        device: str | torch.device = "auto",
        precision: Precision = "full",
        max_memory: int | str | None = None,
    ) -> None:
        where = resolve_device(device)
        budget = memory_budget(max_memory, where)
        if max_memory is None and where.type == "cpu":
            budget = min(budget, ENOUGH)
        left, self.shape = budget, scene.shape[:2]
        self.cube = ComponentCube(scene, reduction)
        check_input(network, self.cube)
        network.to(where)
        if where.type == "cpu":
            # Stored values, their copy in float64 and what becomes of them.
            left -= 4 * READ_BYTES
            self.cube.max_bytes = max(0, int(FOR_ROWS * left))
            # The largest tile decides how many rows are held, and they leave less for a tile.
            rows = self._tiled(network, left, method, precision).side + network.patch_size - 1
            held = self.cube.held_bytes(min(rows, scene.rows))
            left -= min(held, self.cube.max_bytes)
        self.network = self._tiled(network, left, method, precision)
        self.dtype = np.dtype(str(network.anchor.dtype).removeprefix("torch."))
        self.plan: dict[str, Any] = {
            "method": self.network.method, "side": self.network.side, "max_memory": budget,
        }  # fmt: skip

    def __iter__(self) -> Iterator[ScoredTile]:
        return self.from_row(0)

    def from_row(self, row: int) -> Iterator[ScoredTile]:
        """Yield the tiles that begin in `row` or below, with their scores.

        Raises
        ------
        SceneError
            If the scene cannot be read, or a pixel seems to hold a fill value.
        """
        network, patch_size = self.network, self.network.model.patch_size
        with reusing_memory():
            for tile in network.tiles(first_row=row):
                around = tile.around(patch_size, self.shape)
                components, valid = self.cube.rectangle(*around)
                region = region_of_part(components, tile, patch_size, self.shape, network.dtype)
                scores = network.scores(region, tile).T.unflatten(1, tile.size)
                inner = valid[tile.row - around[0].start :, tile.col - around[1].start :][
                    : tile.rows, : tile.cols
                ]
                yield ScoredTile(tile, scores.numpy(force=True), inner)

    def _tiled(
        self, network: PatchNetwork, max_bytes: int, method: Method, precision: Precision
    ) -> TiledNetwork:
        return TiledNetwork(
            network, *self.shape, max_bytes=max_bytes, method=method, precision=precision
        )
