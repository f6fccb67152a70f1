"""Where the bands of a spectrum stand on its axis, and where its line is broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.scenes import Scene

# A distance of so many usual ones of its surroundings is a gap.
GAP = 2.5
_SURROUNDINGS = 5


@dataclass(frozen=True, kw_only=True)
class BandAxis:
    """The axis of a spectrum.

    Attributes
    ----------
    title : str
        What it measures.
    positions : list of float
        By band: its centre in nanometres or, where that is not known, its number from 1.
    order : list of int or None
        Zero-based bands from left to right; None where the line is broken, since bands of the
        sensor are missing there.
    names : list of str
        By band: its number, and its centre where known.
    """

    title: str
    positions: list[float]
    order: list[int | None]
    names: list[str]

    @property
    def about(self) -> dict[str, Any]:
        """All of it, as JSON holds it."""
        return {
            "title": self.title,
            "positions": self.positions,
            "order": self.order,
            "names": self.names,
        }


def band_axis(scene: Scene) -> BandAxis:
    """Return the axis for spectra of a scene: by wavelength where known, else by number.

    Centres need not ascend: bands are drawn from short to long. The line is broken between
    neighbours if the file has bands between them and none of these is in the scene, or if they are
    more than 2.5 times as far apart as bands are around them.
    """
    if scene.file_bands is None:
        numbers = np.arange(scene.bands) + 1
    else:
        numbers = np.flatnonzero(scene.file_bands) + 1
    names = [f"band {number}" for number in numbers.tolist()]
    if scene.wavelengths is None:
        title = "Band" if scene.file_bands is None else "Band of the file"
        return BandAxis(
            title=title,
            positions=numbers.astype(np.float64).tolist(),
            order=_broken(np.arange(scene.bands), np.diff(numbers) > 1),
            names=names,
        )
    order = np.argsort(scene.wavelengths, kind="stable")
    dropped = np.zeros(len(order) - 1, dtype=np.bool_)
    if scene.file_bands is not None:
        # Where detectors overlap, neighbours have bands between them that are in the scene.
        dropped = (np.abs(np.diff(order)) == 1) & (np.abs(np.diff(numbers[order])) > 1)
    wide = _unusually_wide(np.diff(scene.wavelengths[order]))
    return BandAxis(
        title="Wavelength (nm)",
        positions=[round(float(centre), 4) for centre in scene.wavelengths],
        order=_broken(order, dropped | wide),
        names=[
            f"{name}, {centre:.1f} nm"
            for name, centre in zip(names, scene.wavelengths.tolist(), strict=True)
        ],
    )


def _unusually_wide(distances: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which distances exceed the median of those around by far."""
    wide = np.zeros(len(distances), dtype=np.bool_)
    for place, distance in enumerate(distances.tolist()):
        around = distances[max(0, place - _SURROUNDINGS) : place + _SURROUNDINGS + 1]
        wide[place] = len(around) > 2 and distance > GAP * np.median(around)
    return wide


def _broken(order: NDArray[np.intp], breaks: NDArray[np.bool_]) -> list[int | None]:
    line: list[int | None] = []
    for place, band in enumerate(order.tolist()):
        if place and breaks[place - 1]:
            line.append(None)
        line.append(band)
    return line
