"""What a denoiser is worth: noise is added to a scene and taken out again, in several ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.denoising import NOISES, Quality, Ranges, add_noise, check_scikit_image, quality
from hsi.denoising.baselines import best_truncated, non_local_means
from hsi.denoising.noise import WHOLE_RANGE
from hsi.errors import UsageError, check_name, check_whole_number
from hsi.inference import resolve_device
from hsi.scenes import Scene
from hsi.training import Denoiser, DenoiseRun
from hsi.workflows.denoise.cleaning import cleaned

METHODS = ("noisy", "non-local means", "truncated PCA", "DnCNN")


class Assessed(NamedTuple):
    """How near one method came to the scene without noise."""

    noise: str
    sigma: float
    method: str
    quality: Quality


def noisy_scene(
    scene: Scene, *, kind: str, sigma: float, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64], Ranges]:
    """Return a scene with noise, the scene itself, and the ranges of its bands.

    Parameters
    ----------
    scene : Scene
        Taken to be clean; it is read into memory.
    kind, sigma
        As for `hsi.denoising.add_noise`.
    seed : int
        Of the noise.

    Returns
    -------
    noisy, clean : ndarray of float64
        ``(rows, cols, bands)`` in the scene's values; the mean where no data is.
    ranges : Ranges
        Of the valid pixels.

    Raises
    ------
    UsageError
        If no pixel has data in every band, or the seed is none.
    """
    check_whole_number("seed", seed)
    if seed < 0:
        raise UsageError(f"seed is {seed}; expected 0 or more")
    if not scene.valid.any():
        raise UsageError(f"{scene.name} has no pixel with data in every band to test on")
    values = np.asarray(scene.cube[:], dtype=np.float64)
    known = values[scene.valid]
    ranges = Ranges.of(known)
    clean = np.where(scene.valid[..., np.newaxis], values, known.mean(axis=0))
    generator = np.random.default_rng(seed)
    noisy = add_noise(ranges.shares(clean), kind=kind, sigma=sigma, generator=generator)
    return ranges.values(noisy), clean, ranges


def assess_denoiser(
    run: DenoiseRun | Path | str,
    scene: Scene,
    *,
    sigmas: Sequence[float],
    noises: Sequence[str] = ("gaussian",),
    seed: int = 0,
    device: str | torch.device = "auto",
    progress: Callable[[str], None] | None = None,
) -> list[Assessed]:
    """Add noise to a scene, take it out in several ways, and measure what is left.

    Non-local means are scikit-image's, band by band, and know the strength of the noise. Principal
    components are truncated to the number that brings them nearest to the clean scene, which nobody
    could know: it is the most that truncation can do. Both see bands in shares of their ranges, in
    which Gaussian noise is the same in all. The network is told nothing.

    Parameters
    ----------
    run : DenoiseRun or path
        Of `train_denoiser`; best not trained on this scene.
    scene : Scene
        Taken to be clean; it is read into memory.
    sigmas : sequence of float
        Strengths of noise on the scale of 0 to 255.
    noises : sequence of str
        Kinds of noise; see `hsi.denoising.add_noise`.
    seed : int
        Of the noise.
    device : str or torch.device
        Where the network computes.
    progress : callable, optional
        Told in words what is being done.

    Returns
    -------
    list of Assessed
        For each kind, each strength and each of `METHODS`.

    Raises
    ------
    UsageError
        If a kind is unknown, scikit-image is not installed, or the scene does not fit the network.
    """
    run = run if isinstance(run, DenoiseRun) else DenoiseRun(run)
    check_scikit_image()
    for kind in noises:
        check_name("noise", kind, NOISES)
    denoiser = run.denoiser
    denoiser.network.to(resolve_device(device))
    denoiser.check_bands(scene.bands, name=scene.name)
    rows = []
    for kind in noises:
        for sigma in sigmas:
            noisy, clean, ranges = noisy_scene(scene, kind=kind, sigma=sigma, seed=seed)
            ways = _ways(denoiser, noisy, clean, ranges, sigma)
            for method, found in zip(METHODS, ways, strict=True):
                if progress:
                    progress(f"{kind}, sigma {sigma:g}: {method}")
                measured = quality(
                    found, clean, low=ranges.low, high=ranges.high, valid=scene.valid
                )
                rows.append(Assessed(kind, sigma, method, measured))
    return rows


def _ways(
    denoiser: Denoiser,
    noisy: NDArray[np.float64],
    clean: NDArray[np.float64],
    ranges: Ranges,
    sigma: float,
) -> Iterator[NDArray[np.float64]]:
    """Yield what each of `METHODS` makes of a noisy scene."""
    share = ranges.shares(noisy)
    yield noisy
    yield ranges.values(non_local_means(share, sigma=sigma / WHOLE_RANGE))
    yield ranges.values(best_truncated(share, ranges.shares(clean))[0])
    yield cleaned(denoiser, noisy)
