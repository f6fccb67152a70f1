"""What the explorer of a page holds: pictures, spectra and what belongs to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.report.explorer.axis import band_axis
from hsi.report.explorer.layers import (
    CONFIDENCE_STEPS,
    class_layer,
    composite_layer,
    confidence_layer,
    picture_step,
    set_layer,
)
from hsi.report.explorer.packing import Block, pack
from hsi.report.explorer.spectra import MISSING, Spectra, take_spectra
from hsi.report.explorer.statistics import ClassSpectra, labelled_spectra, mapped_spectra
from hsi.scenes import Scene
from hsi.scenes.grid import Grid

Color = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Mapped:
    """What a classifier says of a scene.

    Attributes
    ----------
    class_map : ndarray of int32
        ``(rows, cols)`` label ids, 0 = no data.
    confidence : ndarray of float, optional
        ``(rows, cols)``: the probability of that class; NaN where no data is.
    names, colors : mapping
        Of the classes, by label id.
    patch_size : int
        Side of the square of pixels that the classifier sees of each.
    """

    class_map: NDArray[np.int32]
    confidence: NDArray[np.floating] | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    colors: Mapping[int, Color] = field(default_factory=dict)
    patch_size: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Exploration:
    """What a page holds for its explorer.

    Attributes
    ----------
    about : dict
        Everything small, as JSON holds it.
    blocks : dict of Block
        Arrays by name.
    limits : list of str
        In words: what is not shown in full, and how exact the rest is.
    """

    about: dict[str, Any]
    blocks: dict[str, Block]
    limits: list[str]


def explore(
    scene: Scene,
    mapped: Mapped | None = None,
    *,
    sets: Sequence[NDArray[np.bool_]] | None = None,
    charts: Mapping[str, Any] | None = None,
) -> Exploration:
    """Gather what a page shows of a scene, within bounds.

    Parameters
    ----------
    scene : Scene
        Its cube is sliced, never read as a whole, if it is large.
    mapped : Mapped, optional
        What a classifier says of it.
    sets : sequence of ndarray, optional
        Masks ``(rows, cols)`` of the training, the validation and the test pixels.
    charts : mapping, optional
        ``confusion`` (``counts``, ``ids`` and ``names`` of the classes) and ``history`` (one
        mapping for each epoch).

    Raises
    ------
    UsageError
        If an array has another shape than the scene, or a map an id without a name or colour.
    """
    _check_shapes(scene, mapped, sets)
    step = picture_step(scene.rows, scene.cols)
    names = scene.class_names | dict(mapped.names if mapped else {})
    colors = scene.class_colors | dict(mapped.colors if mapped else {})
    ids = sorted(names.keys() & colors.keys())
    blocks = {"composite": pack(composite_layer(scene, step))}
    if scene.labels is not None:
        blocks["truth"] = pack(class_layer(scene.labels, ids, step))
    if mapped is not None:
        blocks["map"] = pack(class_layer(mapped.class_map, ids, step))
        if mapped.confidence is not None:
            blocks["confidence"] = pack(confidence_layer(mapped.confidence, step))
    if sets is not None:
        train, validation, test = sets
        blocks["sets"] = pack(set_layer(train, validation, test, step))

    spectra, blocks["levels"] = take_spectra(scene)
    statistics, basis = _statistics(scene, mapped, spectra, ids)
    if statistics is not None:
        blocks["mean"] = pack(statistics.mean.astype(np.float32))
        blocks["deviation"] = pack(statistics.deviation.astype(np.float32))
    about = {
        "scene": {"name": scene.name, "rows": scene.rows, "cols": scene.cols},
        "grid": _grid(scene.grid),
        "parts": [
            {
                "name": part.name,
                "rows": [part.rows.start, part.rows.stop],
                "cols": [part.cols.start, part.cols.stop],
                "grid": _grid(part.grid),
            }
            for part in scene.parts
        ],
        "classes": [
            {
                "id": each,
                "name": names[each],
                "color": list(colors[each]),
                "pixels": int(statistics.counts[k]) if statistics else 0,
            }
            for k, each in enumerate(ids)
        ],
        "basis": basis,
        "picture": {"step": step, "confidence_steps": CONFIDENCE_STEPS},
        "spectra": {
            "step": spectra.step,
            "missing": MISSING,
            "low": spectra.low.tolist(),
            "quantum": spectra.quantum.tolist(),
        },
        "axis": band_axis(scene).about,
        "in_nanometres": scene.wavelengths is not None,
        "rgb": list(scene.rgb_bands),
        "patch_size": mapped.patch_size if mapped else None,
        "charts": dict(charts or {}),
        "blocks": {name: block.about for name, block in blocks.items()},
    }
    return Exploration(about=about, blocks=blocks, limits=_limits(scene, spectra, step))


def _check_shapes(
    scene: Scene, mapped: Mapped | None, sets: Sequence[NDArray[np.bool_]] | None
) -> None:
    arrays: dict[str, Any] = {}
    if mapped is not None:
        arrays |= {"class map": mapped.class_map, "confidence": mapped.confidence}
    if sets is not None:
        arrays |= zip(("training mask", "validation mask", "test mask"), sets, strict=True)
    for what, array in arrays.items():
        if array is not None and array.shape != scene.shape[:2]:
            raise UsageError(
                f"a {what} of shape {array.shape} for {scene.name}, which has {scene.rows} rows "
                f"and {scene.cols} columns"
            )


def _statistics(
    scene: Scene, mapped: Mapped | None, spectra: Spectra, ids: Sequence[int]
) -> tuple[ClassSpectra | None, str]:
    """Return mean and spread of the classes, and of which pixels they are."""
    if scene.labels is not None:
        return labelled_spectra(scene, ids), "labelled"
    if mapped is not None:
        part = np.asarray(mapped.class_map[:: spectra.step, :: spectra.step])
        return mapped_spectra(spectra.values(), part, ids), "mapped"
    return None, ""


def _grid(grid: Grid | None) -> dict[str, Any] | None:
    if grid is None:
        return None
    return {"crs": grid.crs_name, "transform": list(grid.transform)}


def _limits(scene: Scene, spectra: Spectra, step: int) -> list[str]:
    if step > 1:
        limits = [
            f"Pictures show one pixel in {step} × {step}: every {ordinal(step)} row and column of "
            f"{scene.rows:,} × {scene.cols:,} pixels."
        ]
    else:
        limits = ["Pictures show every pixel."]
    if spectra.step > 1:
        rows, cols, bands = spectra.shape
        limits.append(
            f"To keep this file small, it holds the spectra of {rows * cols:,} pixels, those of "
            f"every {ordinal(spectra.step)} row and column, with all {bands:,} bands. For another "
            "pixel, the nearest of these is drawn, and said."
        )
    else:
        limits.append(f"The spectra of all pixels are held, with all {scene.bands:,} bands.")
    if spectra.exact:
        limits.append("Their values are those of the file, unrounded.")
    else:
        share = float((spectra.quantum / 2).max())
        limits.append(f"Their values are rounded by {share:.2g} at most.")
    return limits


def ordinal(number: int) -> str:
    """Return a whole number as an ordinal.

    Examples
    --------
    >>> [ordinal(each) for each in (1, 2, 3, 4, 11, 22, 113)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd', '113th']
    """
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"
