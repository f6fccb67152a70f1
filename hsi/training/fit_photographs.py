"""Training a backbone, or its last layer alone, on photographs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from hsi.backbones import Backbone
from hsi.errors import UsageError
from hsi.inference.mode import evaluating
from hsi.photographs.counted import counted
from hsi.sampling.photograph_augmentation import photograph_augmentation
from hsi.training.batches import batch_count
from hsi.training.epochs import Epoch, Progress
from hsi.training.loop import right_of, run_epochs, seeded
from hsi.training.photograph_classifier import BATCH, PhotographClassifier
from hsi.training.state import Capture, State
from hsi.training.transfer_settings import TransferSettings

# Without validation photographs, so many of those for training tell how the training goes.
SAMPLE = 256


def fit_photographs(
    classifier: PhotographClassifier,
    images: NDArray[np.uint8],
    targets: NDArray[np.int64],
    *,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    choose: bool,
    settings: TransferSettings,
    device: torch.device,
    progress: Progress | None = None,
    keep: Callable[[Backbone, Epoch], None] | None = None,
    after_step: Callable[[Capture], None] | None = None,
    resume: State | None = None,
) -> list[Epoch]:
    """Train the network of `classifier` in place and return its history.

    With ``freeze="features"``, only the last layer is trained. All others stay in evaluation mode:
    neither their weights nor the running statistics of their batch norms change. Where nothing is
    augmented, their features are computed once.

    Both accuracies of an epoch are measured in evaluation mode and without augmentation, that of
    the training on a sample as large as the validation.

    Parameters
    ----------
    classifier : PhotographClassifier
        Its network is moved to `device`, and in evaluation mode afterwards.
    images : ndarray
        ``(N, side, side, 3)`` uint8, in memory or not.
    targets : ndarray
        ``(N,)``.
    train, validation : ndarray
        Places in `images`; those of validation may be none.
    choose : bool
        Whether the epoch that did best on the validation photographs gives the weights.
    settings : TransferSettings
        How to learn.
    device : torch.device
        Where to compute.
    progress : Progress, optional
        Told of every step and epoch.
    keep : callable, optional
        Called with network and epoch whenever the weights so far are worth keeping.
    after_step, resume
        As for `run_epochs`.

    Raises
    ------
    UsageError
        If there are fewer than two training photographs, or kornia is needed and not there.
    DivergedError
        If the loss or the weights are no longer finite.
    """
    if len(train) < 2:
        found = counted(len(train), "photograph")
        raise UsageError(f"{found} to train on, but it takes at least two")
    network = classifier.network.to(device)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    frozen = settings.freeze == "features"
    augmentation = photograph_augmentation(settings.augmentation, size=classifier.size)
    with seeded(settings.seed, device) as generator:
        sample = len(validation) or min(len(train), SAMPLE)
        order = torch.randperm(len(train), generator=generator).numpy()
        task = _Photographs(
            classifier=classifier,
            images=images,
            targets=torch.from_numpy(targets).to(device),
            train=train,
            sample=np.sort(train[order[:sample]]),
            validation=validation,
            augmentation=augmentation,
            label_smoothing=settings.label_smoothing,
            batch_size=settings.batch_size,
            last=freeze_features(network) if frozen else None,
            features=_features(classifier, images) if frozen and augmentation is None else None,
        )
        history = run_epochs(
            network,
            task,
            epochs=settings.epochs,
            batches=batch_count(len(train), settings.batch_size),
            descent=settings.descent,
            generator=generator,
            device=device,
            progress=progress,
            keep=keep,
            choose=choose,
            after_step=after_step,
            resume=resume,
        )
    network.requires_grad_(True)
    return history


def freeze_features(network: Backbone) -> nn.Module:
    """Let gradients change the last layer alone, and return it."""
    last = network.get_submodule(network.last_layer)
    network.requires_grad_(False)
    last.requires_grad_(True)
    return last


@dataclass(frozen=True, kw_only=True, eq=False)
class _Photographs:
    """The task of `fit_photographs`; a batch is the places of its photographs."""

    classifier: PhotographClassifier
    images: NDArray[np.uint8]
    targets: Tensor
    train: NDArray[np.int64]
    sample: NDArray[np.int64]
    validation: NDArray[np.int64]
    augmentation: nn.Module | None
    label_smoothing: float
    batch_size: int
    last: nn.Module | None
    """The one layer that is trained, if it is one."""
    features: Tensor | None
    """``(N, features)`` what it sees of each photograph, if that does not change."""

    def train_mode(self) -> None:
        # The mode of a frozen batch norm decides whether its statistics move.
        self.classifier.network.train(self.last is None)

    def batches(self, generator: torch.Generator) -> Iterable[NDArray[np.int64]]:
        order = torch.randperm(len(self.train), generator=generator).numpy()
        return np.array_split(self.train[order], batch_count(len(self.train), self.batch_size))

    def learn(
        self, batch: NDArray[np.int64], generator: torch.Generator
    ) -> tuple[Tensor, Tensor, int]:
        truth = self.targets[torch.from_numpy(batch).to(self.targets.device)]
        scores = self._scores(batch, self.augmentation)
        loss = F.cross_entropy(scores, truth, label_smoothing=self.label_smoothing)
        return loss, right_of(scores, truth), len(truth)

    def accuracies(self, running: float) -> tuple[float, float | None]:
        """Return what is right in evaluation mode; `running` was measured in another one."""
        with evaluating(self.classifier.network):
            validation = self._accuracy(self.validation) if len(self.validation) else None
            return self._accuracy(self.sample), validation

    def _scores(self, places: NDArray[np.int64], augmentation: nn.Module | None) -> Tensor:
        if self.last is not None and self.features is not None:
            known: Tensor = self.last(self.features[torch.from_numpy(places)])
            return known
        images = torch.from_numpy(self.images[places]).to(self.targets.device)
        scores: Tensor = self.classifier.network(self.classifier.inputs(images, augmentation))
        return scores

    def _accuracy(self, places: NDArray[np.int64]) -> float:
        right = 0
        for start in range(0, len(places), BATCH):
            batch = places[start : start + BATCH]
            found = self._scores(batch, None).argmax(1).cpu().numpy()
            right += int((found == self.targets.cpu().numpy()[batch]).sum())
        return right / len(places)


def _features(classifier: PhotographClassifier, images: NDArray[np.uint8]) -> Tensor:
    """Return ``(N, features)``, what the last layer sees of each photograph."""
    network = classifier.network
    seen: list[Tensor] = []
    last = network.get_submodule(network.last_layer)
    hook = last.register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0]))
    try:
        classifier.scores(images)
    finally:
        hook.remove()
    # Tensors of the inference mode cannot be learned from; what is made of them here can.
    return torch.cat(seen)
