"""Bands of another scene: brought to those that a classifier was trained on, or refused."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.scenes import Scene
from hsi.scenes.bands import SAME_BAND_NM, with_file_bands
from hsi.scenes.resample import ResampledCube, out_of_reach, resampling_weights


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


def match_bands(scene: Scene, bands: TrainedBands, *, resample: bool = False) -> Scene:
    """Return `scene` with the bands that a classifier was trained on.

    A scene that has them already is returned as it is, so that a matched scene can be matched
    again. Nothing is read; what is resampled is so when its cube is indexed.

    Parameters
    ----------
    scene : Scene
        To be mapped.
    bands : TrainedBands
        `Classifier.bands`.
    resample : bool
        Whether to resample spectra of other bands: weighted by Gaussian spectral response functions
        where the widths of the classifier's bands are known, linearly between band centres
        otherwise. See `hsi.scenes.resample.resampling_weights`.

    Returns
    -------
    Scene
        Resampled, it has NaN where no data is, and the number of its own bands in the metadata
        (``"resampled_from_bands"``).

    Raises
    ------
    UsageError
        If the bands are not the same; to resample, if band centres are not known, or some of the
        classifier's are out of the scene's reach.
    """
    if not isinstance(scene, Scene):
        raise UsageError(
            f"the scene is a {type(scene).__name__}; expected a Scene, as hsi.load_scene gives it"
        )
    try:
        own = _as_in_file(scene, bands)
        _check_same(own, bands)
        return own
    except UsageError as error:
        if resample:
            return _resampled(scene, bands)
        if bands.wavelengths is None or scene.wavelengths is None:
            raise
        raise UsageError(
            f"{error}\nTo interpolate its spectra, ask for it: --resample-bands."
        ) from error


def comparison_notes(scene: Scene, bands: TrainedBands) -> tuple[str, ...]:
    """Return what could not be told of the bands of a scene, in words without a full stop.

    Examples
    --------
    >>> bands = TrainedBands(count=2, wavelengths=None, fwhm=None, file_bands=None)
    >>> scene = Scene(name="field", cube=np.zeros((3, 4, 2)), wavelengths=np.array([500.0, 600.0]))
    >>> comparison_notes(scene, bands)
    ('only the number of bands of field was compared: the run knows no band centres',)
    """
    if (bands.wavelengths is None) == (scene.wavelengths is None):
        return ()
    whose = "the run knows" if bands.wavelengths is None else "the scene has"
    return (f"only the number of bands of {scene.name} was compared: {whose} no band centres",)


def _resampled(scene: Scene, bands: TrainedBands) -> Scene:
    """Return the scene with its spectra weighted to the bands of the classifier."""
    if bands.wavelengths is None or scene.wavelengths is None:
        whose = scene.name if scene.wavelengths is None else "the scene of the training"
        raise UsageError(
            f"the spectra of {scene.name} cannot be resampled: the band centres of {whose} are "
            "not known\nA card (.toml) can list them"
            + ("." if scene.wavelengths is None else "; train on the scene by its card then.")
        )
    beyond = out_of_reach(scene.wavelengths, bands.wavelengths, scene.fwhm)
    if beyond.any():
        raise UsageError(
            f"{scene.name} says nothing about {np.count_nonzero(beyond)} of the {bands.count} "
            "bands that this classifier was trained on: those of "
            f"{_ranges(bands.wavelengths, beyond)}\n"
            f"Its own {scene.bands} bands lie between {scene.wavelengths.min():.1f} and "
            f"{scene.wavelengths.max():.1f} nm, and none near these.\n"
            "Train without them: --drop-bands."
        )
    weights = resampling_weights(scene.wavelengths, bands.wavelengths, bands.fwhm)
    return dataclasses.replace(
        scene,
        cube=ResampledCube(scene.cube, weights, nodata=scene.nodata),
        nodata=None,
        wavelengths=bands.wavelengths,
        fwhm=bands.fwhm,
        file_bands=None,
        rgb_bands=None,  # type: ignore[arg-type]  # the default
        metadata=scene.metadata | {"resampled_from_bands": scene.bands},
    )


def _ranges(centres: NDArray[np.float64], chosen: NDArray[np.bool_]) -> str:
    """Return the ranges of the chosen centres as ``--drop-bands`` takes them, at most eight."""
    order = np.argsort(centres)
    places = np.flatnonzero(chosen[order])
    runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    # Rounded outwards, so that both ends are inside.
    listed = [
        f"{np.floor(10 * centres[order[run[0]]]) / 10:.1f}-"
        f"{np.ceil(10 * centres[order[run[-1]]]) / 10:.1f}nm"
        for run in runs[:8]
    ]
    return ",".join(listed) + (f" and {len(runs) - 8} more ranges" if len(runs) > 8 else "")


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
    others = int(np.count_nonzero(apart > SAME_BAND_NM)) - 1
    if others >= 0:
        worst = int(apart.round(1).argmax())  # as written: of equal ones, the first
        raise UsageError(
            f"the band centres of {scene.name} are not those that this classifier was trained "
            f"on: band {worst + 1} lies at {scene.wavelengths[worst]:.1f} nm instead of "
            f"{bands.wavelengths[worst]:.1f} nm" + (f", and {others} more differ" if others else "")
        )
