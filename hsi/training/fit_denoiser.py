"""Training a denoiser on scenes to which noise is added."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from hsi.denoising import DnCNN, Gathered, Planes, add_noise
from hsi.errors import UsageError
from hsi.inference.memory import reusing_memory
from hsi.inference.mode import evaluating
from hsi.training.denoise_settings import DenoiseSettings
from hsi.training.denoiser import Denoiser
from hsi.training.epochs import Epoch, Progress
from hsi.training.loop import run_epochs, seeded
from hsi.training.state import Capture, State

# Noise is added to no larger part of a scene, which would take longer than the step itself.
LARGEST_PART = 64
# A batch is drawn from so many parts, each with a noise of its own: of one alone, the statistics of
# batch norms would be those of its scene and strength of noise.
PARTS = 4
# Batches from which the statistics of batch norms are computed in the end.
SETTLING_BATCHES = 40
# Validation is on this many batches, with the same noise after each epoch.
VALIDATION_BATCHES = 4
_LARGEST_SEED = 2**62
_ATTEMPTS = 20

Cube = NDArray[np.float32]


class Patches(NamedTuple):
    """A batch of noisy images and the noise in them, ``(N, channels, p, p)``."""

    noisy: Tensor
    """As the network sees them."""
    noise: Tensor
    unit: Tensor
    """``(N, channels, 1, 1)``: what the network's answers are multiplied by."""


def fit_denoiser(
    denoiser: Denoiser,
    scenes: Sequence[Cube],
    *,
    validation: Sequence[Cube],
    settings: DenoiseSettings,
    device: torch.device,
    progress: Progress | None = None,
    keep: Callable[[DnCNN, Epoch], None] | None = None,
    after_step: Callable[[Capture], None] | None = None,
    resume: State | None = None,
) -> list[Epoch]:
    """Train the network of `denoiser` in place and return its history.

    The loss is between the noise that the network finds and the noise that was added. On bands it
    is the mean squared difference, as in the paper. On components it is in units of the noise, so
    that none of them counts more, and Huber's: what differs by more than the noise counts in
    proportion, or else single edges of the strongest components would decide on all weights. As
    accuracy, the history has the share of the noise's energy that is taken away, at worst -1.

    In the end, the statistics of batch norms are computed anew for the weights as they are.

    Parameters
    ----------
    denoiser : Denoiser
        Its network is moved to `device`, and in evaluation mode afterwards.
    scenes, validation : sequence of ndarray
        ``(rows, cols, bands)`` in shares of each band's range, NaN where no data is; those of
        validation may be none, and only tell how the training goes.
    settings : DenoiseSettings
        How to learn.
    device : torch.device
        Where to compute.
    progress, keep, after_step, resume
        As for `run_epochs`.

    Raises
    ------
    UsageError
        If a scene is smaller than a patch, or has fewer bands than are denoised together.
    DivergedError
        If the loss or the weights are no longer finite.
    """
    for cube in (*scenes, *validation):
        denoiser.check_bands(cube.shape[2], name="a scene")
        if min(cube.shape[:2]) < settings.patch_size:
            raise UsageError(
                f"a scene of {cube.shape[0]} x {cube.shape[1]} pixels is smaller than a patch of "
                f"{settings.patch_size} x {settings.patch_size}: choose smaller ones (--patch-size)"
            )
    network = denoiser.network.to(device)
    with seeded(settings.seed, device) as generator, reusing_memory():
        task = _Noise(
            denoiser=denoiser,
            scenes=scenes,
            settings=settings,
            device=device,
            validation=[
                _patches(validation, denoiser, settings, np.random.default_rng((1, number)))
                for number in range(VALIDATION_BATCHES if validation else 0)
            ],
        )
        history = run_epochs(
            network,
            task,
            epochs=settings.epochs,
            batches=settings.steps,
            descent=settings.descent,
            generator=generator,
            device=device,
            progress=progress,
            keep=keep,
            choose=False,
            after_step=after_step,
            resume=resume,
        )
        _settle(denoiser, scenes, settings=settings, device=device)
    return history


def _settle(
    denoiser: Denoiser, scenes: Sequence[Cube], *, settings: DenoiseSettings, device: torch.device
) -> None:
    """Give the batch norms the statistics of noisy patches under the weights as they are.

    In training they keep averages of the last few batches, under weights that have changed since.
    The network is in evaluation mode afterwards.
    """
    network = denoiser.network.to(device)
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches
    network.train()
    with torch.no_grad():
        for number in range(SETTLING_BATCHES):
            drawn = np.random.default_rng((2, settings.seed, number))
            network(_patches(scenes, denoiser, settings, drawn).noisy.to(device))
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum
    network.eval()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Noise:
    """The task of `fit_denoiser`; a batch is the seed from which it is drawn."""

    denoiser: Denoiser
    scenes: Sequence[Cube]
    settings: DenoiseSettings
    device: torch.device
    validation: Sequence[Patches]

    def train_mode(self) -> None:
        self.denoiser.network.train()

    def batches(self, generator: torch.Generator) -> Iterable[int]:
        seeds: list[int] = torch.randint(
            _LARGEST_SEED, (self.settings.steps,), generator=generator
        ).tolist()
        return seeds

    def learn(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor, int]:
        drawn = np.random.default_rng(batch)
        patches = _patches(self.scenes, self.denoiser, self.settings, drawn)
        noisy, noise, unit = (each.to(self.device) for each in patches)
        found = self.denoiser.network(noisy) * unit
        if self.denoiser.on == "bands":
            loss = F.mse_loss(found, noise)
        else:
            loss = F.huber_loss(found, noise, delta=1.0)
        return loss, _removed(found.detach(), noise) * len(noise), len(noise)

    def accuracies(self, running: float) -> tuple[float, float | None]:
        """Return the share of the noise that was removed in training, and of the validation's."""
        if not self.validation:
            return running, None
        shares = []
        with evaluating(self.denoiser.network):
            for patches in self.validation:
                noisy, noise, unit = (each.to(self.device) for each in patches)
                shares.append(_removed(self.denoiser.network(noisy) * unit, noise))
        return running, float(torch.stack(shares).mean())


def _removed(found: Tensor, noise: Tensor) -> Tensor:
    """Return the share of the noise's energy that goes with what was found of it."""
    energy = (noise**2).mean().clamp(min=torch.finfo(noise.dtype).tiny)
    left = ((found - noise) ** 2).mean()
    # Where hardly any noise was added, the share would drown all others.
    return (1 - left / energy).double().clamp(min=-1)


def _patches(
    scenes: Sequence[Cube],
    denoiser: Denoiser,
    settings: DenoiseSettings,
    generator: np.random.Generator,
) -> Patches:
    """Add noise to parts of scenes, and cut patches from the images of them."""
    parts = min(PARTS, settings.batch_size)
    drawn = []
    for part in range(parts):
        count = len(range(part, settings.batch_size, parts))
        drawn += _of_one_part(scenes, denoiser, settings, generator, count=count)
    return Patches(*(torch.from_numpy(np.stack(each)).float() for each in zip(*drawn, strict=True)))


def _of_one_part(
    scenes: Sequence[Cube],
    denoiser: Denoiser,
    settings: DenoiseSettings,
    generator: np.random.Generator,
    *,
    count: int,
) -> list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]]:
    """Return so many patches of one part of a scene, as `_patch` does."""
    sizes = [cube.shape[0] * cube.shape[1] for cube in scenes]
    shares = np.array(sizes) / sum(sizes)
    clean = _part(scenes[int(generator.choice(len(scenes), p=shares))], generator)
    kind = settings.noise[int(generator.integers(len(settings.noise)))]
    noisy = add_noise(
        clean, kind=kind, sigma=generator.uniform(*settings.levels), generator=generator
    )
    known = np.asarray(np.isfinite(clean).all(axis=2))
    valid = known[..., np.newaxis]
    gathered = Gathered()
    gathered.add(noisy[known])
    planes = Planes.of(gathered.moments(name="a part of a scene"), on=denoiser.on)
    images = np.where(valid, planes.images(noisy), 0.0)
    noise = np.where(valid, planes.differences(noisy - clean), 0.0)
    return [_patch(images, noise, planes, settings, generator) for _ in range(count)]


def _part(cube: Cube, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return a part of a cube at random; of several attempts, the one with the most data."""
    rows, cols = (min(length, LARGEST_PART) for length in cube.shape[:2])
    best, most = cube[:rows, :cols], -1
    for _ in range(_ATTEMPTS):
        row = int(generator.integers(cube.shape[0] - rows + 1))
        col = int(generator.integers(cube.shape[1] - cols + 1))
        part = cube[row : row + rows, col : col + cols]
        count = int(np.count_nonzero(np.isfinite(part).all(axis=2)))
        if count > most:
            best, most = part, count
        if 2 * most > rows * cols:
            break
    return best.astype(np.float64)


def _patch(
    images: NDArray[np.float64],
    noise: NDArray[np.float64],
    planes: Planes,
    settings: DenoiseSettings,
    generator: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return ``(channels, p, p)`` noisy and noise, in one of eight orientations, and their unit."""
    side, channels = settings.patch_size, settings.channels
    row = int(generator.integers(images.shape[0] - side + 1))
    col = int(generator.integers(images.shape[1] - side + 1))
    plane = int(generator.integers(images.shape[2] - channels + 1))
    turns, mirrored = int(generator.integers(4)), bool(generator.integers(2))
    # Which way a component points means nothing.
    sign = 1 - 2 * int(generator.integers(2)) if settings.on == "components" else 1
    unit = planes.unit[plane : plane + channels, np.newaxis, np.newaxis]

    def cut(of: NDArray[np.float64]) -> NDArray[np.float64]:
        square = of[row : row + side, col : col + side, plane : plane + channels]
        turned = np.rot90(square[::-1] if mirrored else square, turns)
        return sign * turned.transpose(2, 0, 1)

    return cut(images) / unit, cut(noise), unit
