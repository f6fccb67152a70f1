"""The tiles of a map as they are written: ids, and where they are asked for confidence and scores.

They are the same wherever they were computed, in this process or on a worker of a cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hsi.mapping.confidence import top_probability
from hsi.mapping.source import MapClassifier, ScoredTiles
from hsi.report import as_percent
from hsi.scenes.tiles import ScoredTile, Tile


class MapTile(NamedTuple):
    """A rectangle of a scene and what is written of it."""

    tile: Tile
    arrays: Mapping[str, NDArray[Any]]
    """``class_map`` and perhaps ``confidence`` ``(rows, cols)``, ``scores`` ``(classes, rows,
    cols)``."""


class MapTiles(Protocol):
    """The tiles of a scene, computed when they are asked for."""

    @property
    def plan(self) -> dict[str, Any]:
        """What makes the same tiles again: `ScoredTiles.plan`."""

    def from_row(self, row: int) -> Iterator[MapTile]:
        """Yield the tiles that begin in `row` or below, from top to bottom."""


@dataclass(frozen=True, kw_only=True)
class LocalTiles:
    """Tiles that this process computes.

    Attributes
    ----------
    tiles : ScoredTiles
        With the scores.
    classifier : MapClassifier
        Whose scores they are.
    names : tuple of str
        The arrays that are written.
    """

    tiles: ScoredTiles
    classifier: MapClassifier
    names: tuple[str, ...]

    @property
    def plan(self) -> dict[str, Any]:
        """Method, side and memory, as they came out."""
        return self.tiles.plan

    def from_row(self, row: int) -> Iterator[MapTile]:
        """Yield the tiles that begin in `row` or below; raises what scoring them raises."""
        for each in self.tiles.from_row(row):
            yield MapTile(each.tile, arrays_of(each, self.classifier, self.names))


def arrays_of(
    scored: ScoredTile, classifier: MapClassifier, names: tuple[str, ...]
) -> dict[str, NDArray[Any]]:
    """Return what is written of a tile, in the types that are stored."""
    arrays: dict[str, NDArray[Any]] = {
        "class_map": classifier.ids(scored).astype(type_of_ids(classifier))
    }
    if "confidence" in names:
        sure = np.where(scored.valid, top_probability(scored.scores), np.nan)
        arrays["confidence"] = as_percent(sure)
    if "scores" in names:
        arrays["scores"] = np.where(scored.valid, scored.scores, np.nan).astype(np.float32)
    return arrays


def stored_types(
    classifier: MapClassifier, names: Iterable[str]
) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Return what is stored of a pixel, by array: the axes before rows and columns, and the type.

    It is what `arrays_of` returns.
    """
    found: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {
        "class_map": ((), type_of_ids(classifier)),
        "confidence": ((), np.dtype(np.uint8)),
        "scores": ((len(classifier.class_ids),), np.dtype(np.float32)),
    }
    return {name: found[name] for name in names}


def type_of_ids(classifier: MapClassifier) -> np.dtype[Any]:
    """Return the smallest type that holds the label ids of a classifier."""
    return np.min_scalar_type(int(classifier.class_ids.max()))
