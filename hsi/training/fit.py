"""Training a patch network on the pixels of a scene."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsi.errors import UsageError
from hsi.inference import reusing_memory, scores_of_pixels
from hsi.layers import pad_scene
from hsi.models import PatchNetwork
from hsi.training.batches import Batch, Batches, plan_batches
from hsi.training.epochs import Epoch, Progress
from hsi.training.loop import right_of, run_epochs, seeded
from hsi.training.ranks import Ranks, unbroken
from hsi.training.recipe import Recipe
from hsi.training.shared_steps import SharedSteps
from hsi.training.state import Capture, State
from hsi.training.statistics import settle_statistics
from hsi.training.step import batch_loss, batch_scores


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
    after_step: Callable[[Capture], None] | None = None,
    resume: State | None = None,
    ranks: Ranks | None = None,
) -> list[Epoch]:
    """Train `model` in place and return its history.

    Scene and targets live on the device. A step cuts the patches of its batch there, or computes
    the trunk once for all of them, whichever is cheaper (see `plan_batches`). With validation
    pixels, the weights of the epoch that did best on them are the result; without, those of the
    last epoch. The statistics of batch norms are then those of the training pixels under these
    weights (see `settle`), and so they are whenever validation pixels are looked at.
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
        Where to compute.
    progress : Progress, optional
        Told of every step and epoch.
    keep : callable, optional
        Called with model and epoch whenever the weights so far are worth keeping. Without
        validation pixels, batch norms then hold their running averages; `settle` mends that.
    after_step, resume
        As for `run_epochs`.
    ranks : Ranks, optional
        Who train it together, each with its part of every batch: to rounding, the result in each
        of them is that of one process.

    Raises
    ------
    UsageError
        If there are fewer than two training pixels, or a step has fewer than there are ranks.
    RunError
        If one of the ranks has ended.
    DivergedError
        If the loss or the weights are no longer finite.
    """
    if train.sum() < 2:
        raise UsageError(f"{train.sum()} training pixels are too few: it takes at least two")
    model.to(device)
    scene = torch.from_numpy(cube).permute(2, 0, 1).to(device)
    padded = pad_scene(scene, model.patch_size)
    batches = _plan(model, targets, train, recipe, device)
    task = _Pixels(
        model=model,
        scene=scene,
        padded=padded,
        target_map=torch.from_numpy(targets).to(device),
        validation=torch.from_numpy(np.argwhere(validation)).to(device),
        planned=batches,
        recipe=recipe,
        seed=seed,
        shared=SharedSteps(model, padded, recipe=recipe, ranks=ranks) if ranks else None,
    )
    shared = unbroken(ranks.launched) if ranks else nullcontext()
    with seeded(seed, device) as generator, reusing_memory(), shared:
        history = run_epochs(
            model,
            task,
            epochs=recipe.passes(len(batches)),
            batches=len(batches),
            descent=recipe.descent,
            generator=generator,
            device=device,
            progress=progress,
            keep=keep,
            after_step=after_step,
            resume=resume,
            ranks=ranks,
        )
        if not validation.any():  # else they came with the weights of the best epoch
            task.settle()
    return history


def settle(
    model: PatchNetwork,
    cube: NDArray[np.float32],
    targets: NDArray[np.int64],
    *,
    train: NDArray[np.bool_],
    recipe: Recipe,
    seed: int,
    device: torch.device,
) -> None:
    """Give the batch norms of `model` the statistics of training pixels under its weights.

    What `fit` does at its end, for weights that were kept before. Parameters as for `fit`.
    """
    model.to(device)
    padded = pad_scene(torch.from_numpy(cube).permute(2, 0, 1).to(device), model.patch_size)
    batches = _plan(model, targets, train, recipe, device)
    with seeded(seed, device), reusing_memory():
        settle_statistics(model, padded, batches, seed=seed)


def _plan(
    model: PatchNetwork,
    targets: NDArray[np.int64],
    train: NDArray[np.bool_],
    recipe: Recipe,
    device: torch.device,
) -> Batches:
    return plan_batches(
        model,
        np.argwhere(train),
        targets,
        batch_size=recipe.batch_size,
        class_balance=recipe.class_balance,
        device=device,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pixels:
    """The task of `fit`: pixels of a scene, by the patches around them."""

    model: PatchNetwork
    scene: Tensor
    padded: Tensor
    target_map: Tensor
    validation: Tensor
    planned: Batches
    recipe: Recipe
    seed: int
    shared: SharedSteps | None

    def settle(self) -> None:
        """Let evaluation mode fit the weights as they are."""
        settle_statistics(self.model, self.padded, self.planned, seed=self.seed)

    def train_mode(self) -> None:
        self.model.train()

    def batches(self, generator: torch.Generator) -> Iterable[Batch]:
        return self.planned.epoch(generator)

    def learn(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor, int]:
        if self.shared:
            return self.shared.learn(batch, generator)
        scores = batch_scores(
            self.model,
            self.padded,
            batch,
            augmentation=self.recipe.augmentation,
            generator=generator,
        )
        loss = batch_loss(scores, batch, label_smoothing=self.recipe.label_smoothing)
        return loss, right_of(scores, batch.truth), len(batch.truth)

    def accuracies(self, running: float) -> tuple[float, float | None]:
        """Return what was right as augmented, and what is in evaluation mode."""
        if len(self.validation) == 0:
            return running, None
        self.settle()
        rows, cols = self.validation.T
        scores = scores_of_pixels(self.model, self.scene, self.validation)
        right = scores.argmax(1) == self.target_map[rows, cols]
        return running, float(right.double().mean())
