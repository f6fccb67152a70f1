"""Mean and spread of the spectra of each class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.scenes import Scene
from hsi.scenes.cube import BLOCK_BYTES, is_missing


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassSpectra:
    """Mean and spread by class.

    Attributes
    ----------
    counts : ndarray of int64
        ``(classes,)`` pixels that they are of.
    mean, deviation : ndarray of float64
        ``(classes, bands)``; the standard deviation is that of these pixels themselves. NaN where a
        class has no pixel.
    """

    counts: NDArray[np.int64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


def labelled_spectra(scene: Scene, ids: Sequence[int]) -> ClassSpectra:
    """Return mean and spread of all labelled pixels of each class that hold data in every band.

    The cube is read in blocks, and only where labels are.
    """
    assert scene.labels is not None
    return _gathered(_labelled_blocks(scene, scene.labels), ids, bands=scene.bands)


def mapped_spectra(
    spectra: NDArray[np.float64], class_map: NDArray[np.integer], ids: Sequence[int]
) -> ClassSpectra:
    """Return mean and spread of the pixels that a map gives to each class.

    Parameters
    ----------
    spectra : ndarray
        ``(rows, cols, bands)``; NaN where no data is.
    class_map : ndarray of int
        ``(rows, cols)`` label ids of the same pixels.
    ids : sequence of int
        Of the classes.
    """
    known = ~np.isnan(spectra).any(axis=2) & (class_map > 0)
    return _gathered(iter([(class_map[known], spectra[known])]), ids, bands=spectra.shape[2])


def _labelled_blocks(
    scene: Scene, labels: NDArray[np.int32]
) -> Iterator[tuple[NDArray[Any], NDArray[np.float64]]]:
    row_bytes = scene.cols * scene.bands * np.dtype(scene.cube.dtype).itemsize
    step = max(1, BLOCK_BYTES // row_bytes)
    for start in range(0, scene.rows, step):
        rows = slice(start, start + step)
        chosen = labels[rows] > 0
        if not chosen.any():
            continue
        pixels = np.asarray(scene.cube[rows])[chosen]
        known = ~is_missing(pixels, scene.nodata).any(axis=1)
        yield labels[rows][chosen][known], pixels[known].astype(np.float64)


def _gathered(
    blocks: Iterator[tuple[NDArray[Any], NDArray[np.float64]]], ids: Sequence[int], *, bands: int
) -> ClassSpectra:
    """Merge the moments of blocks of pixels.

    As T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance", The
    American Statistician 37 (1983) 242-247, doi:10.1080/00031305.1983.10483115.
    """
    counts = np.zeros(len(ids), dtype=np.int64)
    mean, squares = np.zeros((len(ids), bands)), np.zeros((len(ids), bands))
    for of_pixels, pixels in blocks:
        for k, each in enumerate(ids):
            own = pixels[of_pixels == each]
            if not len(own):
                continue
            total = counts[k] + len(own)
            shift = own.mean(axis=0) - mean[k]
            squares[k] += ((own - own.mean(axis=0)) ** 2).sum(axis=0)
            squares[k] += shift**2 * (counts[k] * len(own) / total)
            mean[k] += shift * (len(own) / total)
            counts[k] = total
    mean[counts == 0] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.sqrt(squares / counts[:, None])
    return ClassSpectra(counts=counts, mean=mean, deviation=deviation)
