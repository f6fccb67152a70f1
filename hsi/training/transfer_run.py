"""The run folder of a transfer."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Self

from hsi.errors import RunError
from hsi.training.photograph_classifier import PhotographClassifier
from hsi.training.run_folder import RunFolder, read_tables
from hsi.training.transfer_settings import TransferSettings


class TransferRun(RunFolder):
    """A folder with settings, weights, history and results of one training on photographs.

    ::

        config.toml         the folder of photographs and all settings: enough to run it again
        model.safetensors   network and classes: enough to classify other photographs
        checkpoint/         the same file as it stood during training; gone when it is finished
        history.csv         one row for each epoch
        photographs.csv     set, class and prediction of each photograph
        metrics.json        accuracies of each set, what was found amiss, times, sizes, versions
        *.png               figures, among them the worst mistakes
        report.html         all of it to look at

    Open an existing one with ``TransferRun(path)``; `hsi.transfer` makes a new one.

    Parameters
    ----------
    path : Path or str
        The folder.

    Raises
    ------
    RunError
        If there is no run in it.
    """

    COMMAND = "hsi transfer"
    STARTED = ("config.toml",)

    @classmethod
    def create(cls, path: Path | str, *, settings: TransferSettings, images: Path) -> Self:
        """Make the folder and write down what the training starts from.

        Raises
        ------
        RunError
            If the folder already holds something, or cannot be made.
        """
        config = {
            "photographs": {"images": str(images)},
            "settings": settings.model_dump(exclude_none=True),
        }
        return cls.begun(path, config)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The content of `config.toml`."""
        return read_transfer_config(self.path / "config.toml")

    @property
    def settings(self) -> TransferSettings:
        """The settings of the training."""
        return TransferSettings.from_table(
            self.config["settings"], where=f"{self.path / 'config.toml'}: "
        )

    @cached_property
    def classifier(self) -> PhotographClassifier:
        """The trained classifier; that of the last checkpoint if the training did not finish."""
        _ = self.config  # a run of a scene says what it is, sooner than its model does
        return PhotographClassifier.load(self.kept)


def read_transfer_config(path: Path) -> dict[str, Any]:
    """Read a `config.toml`, ``{"photographs": ..., "settings": ...}``.

    Raises
    ------
    RunError
        If it is missing or damaged.
    """
    config = read_tables(path, "photographs", "settings")
    if not isinstance(config["photographs"].get("images"), str):
        raise RunError(f"{path} lacks the folder of the photographs: images = ... [photographs]")
    return config
