"""What is told of a training: its epochs, and whoever follows them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Epoch:
    """One row of the training's history."""

    epoch: int
    loss: float
    """Mean over what was learned from, as augmented and with dropout."""
    train_accuracy: float
    """Of pixels: the share that were right, as augmented and with dropout. Of photographs: the
    share of a sample that is right in evaluation mode, as for validation. Of a denoiser: the share
    of the noise's energy that it takes away, which may be below 0."""
    validation_accuracy: float | None
    """Of retrieval: the mean average precision."""
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
