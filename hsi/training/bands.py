"""Bands of another scene: brought to those that a classifier was trained on, or refused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.scenes import Scene
from hsi.scenes.bands import with_file_bands

# Band centres of one sensor, as different files round them, lie closer than this; those of
# neighbouring bands, further apart.
SAME_BAND_NM = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedBands:
    """The bands that a classifier was trained on.

    Attributes
    ----------
    count : int
        How many they are.
    wavelengths, fwhm : ndarray or None
        ``(count,)`` band centres and full widths at half maximum in nanometres.
    file_bands : ndarray of bool or None
        Which bands of its file the training scene held, as `Scene.file_bands`.
    """

    count: int
    wavelengths: NDArray[np.float64] | None = None
    fwhm: NDArray[np.float64] | None = None
    file_bands: NDArray[np.bool_] | None = None


def match_bands(scene: Scene, bands: TrainedBands) -> Scene:
    """Return `scene` with the bands that a classifier was trained on.

    A scene that has them already is returned as it is, so that a matched scene can be matched
    again. Nothing is read.

    Parameters
    ----------
    scene : Scene
        To be mapped.
    bands : TrainedBands
        `Classifier.bands`.

    Raises
    ------
    UsageError
        If the bands are not the same.
    """
    scene = _as_in_file(scene, bands)
    _check_same(scene, bands)
    return scene


def _as_in_file(scene: Scene, bands: TrainedBands) -> Scene:
    """Return the scene with those bands of its file that the training scene held of its own."""
    own, given = bands.file_bands, scene.file_bands
    if own is None or given is None or own.shape != given.shape:
        return scene
    try:
        return with_file_bands(scene, own)
    except UsageError as error:
        raise UsageError(
            f"{error}; this classifier was trained on them\n"
            "It can only map scenes that hold all bands of the scene it was trained on."
        ) from error


def _check_same(scene: Scene, bands: TrainedBands) -> None:
    if scene.bands != bands.count:
        hint = "It can only map scenes of the same sensor with the same bands."
        if bands.count in scene.shape[:2]:
            axis = ("first", "second")[scene.shape.index(bands.count)]
            hint = (
                f"Its {axis} axis has that length: a cube of shape {scene.shape} does not seem "
                "to be (rows, columns, bands)."
            )
        raise UsageError(
            f"{scene.name} has {scene.bands} bands; this classifier was trained on {bands.count}\n"
            f"{hint}"
        )
    if bands.wavelengths is None or scene.wavelengths is None:
        own, given = bands.file_bands, scene.file_bands
        if own is not None and given is not None and own.size != given.size:
            raise UsageError(
                f"{scene.name} holds {bands.count} of the {given.size} bands of its file; this "
                f"classifier was trained on {bands.count} of {own.size}\n"
                "Without band centres it cannot be told whether these are the same."
            )
        return
    apart = np.abs(bands.wavelengths - scene.wavelengths)
    if apart.max() > SAME_BAND_NM:
        worst = int(apart.argmax())
        raise UsageError(
            f"the band centres of {scene.name} are not those that this classifier was trained "
            f"on: band {worst + 1} lies at {scene.wavelengths[worst]:.1f} nm instead of "
            f"{bands.wavelengths[worst]:.1f} nm"
        )
