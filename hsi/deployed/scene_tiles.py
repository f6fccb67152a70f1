"""A scene of any size in tiles as an exported graph takes them, and the scores of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsi.deployed.description import Description
from hsi.deployed.session import Session
from hsi.errors import RunError, SceneError, UsageError
from hsi.memory import as_bytes, free_memory
from hsi.scenes import Scene
from hsi.scenes.cube import is_missing
from hsi.scenes.fill import check_fill
from hsi.scenes.storage import release_pages
from hsi.scenes.tiles import ScoredTile, Tile, tiles_of

# With more, maps get no faster.
ENOUGH = 2**30
# Sides of tiles in pixels: the largest, as for a run; and steps between them.
TILE, STEP = 320, 8
# What of the memory is for the rows that tiles beside each other are cut from.
FOR_ROWS = 0.25


class TileCube(NamedTuple):
    """A tile and the margin around it, as a graph takes it."""

    cube: NDArray[np.float32]
    """``(rows + p - 1, cols + p - 1, bands)``; NaN where no data is, as beyond the scene."""
    valid: NDArray[np.bool_]
    """``(rows, cols)`` of the tile itself: where data is."""


class OnnxTiles:
    """The scores of a scene, tile by tile, from top to bottom.

    Parameters
    ----------
    session : Session
        Of the graph.
    description : Description
        Of the graph.
    scene : Scene
        With the bands that it was trained on.
    max_memory : int or str, optional
        As for `OnnxClassifier.tiles`.

    Attributes
    ----------
    plan : dict
        ``method``, which is the form of the graph, ``side`` of a tile and ``max_memory`` in bytes,
        as they came out.
    """

    def __init__(
        self,
        session: Session,
        description: Description,
        scene: Scene,
        *,
        max_memory: int | str | None = None,
    ) -> None:
        budget = min(free_memory() // 4, ENOUGH) if max_memory is None else as_bytes(max_memory)
        self.session, self.description, self.scene = session, description, scene
        self.side = self._largest_side(budget)
        value = np.dtype(scene.cube.dtype).itemsize
        rows = min(self.side + description.patch_size - 1, scene.rows)
        self.by_rows = rows * scene.cols * scene.bands * value <= FOR_ROWS * budget
        self.plan: dict[str, Any] = {
            "method": description.form, "side": self.side, "max_memory": budget,
        }  # fmt: skip

    def from_row(self, row: int) -> Iterator[ScoredTile]:
        """Yield the tiles that begin in `row` or below, with their scores.

        Raises
        ------
        SceneError
            If the scene cannot be read, or a pixel seems to hold a fill value.
        """
        size, patch_size = self.scene.shape[:2], self.description.patch_size
        stored, held = np.empty(0), slice(0, 0)
        for tile in tiles_of(*size, self.side):
            if tile.row < row:
                continue
            rows, cols = tile.around(patch_size, size)
            if not self.by_rows:
                stored = self._read(rows, cols)
            elif held != rows:
                stored, held = self._read(rows, slice(0, size[1])), rows
            pixels = stored[:, cols] if self.by_rows else stored
            yield self._scored(tile, pixels, row=rows.start, col=cols.start)

    def _read(self, rows: slice, cols: slice) -> NDArray[Any]:
        pixels = np.asarray(self.scene.cube[rows, cols])
        release_pages(self.scene.cube)
        return pixels

    def _scored(self, tile: Tile, pixels: NDArray[Any], *, row: int, col: int) -> ScoredTile:
        description, scene = self.description, self.scene
        cube, valid = tile_cube(scene, tile, pixels, patch_size=description.patch_size)
        scores, components = self.session.run(["scores", "components"], cube)
        classes = len(description.classes)
        sizes = [(classes, *tile.size), (*cube.shape[:2], description.components)]
        if [scores.shape, components.shape] != sizes:
            raise RunError(
                f"{self.session.path} gives scores of {scores.shape} for a tile of {tile.size} and "
                f"{classes} classes: it is not what `hsi export` wrote"
            )
        if np.isnan(scores[:, valid]).any():
            raise RunError(
                f"{self.session.path} gives scores that are no numbers in rows {tile.row} to "
                f"{tile.row + tile.rows - 1}: its weights, or the values of {scene.name}, are too "
                "large"
            )
        top, left = row - tile.row + description.margin, col - tile.col + description.margin
        inner = components[top : top + pixels.shape[0], left : left + pixels.shape[1]]
        check_fill(scene.name, pixels, inner, description.reduction, row=row, col=col)
        return ScoredTile(tile, scores, valid)

    def _largest_side(self, max_bytes: int) -> int:
        """Return the side of the largest tile whose computation fits into `max_bytes`."""
        description, left = self.description, int((1 - FOR_ROWS) * max_bytes)
        for side in (*range(TILE, STEP, -STEP), 8, 4, 2, 1):
            positions = (side + description.patch_size - 1) ** 2
            needed = positions * description.position_bytes + side**2 * description.pixel_bytes
            if needed <= left:
                return side
        raise UsageError(
            f"max_memory (--max-memory) is too small: one pixel of this network takes {needed:,} "
            f"bytes, and {left:,} are left for it beside what reading takes"
        )


def tile_cube(scene: Scene, tile: Tile, pixels: NDArray[Any], *, patch_size: int) -> TileCube:
    """Return a tile as a graph takes it.

    Parameters
    ----------
    scene : Scene
        Of the tile.
    tile : Tile
        Where it lies.
    pixels : ndarray
        ``(rows, cols, bands)``: what the scene has of the tile and its margin, as
        `Tile.around` says.
    patch_size : int
        Side of a patch.

    Raises
    ------
    SceneError
        If a value is beyond float32.
    """
    missing = is_missing(pixels, scene.nodata).any(axis=2)
    with np.errstate(over="ignore"):  # told below
        values = pixels.astype(np.float32)
    beyond = ~np.isfinite(values).all(axis=2) & ~missing
    if beyond.any():
        raise SceneError(
            f"{scene.name} holds values beyond float32, which an exported graph computes in\n"
            "If they are fill values, declare them with nodata= (--nodata)."
        )
    values[missing] = np.nan
    margin = patch_size // 2
    height, width = (length + patch_size - 1 for length in tile.size)
    cube = np.full((height, width, scene.bands), np.nan, dtype=np.float32)
    top, left = max(margin - tile.row, 0), max(margin - tile.col, 0)
    cube[top : top + pixels.shape[0], left : left + pixels.shape[1]] = values
    inner = np.isfinite(cube[margin : margin + tile.rows, margin : margin + tile.cols]).all(axis=2)
    return TileCube(cube, np.asarray(inner))
