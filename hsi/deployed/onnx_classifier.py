"""A trained classifier in an ONNX file, which maps scenes as that of a run does."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.deployed.onnx_file import read_onnx
from hsi.deployed.scene_tiles import OnnxTiles
from hsi.deployed.session import Session
from hsi.scenes import Scene
from hsi.scenes.tiles import ScoredTile
from hsi.scenes.trained_bands import TrainedBands, match_bands


class OnnxClassifier:
    """The classifier that `hsi export` wrote to a file.

    Parameters
    ----------
    path : Path or str
        The file. It is read and checked at once.

    Attributes
    ----------
    description : Description
        What the file says of itself.
    sha256 : str
        Of the file, computed with zeros for these digits.

    Raises
    ------
    RunError
        If the file is missing, damaged, or not one of `hsi export`.
    UsageError
        If onnx or onnxruntime is not installed.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.description, content, self.sha256 = read_onnx(self.path)
        self.session = Session(self.path, content)

    @property
    def name(self) -> str:
        """The model with its attention."""
        return self.description.model

    @cached_property
    def class_ids(self) -> NDArray[np.int32]:
        """``(K,)`` label ids in the order of the scores."""
        return np.array([each.id for each in self.description.classes], dtype=np.int32)

    @cached_property
    def class_names(self) -> dict[int, str]:
        """Names by label id."""
        return {each.id: each.name for each in self.description.classes}

    @cached_property
    def class_colors(self) -> dict[int, tuple[int, int, int]]:
        """Colours by label id."""
        return {each.id: each.color for each in self.description.classes}

    @property
    def bands(self) -> TrainedBands:
        """The bands that a scene must have, or be brought to by `hsi.training.match_bands`."""
        return self.description.trained_bands

    @property
    def facts(self) -> dict[str, Any]:
        """By what a map knows the classifier."""
        return {
            "network": self.name,
            "weights": self.description.weights,
            "file": self.sha256[:16],
            "classes": {str(each): name for each, name in self.class_names.items()},
        }

    def tiles(self, scene: Scene, *, max_memory: int | str | None = None) -> OnnxTiles:
        """Return `scene` in tiles whose scores are computed when they are asked for.

        Parameters
        ----------
        scene : Scene
            Of any size; it is read as its tiles are computed.
        max_memory : int or str, optional
            The most that the computation may take beside this classifier: bytes, or a text such
            as ``"2G"``. Default: a quarter of what is free, at most 1G.

        Raises
        ------
        UsageError
            If the bands of the scene are not those that the classifier was trained on, or
            `max_memory` is too small.
        """
        return OnnxTiles(
            self.session, self.description, match_bands(scene, self.bands), max_memory=max_memory
        )

    def ids(self, scored: ScoredTile) -> NDArray[np.int32]:
        """Return the label id ``(rows, cols)`` of every pixel of a tile, 0 where no data is."""
        ids = self.class_ids[scored.scores.argmax(axis=0)]
        return np.where(scored.valid, ids, 0).astype(np.int32)
