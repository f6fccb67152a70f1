"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsi.errors import HsiError, UsageError
from hsi.inference import reusing_memory, scores_of_pixels
from hsi.layers import pad_scene
from hsi.models import PatchNetwork
from hsi.training.batches import plan_batches
from hsi.training.settings import Recipe
from hsi.training.step import batch_loss, batch_scores

# Share of a one-cycle schedule in which the rate rises, from a tenth of its peak.
WARM_UP = 0.2


@dataclass(frozen=True)
class Epoch:
    """One row of the training's history."""

    epoch: int
    loss: float
    """Mean over the training pixels, as augmented and with dropout."""
    train_accuracy: float
    """Share of training pixels that were right, as augmented and with dropout."""
    validation_accuracy: float | None
    learning_rate: float
    seconds: float
    """Since the start of the training."""

    def as_row(self) -> dict[str, Any]:
        """Return the fields by name, as `history.csv` and figures take them."""
        return asdict(self)


class Progress(Protocol):
    """What is told while a training goes on."""

    def step(self, done: int, total: int) -> None:
        """Take note of a finished step."""

    def epoch(self, epoch: Epoch, total: int) -> None:
        """Take note of a finished epoch."""


class Silent:
    """Progress that nobody sees."""

    def step(self, done: int, total: int) -> None:
        """Do nothing."""

    def epoch(self, epoch: Epoch, total: int) -> None:
        """Do nothing."""


def fit(
    model: PatchNetwork,
    cube: NDArray[np.float32],
    targets: NDArray[np.int64],
    *,
    train: NDArray[np.bool_],
    validation: NDArray[np.bool_],
    recipe: Recipe,
    seed: int,
    device: torch.device,
    progress: Progress | None = None,
    keep: Callable[[PatchNetwork, Epoch], None] | None = None,
) -> list[Epoch]:
    """Train `model` in place and return its history.

    Scene and targets live on the device. A step cuts the patches of its batch there, or computes
    the trunk once for all of them, whichever is cheaper (see `plan_batches`). With validation
    pixels, the weights of the epoch that did best on them are the result; without, those of the
    last epoch.
    All that is random comes from `seed`, and the caller's generators are left as they were.

    Parameters
    ----------
    model : PatchNetwork
        Moved to `device`; in evaluation mode afterwards.
    cube : ndarray
        ``(rows, cols, components)``.
    targets : ndarray
        ``(rows, cols)``, ``0..K-1`` at the pixels of both masks.
    train, validation : ndarray
        ``(rows, cols)`` masks; that of validation may be empty.
    recipe : Recipe
        Optimiser, schedule and augmentation.
    seed : int
        Of the order of the pixels, the augmentation and dropout. (The initial weights came with
        `model`.)
    device : torch.device
        On CUDA, mixed precision is used.
    progress : Progress, optional
        Told of every step and epoch.
    keep : callable, optional
        Called with model and epoch whenever the weights so far are worth keeping.

    Raises
    ------
    UsageError
        If there are fewer than two training pixels.
    HsiError
        If the loss is no longer finite.
    """
    if train.sum() < 2:
        raise UsageError(f"{train.sum()} training pixels are too few: it takes at least two")
    progress = progress or Silent()
    model.to(device)
    scene = torch.from_numpy(cube).permute(2, 0, 1).to(device)
    padded = pad_scene(scene, model.patch_size)
    target_map = torch.from_numpy(targets).to(device)
    validation_pixels = torch.from_numpy(np.argwhere(validation)).to(device)
    batches = plan_batches(
        model,
        np.argwhere(train),
        targets,
        batch_size=recipe.batch_size,
        class_balance=recipe.class_balance,
        device=device,
    )
    epochs = recipe.passes(len(batches))
    steps = epochs * len(batches)

    with _seeded(seed, device) as generator, reusing_memory():
        optimizer, schedule = _optimizer(model, recipe, steps, device)
        scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
        history: list[Epoch] = []
        best: tuple[float, dict[str, Tensor]] | None = None
        start = time.monotonic()

        for number in range(1, epochs + 1):
            model.train()
            rate = float(schedule.get_last_lr()[0])
            losses = torch.zeros((), device=device, dtype=torch.float64)
            right = torch.zeros((), device=device, dtype=torch.int64)
            seen = 0
            for done, batch in enumerate(batches.epoch(generator), start=1):
                with _mixed_precision(device):
                    scores = batch_scores(
                        model,
                        padded,
                        batch,
                        augmentation=recipe.augmentation,
                        generator=generator,
                    )
                    loss = batch_loss(scores, batch, label_smoothing=recipe.label_smoothing)
                optimizer.zero_grad(set_to_none=True)
                scaler.scale(loss).backward()
                scaler.step(optimizer)
                scaler.update()
                schedule.step()
                losses += loss.detach() * len(batch.truth)
                right += (scores.detach().argmax(1) == batch.truth).sum()
                seen += len(batch.truth)
                progress.step((number - 1) * len(batches) + done, steps)

            epoch = Epoch(
                epoch=number,
                loss=float(losses) / seen,
                train_accuracy=int(right) / seen,
                validation_accuracy=_accuracy(model, scene, target_map, validation_pixels),
                learning_rate=rate,
                seconds=time.monotonic() - start,
            )
            if not math.isfinite(epoch.loss):
                raise HsiError(
                    f"the loss is {epoch.loss} in epoch {number}, so training stopped: "
                    "the steps are too large for this scene\n"
                    f"Lower --learning-rate (now {recipe.learning_rate:g})."
                )
            history.append(epoch)
            progress.epoch(epoch, epochs)
            if epoch.validation_accuracy is None:
                if keep:
                    keep(model, epoch)
            elif best is None or epoch.validation_accuracy >= best[0]:
                weights = {name: value.clone() for name, value in model.state_dict().items()}
                best = (epoch.validation_accuracy, weights)
                if keep:
                    keep(model, epoch)

    if best is not None:
        model.load_state_dict(best[1])
    model.eval()
    return history


def _optimizer(
    model: PatchNetwork, recipe: Recipe, steps: int, device: torch.device
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer]
    optimizer = kind(
        model.parameters(),
        lr=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        fused=device.type in ("cpu", "cuda"),
    )
    schedule: torch.optim.lr_scheduler.LRScheduler
    # A cycle needs a way up, of one step at least.
    if recipe.schedule == "one-cycle" and WARM_UP * (steps + 1) > 1:
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=recipe.learning_rate,
            total_steps=steps + 1,
            pct_start=WARM_UP,
            div_factor=10,
        )
    else:
        schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0, total_iters=0)
    return optimizer, schedule


def _accuracy(
    model: PatchNetwork, scene: Tensor, target_map: Tensor, pixels: Tensor
) -> float | None:
    """Return the share of `pixels` that the model gets right in evaluation mode."""
    if len(pixels) == 0:
        return None
    scores = scores_of_pixels(model, scene, pixels)
    return float((scores.argmax(1) == target_map[pixels[:, 0], pixels[:, 1]]).double().mean())


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[torch.Generator]:
    """Seed PyTorch's global generators, which dropout uses, for the block; yield one more."""
    devices = [device.index or 0] if device.type == "cuda" else []
    with (
        torch.random.fork_rng(devices=devices),
        torch.backends.cudnn.flags(deterministic=True, benchmark=False),
    ):
        torch.manual_seed(seed)
        yield torch.Generator().manual_seed(seed)


def _mixed_precision(device: torch.device) -> Any:
    return torch.autocast("cuda") if device.type == "cuda" else nullcontext()
