"""Which bands of a file a scene holds: those with data that vary and that nobody calls bad."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError, UsageError
from hsi.scenes.address import Place
from hsi.scenes.band_ranges import bands_in
from hsi.scenes.cube import bands_that_vary, bands_with_data
from hsi.scenes.lazy import BandSelection
from hsi.scenes.scene import Scene

# Band centres of one sensor, as different files round them, lie closer than this; those of
# neighbouring bands, further apart.
SAME_BAND_NM = 1.0
# Counted where bands that do not vary are left in, since no other is better.
ALL_CONSTANT = "all_bands_constant"
# Why bands were left out: their count in a scene's metadata, and the reason in words.
REASONS = {
    "empty_bands": "hold no value",
    "bad_bands": "are marked as bad",
    "dropped_bands": "were dropped",
    "constant_bands": "have the same value everywhere",
    "bands_of_some_scenes": "are not in all scenes",
}


class FileBands(BandSelection):
    """Some bands of a file, by which the others can be found again.

    Parameters
    ----------
    cube : array_like
        ``(rows, cols, bands of the file)``.
    mask : ndarray of bool
        ``(bands of the file,)``: the chosen ones.
    available : ndarray of bool
        ``(bands of the file,)``: those that could be chosen, the chosen ones among them.
    wavelengths, fwhm : ndarray or None
        ``(bands of the file,)``, in nanometres.
    """

    def __init__(
        self,
        cube: Any,
        mask: NDArray[np.bool_],
        *,
        available: NDArray[np.bool_],
        wavelengths: NDArray[np.float64] | None,
        fwhm: NDArray[np.float64] | None,
    ) -> None:
        super().__init__(cube, np.flatnonzero(mask))
        self.mask, self.available = mask, available
        self.wavelengths, self.fwhm = wavelengths, fwhm


@dataclass(frozen=True, kw_only=True, eq=False)
class BandChoice:
    """Bands of a file that a scene holds.

    Attributes
    ----------
    mask : ndarray of bool
        ``(bands of the file,)``.
    available : ndarray of bool
        ``(bands of the file,)``: these, and those that are left out only because they do not vary.
    counts : dict
        How many bands were left out, by reason, for the metadata; see `REASONS`.
    """

    mask: NDArray[np.bool_]
    available: NDArray[np.bool_]
    counts: dict[str, int]

    def choose(
        self,
        cube: Any,
        *,
        wavelengths: NDArray[np.float64] | None,
        fwhm: NDArray[np.float64] | None,
    ) -> Any:
        """Return the cube with the chosen bands only; itself where that is all of them."""
        if self.mask.all():
            return cube
        return FileBands(
            cube, self.mask, available=self.available, wavelengths=wavelengths, fwhm=fwhm
        )

    def of(self, values: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        """Return what belongs to the chosen bands of ``(bands of the file,)`` values."""
        return None if values is None else values[self.mask]

    def nearest(self, bands: tuple[int, int, int] | None) -> tuple[int, int, int] | None:
        """Return where the chosen bands nearest to some of the file's stand."""
        if bands is None:
            return None
        kept = np.flatnonzero(self.mask)
        red, green, blue = (int(np.abs(kept - band).argmin()) for band in bands)
        return red, green, blue


def usable_bands(
    path: Place,
    cube: Any,
    *,
    nodata: float | None,
    bad: NDArray[np.bool_] | None,
    wavelengths: NDArray[np.float64] | None = None,
    drop: str | None = None,
) -> BandChoice | None:
    """Return the bands of a file that can be used; None where the array is no cube of numbers.

    Left out are bands without a value in any pixel, bands that the file calls bad, those to
    `drop`, and those with the same value in every pixel that holds data; the last only where other
    bands vary. Each band is counted for the first of these reasons.

    Raises
    ------
    UsageError
        If `drop` cannot be meant, or would leave no band.
    SceneError
        If no band is left.
    """
    if np.ndim(cube) != 3 or np.dtype(cube.dtype).kind not in "iuf":
        return None  # Scene refuses it with its own words
    bands = int(cube.shape[2])
    mask = np.zeros(bands, dtype=np.bool_)
    mask[bands_with_data(cube, nodata)] = True
    if not mask.any():
        raise SceneError(f"{path}: no pixel of any band holds a value")
    counts = {"empty_bands": int(np.count_nonzero(~mask))}
    if bad is not None:
        counts["bad_bands"] = int(np.count_nonzero(mask & bad))
        if counts["bad_bands"] == np.count_nonzero(mask):
            raise SceneError(
                f"{path} marks all of its bands as bad; correct its list of bad bands, or keep "
                "them with keep_bad_bands=True (--keep-bad-bands)"
            )
        mask &= ~bad
    if drop is not None:
        unwanted = bands_in(drop, bands=bands, wavelengths=wavelengths, name=str(path))
        counts["dropped_bands"] = int(np.count_nonzero(mask & unwanted))
        if counts["dropped_bands"] == np.count_nonzero(mask):
            raise UsageError(f"to drop the bands {drop} leaves none of {path}; drop fewer")
        mask &= ~unwanted
    varying = np.zeros(bands, dtype=np.bool_)
    varying[bands_that_vary(cube, nodata, bands=np.flatnonzero(mask))] = True
    # An image that is the same everywhere holds no worse bands than others.
    constant = mask & ~varying if varying.any() else np.zeros(bands, dtype=np.bool_)
    counts["constant_bands"] = int(np.count_nonzero(constant))
    if not varying.any():
        counts[ALL_CONSTANT] = int(np.count_nonzero(mask))
    return BandChoice(
        mask=mask & ~constant,
        available=mask,
        counts={name: count for name, count in counts.items() if count},
    )


def with_file_bands(scene: Scene, wanted: NDArray[np.bool_]) -> Scene:
    """Return `scene` with other bands of its file. Nothing is read.

    Bands that it lacks only because they do not vary, or because of an earlier choice by this
    function, are taken back in.

    Parameters
    ----------
    scene : Scene
        With `file_bands`.
    wanted : ndarray of bool
        ``(bands of the file,)``.

    Raises
    ------
    UsageError
        If the scene lacks some of them.
    """
    given = scene.file_bands
    assert given is not None
    lacking = np.flatnonzero(wanted & ~can_hold(scene))
    if lacking.size:
        listed = ", ".join(str(band + 1) for band in lacking[:5].tolist())
        more = f" and {lacking.size - 5} more" if lacking.size > 5 else ""
        raise UsageError(
            f"{scene.name} lacks band{'' if lacking.size == 1 else 's'} {listed}{more} of its "
            f"{given.size} (counted from 1): empty, marked as bad, or dropped"
        )
    if (wanted == given).all():
        return scene
    held = scene.cube
    if isinstance(held, FileBands) or given.all():
        file, at = (held.cube, held) if isinstance(held, FileBands) else (held, scene)
        cube: BandSelection = FileBands(
            file,
            wanted,
            available=can_hold(scene),
            wavelengths=at.wavelengths,
            fwhm=at.fwhm,
        )
        places = np.flatnonzero(wanted)
    else:
        places, at = np.flatnonzero(wanted[given]), scene
        cube = BandSelection(held, places)
    wavelengths, fwhm = (
        None if each is None else each[places] for each in (at.wavelengths, at.fwhm)
    )
    return dataclasses.replace(
        scene,
        cube=cube,
        wavelengths=wavelengths,
        fwhm=fwhm,
        file_bands=wanted,
        rgb_bands=None,  # type: ignore[arg-type]  # the default
    )


def can_hold(scene: Scene) -> NDArray[np.bool_]:
    """Return ``(bands of the file,)``: the bands that `with_file_bands` can give `scene`."""
    assert scene.file_bands is not None
    if isinstance(scene.cube, FileBands):
        return scene.cube.available
    return scene.file_bands


def band_notes(scene: Scene) -> list[str]:
    """Return in words which bands of its file a scene lacks, and why; nothing if it has all.

    Examples
    --------
    >>> import numpy as np
    >>> cube = np.ones((2, 2, 5))
    >>> band_notes(Scene(name="s", cube=cube, metadata={"empty_bands": 2, "bad_bands": 1}))
    ['3 bands of the file are left out: 2 hold no value, 1 is marked as bad.']
    """
    counts = {name: int(scene.metadata.get(name, 0)) for name in REASONS}
    total = sum(counts.values())
    if total == 0:
        return []
    singular = {"hold": "holds", "are": "is", "were": "was", "have": "has"}
    reasons = []
    for name, count in counts.items():
        verb, _, rest = REASONS[name].partition(" ")
        if count:
            reasons.append(f"{count} {singular[verb] if count == 1 else verb} {rest}")
    bands = "1 band of the file is" if total == 1 else f"{total} bands of the file are"
    return [f"{bands} left out: {', '.join(reasons)}."]
