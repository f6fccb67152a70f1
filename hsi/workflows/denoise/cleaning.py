"""Taking the noise out of a cube that is read in tiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.denoising import Gathered, Moments, Planes
from hsi.errors import SceneError
from hsi.inference.memory import reusing_memory
from hsi.scenes.cube import is_missing, row_blocks
from hsi.scenes.tiles import Tile, tiles_of
from hsi.training import Denoiser

TILE = 256
_BLOCK_BYTES = 2**24


class Cleaning:
    """A denoiser made ready for one scene.

    Tiles are computed with as much around them as the network sees, and where the scene ends, they
    end: there each layer pads with zeros, as it would for the whole scene. So the result does not
    depend on the tiles, but for the last digits of float32.

    Parameters
    ----------
    denoiser : Denoiser
        The network.
    cube : array_like
        ``(rows, cols, bands)``; sliced. It is read once here.
    good : ndarray of bool
        ``(bands,)``: the bands to denoise.
    restore : ndarray of bool
        ``(bands,)``: bands that are told from the others instead, by linear regression.
    nodata : float or None
        The value of pixels without data.
    name : str
        Of the scene, for messages.

    Attributes
    ----------
    good, restored : ndarray of intp
        The bands that change: those that are denoised, those that are told from them. Bands that
        have the same value everywhere, and bands without values, stay as they are.
    planes : Planes
        What the network sees.

    Raises
    ------
    SceneError
        If hardly any pixel has data in all of these bands, or none of them varies.
    UsageError
        If there are fewer bands than the network denoises together.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        cube: Any,
        *,
        good: NDArray[np.bool_],
        restore: NDArray[np.bool_],
        nodata: float | None,
        name: str,
    ) -> None:
        self.denoiser, self.cube, self.nodata = denoiser, cube, nodata
        used = np.flatnonzero(good | restore)
        moments = _moments(cube, used, nodata=nodata, name=name)
        varies = moments.spread > 0
        denoised = np.flatnonzero(good[used] & varies)
        told = np.flatnonzero(restore[used] & varies)
        self.good, self.restored = used[denoised], used[told]
        if not len(denoised):
            raise SceneError(
                f"no band of {name} has different values in different pixels; there is no noise in "
                "it\nIs it the right file?"
            )
        denoiser.check_bands(len(denoised), name=name)
        own = moments.of(denoised)
        self.planes = Planes.of(own, on=denoiser.on)
        self._mean = own.mean
        self._told_mean = moments.mean[told]
        self._told = moments.regression(told, denoised) if len(told) else None

    def tiles(self, side: int = TILE) -> Iterator[tuple[Tile, NDArray[Any], NDArray[np.float64]]]:
        """Yield each tile, its stored values, and what becomes of its denoised and restored bands.

        Values are ``(rows, cols, bands)``, results ``(rows, cols, good + restored)``; NaN in pixels
        that lack a value in a band that is denoised.
        """
        rows, cols, _ = self.cube.shape
        halo = self.denoiser.network.halo
        with reusing_memory():
            for tile in tiles_of(rows, cols, side):
                wide = tile.around(2 * halo + 1, (rows, cols))
                values = np.asarray(self.cube[wide])
                inside = tuple(
                    slice(own.start - around.start, own.stop - around.start)
                    for own, around in zip(tile.slices, wide, strict=True)
                )
                yield tile, values[inside], self._cleaned(values)[inside]

    def _cleaned(self, values: NDArray[Any]) -> NDArray[np.float64]:
        stored = values[..., self.good]
        valid = ~is_missing(stored, self.nodata).any(axis=2, keepdims=True)
        bands = np.where(valid, stored, self._mean)
        images = np.where(valid, self.planes.images(bands), 0.0)
        clean = self.planes.bands(self.denoiser.cleaned(images, self.planes))
        if self._told is not None:
            told = (clean - self._mean) @ self._told + self._told_mean
            clean = np.concatenate([clean, told], axis=2)
        return np.where(valid, clean, np.nan)


def cleaned(denoiser: Denoiser, cube: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a cube ``(rows, cols, bands)`` in memory without its noise; NaN where it has NaN."""
    every = np.ones(cube.shape[2], dtype=np.bool_)
    cleaning = Cleaning(denoiser, cube, good=every, restore=~every, nodata=None, name="the scene")
    result = cube.copy()
    for tile, _, found in cleaning.tiles():
        result[tile.slices][..., cleaning.good] = found
    return result


def _moments(cube: Any, bands: NDArray[np.intp], *, nodata: float | None, name: str) -> Moments:
    """Return the moments of some bands over the pixels that have data in all of them."""
    gathered = Gathered()
    for _, block in row_blocks(cube, max_bytes=_BLOCK_BYTES):
        chosen = block[..., bands]
        valid = ~is_missing(chosen, nodata).any(axis=2)
        gathered.add(chosen[valid].astype(np.float64))
    return gathered.moments(name=name)
