"""What a map is made from: all that is asked of a classifier and of its tiles of a scene."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hsi.scenes.tiles import ScoredTile


class MapClassifier(Protocol):
    """A classifier as a map knows it; `hsi.Classifier` is one.

    Attributes
    ----------
    name : str
        The model, for titles.
    class_ids : ndarray
        ``(K,)`` label ids in the order of the scores.
    class_names, class_colors : dict
        By label id.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def class_ids(self) -> NDArray[np.int32]: ...  # noqa: D102

    @property
    def class_names(self) -> dict[int, str]: ...  # noqa: D102

    @property
    def class_colors(self) -> dict[int, tuple[int, int, int]]: ...  # noqa: D102

    def ids(self, scored: ScoredTile) -> NDArray[np.int32]:
        """Return the label id ``(rows, cols)`` of every pixel of a tile, 0 where no data is."""
        ...


class ScoredTiles(Protocol):
    """A scene whose tiles are scored when they are asked for.

    Attributes
    ----------
    plan : dict
        How the scene is divided, ``method`` and ``max_memory`` among it. With these two, others
        of the same classifier and scene give the same bits.
    """

    @property
    def plan(self) -> dict[str, Any]: ...  # noqa: D102

    def from_row(self, row: int) -> Iterator[ScoredTile]:
        """Yield the tiles that begin in `row` or below, from top to bottom."""
        ...
