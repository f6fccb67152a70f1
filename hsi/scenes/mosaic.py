"""Several scenes as one: side by side, and so far apart that no patch sees two of them.

A mosaic is a `Scene` like any other, so that splits, training and maps need not know of it. What
lies between its parts has no data: pixels near the border of a part are seen exactly as they are
near the border of a scene.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.scenes.bands import ALL_CONSTANT, REASONS
from hsi.scenes.common import common_classes, with_common_bands, with_common_ids
from hsi.scenes.cube import is_missing
from hsi.scenes.lazy import Bands, LazyCube
from hsi.scenes.notes import OF_SHAPES
from hsi.scenes.packing import pack
from hsi.scenes.part import Part, Role
from hsi.scenes.scene import Scene

# Patches of up to 25 pixels, the usual size, share no pixel across it.
GAP = 24


class MosaicCube(LazyCube):
    """Cubes side by side; NaN between them, and where they have no data.

    Parameters
    ----------
    cubes : sequence of array_like
        Each ``(rows, cols, bands)``, of equally many bands.
    corners : sequence of (int, int)
        Where the upper left pixel of each lies.
    size : (int, int)
        Rows and columns of the whole.
    nodata : sequence of (float or None)
        The value in each cube of pixels without data.
    """

    def __init__(
        self,
        cubes: Sequence[Any],
        *,
        corners: Sequence[tuple[int, int]],
        size: tuple[int, int],
        nodata: Sequence[float | None],
    ) -> None:
        # The floating type that holds every value of all cubes.
        dtype = np.result_type(np.float32, *(cube.dtype for cube in cubes))
        super().__init__((*size, int(cubes[0].shape[2])), dtype)
        self.cubes, self.corners, self.nodata = cubes, corners, nodata

    def read(self, rows: slice, cols: slice, bands: Bands) -> NDArray[Any]:
        """Return ``(rows, cols, bands)`` of a rectangle."""
        shape = rows.stop - rows.start, cols.stop - cols.start, len(bands)
        block = np.full(shape, np.nan, dtype=self.dtype)
        for cube, (top, left), nodata in zip(self.cubes, self.corners, self.nodata, strict=True):
            first_row, last_row = max(rows.start, top), min(rows.stop, top + cube.shape[0])
            first_col, last_col = max(cols.start, left), min(cols.stop, left + cube.shape[1])
            if first_row >= last_row or first_col >= last_col:
                continue
            values = np.asarray(
                cube[first_row - top : last_row - top, first_col - left : last_col - left, bands]
            )
            target = block[
                first_row - rows.start : last_row - rows.start,
                first_col - cols.start : last_col - cols.start,
            ]
            target[...] = values
            target[is_missing(values, nodata)] = np.nan
        return block


class Window(LazyCube):
    """A rectangle of a cube.

    Parameters
    ----------
    cube : array_like
        ``(rows, cols, bands)``.
    rows, cols : slice
        With start and stop.
    """

    def __init__(self, cube: Any, rows: slice, cols: slice) -> None:
        shape = rows.stop - rows.start, cols.stop - cols.start, int(cube.shape[2])
        super().__init__(shape, cube.dtype)
        self.cube, self.corner = cube, (rows.start, cols.start)

    def read(self, rows: slice, cols: slice, bands: Bands) -> NDArray[Any]:
        """Return ``(rows, cols, bands)`` of a rectangle of the rectangle."""
        top, left = self.corner
        inside = (
            slice(rows.start + top, rows.stop + top),
            slice(cols.start + left, cols.stop + left),
        )
        return np.asarray(self.cube[(*inside, bands)])


def join_scenes(
    scenes: Sequence[Scene], *, gap: int = GAP, roles: Sequence[Role | None] | None = None
) -> Scene:
    """Return one scene, a mosaic, that holds several. Nothing is read.

    Parameters
    ----------
    scenes : sequence of Scene
        Of the same bands; all with labels, or none. Bands of their files that only some of them
        hold are left out.
    gap : int
        Rows or columns without data between any two. With ``patch_size - 1``, patches of different
        scenes share no pixel, which `hsi.train` asks for; with ``patch_size // 2``, no patch
        reaches into another scene.
    roles : sequence of {"train", "validation", "test", None}, optional
        What the labelled pixels of each scene are for.

    Returns
    -------
    Scene
        Its `parts` say where each scene lies. Its values are floating-point numbers, NaN where no
        data is.

    Raises
    ------
    UsageError
        If there is no scene, one of them is a mosaic itself, some have labels and some have not,
        their bands differ, or their classes contradict each other.

    Examples
    --------
    >>> import hsi
    >>> scene = hsi.load_scene("synthetic")
    >>> both = join_scenes([scene, scene], gap=10)
    >>> both.shape
    (202, 96, 120)
    >>> both.parts[1].rows
    slice(106, 202, None)
    """
    _check(scenes, gap)
    scenes, left_out = with_common_bands(with_common_ids(scenes))
    names, colors = common_classes(scenes)
    corners, size = pack([scene.shape[:2] for scene in scenes], gap)
    given = [None] * len(scenes) if roles is None else roles
    parts = tuple(
        Part(
            name=scene.name,
            rows=slice(top, top + scene.rows),
            cols=slice(left, left + scene.cols),
            grid=scene.grid,
            role=role,
            source=scene.source,
        )
        for scene, (top, left), role in zip(scenes, corners, given, strict=True)
    )
    labels = None
    if scenes[0].labels is not None:
        labels = np.zeros(size, dtype=np.int32)
        for scene, part in zip(scenes, parts, strict=True):
            if scene.labels is not None:  # all have some
                labels[part.rows, part.cols] = scene.labels
    first = scenes[0]
    return Scene(
        name=_name(scenes),
        cube=MosaicCube(
            [scene.cube for scene in scenes],
            corners=corners,
            size=size,
            nodata=[scene.nodata for scene in scenes],
        ),
        labels=labels,
        class_names=names,
        class_colors=colors,
        wavelengths=first.wavelengths,
        fwhm=first.fwhm,
        file_bands=first.file_bands,
        rgb_bands=first.rgb_bands,
        components=min(scene.components for scene in scenes),
        source=_source(scenes, given, gap),
        metadata=_shared_metadata(scenes) | left_out,
        parts=parts,
    )


def scene_of(mosaic: Scene, part: Part) -> Scene:
    """Return one part of a mosaic as a scene of its own, with its own grid. Nothing is read."""
    labels = None
    if mosaic.labels is not None:
        labels = mosaic.labels[part.rows, part.cols]
    return dataclasses.replace(
        mosaic,
        name=part.name,
        cube=Window(mosaic.cube, part.rows, part.cols),
        labels=labels if labels is not None and labels.any() else None,
        grid=part.grid,
        source=part.source,
        parts=(),
    )


def _check(scenes: Sequence[Scene], gap: int) -> None:
    if not scenes:
        raise UsageError("there is no scene to join")
    if not isinstance(gap, int | np.integer) or gap < 0:
        raise UsageError(f"gap={gap!r}; expected a whole number of pixels, from 0")
    for scene in scenes:
        if scene.parts:
            raise UsageError(f"{scene.name} is a mosaic already; join its scenes, not it")
    without = [scene.name for scene in scenes if scene.labels is None]
    if without and len(without) < len(scenes):
        more = f" and {len(without) - 3} more" if len(without) > 3 else ""
        raise UsageError(
            f"without labels: {', '.join(without[:3])}{more}; the other scenes have some\n"
            "Scenes are joined with labels (one --labels for each --dataset), or all without."
        )


def _name(scenes: Sequence[Scene]) -> str:
    if len(scenes) == 2:
        return f"{scenes[0].name} and {scenes[1].name}"
    more = f" and {len(scenes) - 1} more" if len(scenes) > 1 else ""
    return f"{scenes[0].name}{more}"


def _source(scenes: Sequence[Scene], roles: Sequence[Role | None], gap: int) -> dict[str, Any]:
    """Return the arguments of `open_scene`; none where a scene was made in memory."""
    if not all(scene.source for scene in scenes):
        return {}
    parts = [
        scene.source | ({} if role is None else {"role": role})
        for scene, role in zip(scenes, roles, strict=True)
    ]
    return {"gap": int(gap), "parts": parts}


def _shared_metadata(scenes: Sequence[Scene]) -> dict[str, Any]:
    """Return what all scenes say alike, and how much of their labels all together lack."""
    totals = {name: sum(int(scene.metadata.get(name, 0)) for scene in scenes) for name in OF_SHAPES}
    return {name: total for name, total in totals.items() if total} | {
        name: value
        for name, value in scenes[0].metadata.items()
        if isinstance(value, str | int | float)
        and name not in (*REASONS, *OF_SHAPES, ALL_CONSTANT)
        and all(scene.metadata.get(name) == value for scene in scenes[1:])
    }
