"""Training a network of two branches on pairs of patches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsi.errors import UsageError
from hsi.retrieval import CrossModalNetwork, Modality, average_precisions, cross_modal_loss
from hsi.training.batches import batch_count
from hsi.training.epochs import Epoch, Progress
from hsi.training.loop import right_of, run_epochs, seeded
from hsi.training.retrieval_settings import RetrievalSettings
from hsi.training.retriever import PatchSource, Retriever
from hsi.training.state import Capture, State


def fit_retrieval(
    retriever: Retriever,
    sources: dict[Modality, PatchSource],
    targets: NDArray[np.int64],
    *,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    settings: RetrievalSettings,
    device: torch.device,
    progress: Progress | None = None,
    keep: Callable[[CrossModalNetwork, Epoch], None] | None = None,
    after_step: Callable[[Capture], None] | None = None,
    resume: State | None = None,
) -> list[Epoch]:
    """Train the network of `retriever` in place and return its history.

    The training accuracy of an epoch is the share of labels that were predicted right, of both
    modalities; its validation accuracy is the mean average precision of both directions on the
    validation places. The weights of the epoch that did best there are the result.

    Parameters
    ----------
    retriever : Retriever
        Its network is moved to `device`, and in evaluation mode afterwards.
    sources : dict of PatchSource
        Of each modality, on `device`.
    targets : ndarray
        ``(rows, cols)``, ``0..K-1`` at the places of both sets.
    train, validation : ndarray
        ``(N, 2)`` rows and columns; of validation, two of one class at least.
    settings : RetrievalSettings
        How to learn.
    device : torch.device
        Where to compute.
    progress, keep, after_step, resume
        As for `run_epochs`.

    Raises
    ------
    UsageError
        If there are fewer than two training places.
    DivergedError
        If the loss or the weights are no longer finite.
    """
    if len(train) < 2:
        raise UsageError(f"{len(train)} training pairs are too few: it takes at least two")
    classes = targets[validation[:, 0], validation[:, 1]]
    retriever.network.to(device)
    task = _Pairs(
        retriever=retriever,
        sources=sources,
        targets=targets,
        train=train,
        validation=validation,
        validation_classes=classes,
        settings=settings,
        device=device,
    )
    with seeded(settings.seed, device) as generator:
        return run_epochs(
            retriever.network,
            task,
            epochs=settings.epochs,
            batches=batch_count(len(train), settings.batch_size),
            descent=settings.descent,
            generator=generator,
            device=device,
            progress=progress,
            keep=keep,
            after_step=after_step,
            resume=resume,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pairs:
    """The task of `fit_retrieval`; a batch is the places of its pairs."""

    retriever: Retriever
    sources: dict[Modality, PatchSource]
    targets: NDArray[np.int64]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    validation_classes: NDArray[np.int64]
    settings: RetrievalSettings
    device: torch.device

    def train_mode(self) -> None:
        self.retriever.network.train()

    def batches(self, generator: torch.Generator) -> Iterable[NDArray[np.int64]]:
        order = torch.randperm(len(self.train), generator=generator).numpy()
        parts = batch_count(len(self.train), self.settings.batch_size)
        return np.array_split(self.train[order], parts)

    def learn(
        self, batch: NDArray[np.int64], generator: torch.Generator
    ) -> tuple[Tensor, Tensor, int]:
        """Return the loss; how many labels were right, and predicted, of both modalities."""
        truth = torch.from_numpy(self.targets[batch[:, 0], batch[:, 1]]).to(self.device)
        u, v, predicted_u, predicted_v = self.retriever.network(
            self.sources["first"][batch], self.sources["second"][batch]
        )
        terms = cross_modal_loss(
            u, v, predicted_u=predicted_u, predicted_v=predicted_v, targets=truth
        )
        loss = terms.total(alpha=self.settings.alpha, beta=self.settings.beta)
        right = right_of(predicted_u, truth) + right_of(predicted_v, truth)
        return loss, right, 2 * len(truth)

    def accuracies(self, running: float) -> tuple[float, float | None]:
        """Return the share of labels that were right, and the mean average precision."""
        u, v = (
            self.retriever.embed(modality, self.sources[modality], self.validation)
            for modality in self.sources
        )
        found = [
            np.nanmean(average_precisions(*pair, classes=self.validation_classes))
            for pair in ((u, v), (v, u))
        ]
        return running, float(np.mean(found))
