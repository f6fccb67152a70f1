"""Two modalities of the same places: rasters of one scene, or rows of two arrays."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError, UsageError
from hsi.files import expand_home
from hsi.retrieval import Modality
from hsi.scenes import Scene, load_scene
from hsi.scenes.feature_arrays import open_features
from hsi.scenes.second import colour_composite, on_pixels_of

COMPOSITE = "rgb"
"""In place of a second raster: the colour composite of the scene."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """Two modalities, pixel for pixel of the same places.

    Attributes
    ----------
    first, second : Scene
        Of as many rows and columns; the first has the labels.
    source : dict
        What `open_pair` makes the same pair of.
    rasters : bool
        Whether places are pixels with neighbours. If not, they are rows of arrays: of one column.
    notes : tuple of str
        What must be said of the pair.
    """

    first: Scene
    second: Scene
    source: dict[str, Any]
    rasters: bool = True
    notes: tuple[str, ...] = ()

    def scene(self, modality: Modality) -> Scene:
        """Return one of the two."""
        return self.first if modality == "first" else self.second

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """``(rows, cols)``: where both have data."""
        return self.first.valid & self.second.valid

    @cached_property
    def fingerprint(self) -> str:
        """A text that is another one for other values of either."""
        return f"{self.first.fingerprint} with {self.second.fingerprint}"


def raster_pair(
    scene: Scene,
    second: Scene | str | os.PathLike[str],
    *,
    key: str | None = None,
    nodata: float | None = None,
) -> Pair:
    """Return a scene with another raster of the same place.

    Parameters
    ----------
    scene : Scene
        With labels, to learn and to test.
    second : Scene or path
        The raster, as `hsi.load_scene` takes it; or ``"rgb"``: the scene's own colour composite.
    key, nodata
        For `hsi.load_scene` of the second.

    Raises
    ------
    UsageError
        If there is no such file.
    SceneError
        If the rasters do not show the same place, or no labelled pixel has data in both.
    """
    if scene.parts:
        raise UsageError("a retrieval takes one scene; this is a mosaic of several")
    composite = isinstance(second, str) and second == COMPOSITE
    if composite and (key is not None or nodata is not None):
        raise UsageError(
            "--second-key and --second-nodata say how a file is read; the colour composite is none"
        )
    if composite:
        raster, table = colour_composite(scene), {"composite": True}
    else:
        opened = second if isinstance(second, Scene) else load_scene(second, key=key, nodata=nodata)
        raster, table = on_pixels_of(scene, opened), opened.source
    return _paired(scene, raster, source={"scene": scene.source, "second": table})


def feature_pair(
    path: str | os.PathLike[str],
    *,
    first: str = "first",
    second: str = "second",
    labels: str = "labels",
) -> Pair:
    """Return two arrays of a ``.npz`` file; arguments and errors as for `open_features`."""
    one, other = open_features(path, first=first, second=second, labels=labels)
    table = {
        "path": str(expand_home(path, "features")),
        "first": first,
        "second": second,
        "labels": labels,
    }
    pair = _paired(one, other, source={"features": table})
    return dataclasses.replace(pair, rasters=False)


def open_pair(source: Mapping[str, Any]) -> Pair:
    """Open what `Pair.source` describes.

    Raises
    ------
    SceneError
        If a modality was made in memory, and comes from no file.
    """
    if "features" in source:
        table = dict(source["features"])
        return feature_pair(table.pop("path"), **table)
    named = {name: dict(source[name]) for name in ("scene", "second")}
    for name, table in named.items():
        if "dataset" not in table and "composite" not in table:
            raise SceneError(
                f"the {'scene' if name == 'scene' else 'second raster'} was no file and has no "
                "name, so it cannot be opened again\nHand over the pair itself."
            )
    scene = load_scene(**named["scene"])
    if "composite" in named["second"]:
        return raster_pair(scene, COMPOSITE)
    return raster_pair(scene, load_scene(**named["second"]))


def _paired(first: Scene, second: Scene, *, source: dict[str, Any]) -> Pair:
    """Return both, the first without the labels of pixels where the second has no data."""
    if first.labels is None:
        return Pair(first=first, second=second, source=source)
    labels = np.where(second.valid, first.labels, 0).astype(np.int32)
    lost = int(np.count_nonzero(first.labels)) - int(np.count_nonzero(labels))
    if not labels.any():
        raise SceneError(f"{second.name} has no data where {first.name} has labels")
    notes = (f"{lost:,} labelled pixels are left out: {second.name} has no data there.",)
    return Pair(
        first=dataclasses.replace(first, labels=labels) if lost else first,
        second=second,
        source=source,
        notes=notes if lost else (),
    )
