"""The pictures of a scene that lie over each other in a page."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.scenes import Scene
from hsi.scenes.cube import is_missing

# Of a scene with more pixels, every n-th row and column is shown.
PICTURE_PIXELS = 800_000
# Confidences are kept in ten-thousandths; 0 is none.
CONFIDENCE_STEPS = 10_000


def picture_step(rows: int, cols: int) -> int:
    """Return n, where every n-th row and column makes a picture of `PICTURE_PIXELS` at most."""
    step = max(1, math.ceil(math.sqrt(rows * cols / PICTURE_PIXELS)))
    while math.ceil(rows / step) * math.ceil(cols / step) > PICTURE_PIXELS:
        step += 1
    return step


def composite_layer(scene: Scene, step: int) -> NDArray[np.uint8]:
    """Return ``(3, rows, cols)``: the colour composite, of every `step`-th row and column.

    Of a whole scene it is `Scene.composite`. Of a part, colours are stretched over that part, so
    that a large scene is never in memory.
    """
    if step == 1:
        return np.ascontiguousarray(scene.composite().transpose(2, 0, 1))
    bands = [np.asarray(scene.cube[::step, ::step, band]) for band in scene.rgb_bands]
    valid = ~np.any([is_missing(band, scene.nodata) for band in bands], axis=0)
    return np.stack([_stretched(band, valid) for band in bands])


def class_layer(
    ids: NDArray[np.integer], known: Sequence[int], step: int
) -> NDArray[np.unsignedinteger]:
    """Return ``(rows, cols)``: for each id its place in `known`, counted from 1; 0 stays 0.

    Raises
    ------
    UsageError
        If an id is not among those that are known.
    """
    part = np.asarray(ids[::step, ::step])
    ordered = np.array([0, *sorted(known)], dtype=np.int64)
    places = np.searchsorted(ordered, part).clip(0, len(ordered) - 1)
    strange = np.unique(part[ordered[places] != part])
    if len(strange):
        listed = ", ".join(map(str, strange[:9].tolist()))
        raise UsageError(
            f"a map with the ids {listed}, which have no name or colour; "
            "expected both for every id that occurs"
        )
    return places.astype(np.uint8 if len(ordered) <= 256 else np.uint16)


def confidence_layer(confidence: NDArray[np.floating], step: int) -> NDArray[np.uint16]:
    """Return ``(rows, cols)``: 1 + the probability in ten-thousandths, rounded down; 0 is none."""
    part = np.asarray(confidence[::step, ::step]).astype(np.float64)
    known = np.isfinite(part)
    shares = np.where(known, part, 0).clip(0, 1)
    return np.where(known, 1 + np.floor(shares * CONFIDENCE_STEPS), 0).astype(np.uint16)


def set_layer(
    train: NDArray[np.bool_], validation: NDArray[np.bool_], test: NDArray[np.bool_], step: int
) -> NDArray[np.uint8]:
    """Return ``(rows, cols)``: 1 for training, 2 for validation, 3 for test pixels, else 0."""
    part = (slice(None, None, step),) * 2
    sets = np.zeros(train[part].shape, dtype=np.uint8)
    for number, mask in enumerate((train, validation, test), start=1):
        sets[mask[part]] = number
    return sets


def _stretched(values: NDArray[np.generic], valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    picture = np.zeros(values.shape, dtype=np.uint8)
    if valid.any():
        known = values[valid].astype(np.float64)
        low, high = np.percentile(known, (2, 98))
        scaled = (known - low) / ((high - low) or 1)
        picture[valid] = np.rint(255 * scaled.clip(0, 1)).astype(np.uint8)
    return picture
