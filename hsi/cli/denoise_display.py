"""What `hsi denoise` shows while it works."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import Progress

from hsi.cli.console import TrainingDisplay

if TYPE_CHECKING:
    from hsi.training import Epoch


class DenoisingDisplay(TrainingDisplay):
    """Shows the training of a denoiser: how much of the noise it takes away."""

    def figures(self, epoch: Epoch) -> str:
        """Return the figures of an epoch in words."""
        figures = f"loss {epoch.loss:.4f}  noise removed {epoch.train_accuracy:.2%}"
        if epoch.validation_accuracy is not None:
            figures += f"  of the validation {epoch.validation_accuracy:.2%}"
        return figures


class TilesDisplay:
    """Shows on a terminal how much of a scene is done."""

    def __init__(self) -> None:
        self._bar = Progress(console=Console(stderr=True), transient=True)
        self._shown = self._bar.console.is_terminal
        self._task = self._bar.add_task("denoising", total=None)

    def __enter__(self) -> Self:
        if self._shown:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._shown:
            self._bar.stop()

    def done(self, pixels: int, total: int) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=pixels, total=total)
