"""The run folder of a denoiser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from hsi.errors import RunError
from hsi.training.denoise_settings import DenoiseSettings
from hsi.training.denoiser import Denoiser
from hsi.training.epochs import Epoch
from hsi.training.run_folder import RunFolder, read_tables


class DenoiseRun(RunFolder):
    """A folder with settings, weights, history and results of one training of a denoiser.

    ::

        config.toml         the scenes and all settings: enough to run it again
        model.safetensors   the network and what it sees: enough to denoise scenes
        checkpoint/         the same file as it stood during training; gone when it is finished
        history.csv         one row for each epoch
        metrics.json        share of noise removed, times, sizes, versions

    Open an existing one with ``DenoiseRun(path)``; `hsi.workflows.denoise.train_denoiser` makes a
    new one.

    Parameters
    ----------
    path : Path or str
        The folder.

    Raises
    ------
    RunError
        If there is no run in it.
    """

    COMMAND = "hsi denoise train"
    STARTED = ("config.toml",)

    @classmethod
    def create(
        cls,
        path: Path | str,
        *,
        settings: DenoiseSettings,
        scenes: Sequence[Mapping[str, Any]],
        validation: Sequence[Mapping[str, Any]],
    ) -> Self:
        """Make the folder and write down what the training starts from.

        Scenes are named as `Scene.source` names them.

        Raises
        ------
        RunError
            If the folder already holds something, or cannot be made.
        """
        config = {
            "denoise": {
                "scenes": [dict(each) for each in scenes],
                "validation": [dict(each) for each in validation],
            },
            "settings": settings.model_dump(exclude_none=True),
        }
        return cls.begun(path, config)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The content of `config.toml`."""
        return read_denoise_config(self.path / "config.toml")

    @property
    def settings(self) -> DenoiseSettings:
        """The settings of the training."""
        return DenoiseSettings.from_table(
            self.config["settings"], where=f"{self.path / 'config.toml'}: "
        )

    @cached_property
    def denoiser(self) -> Denoiser:
        """The trained denoiser; that of the last checkpoint if the training did not finish."""
        _ = self.config  # a run of another kind says what it is, sooner than its model does
        return Denoiser.load(self.kept)

    def save_history(self, history: list[Epoch]) -> None:
        """Write one row for each epoch."""
        self.save_table(
            "history.csv",
            [
                {
                    "epoch": each.epoch,
                    "loss": each.loss,
                    "noise_removed": each.train_accuracy,
                    "validation_noise_removed": each.validation_accuracy,
                    "learning_rate": each.learning_rate,
                    "seconds": each.seconds,
                }
                for each in history
            ],
        )


def read_denoise_config(path: Path) -> dict[str, Any]:
    """Read a `config.toml`, ``{"denoise": {"scenes": ..., "validation": ...}, "settings": ...}``.

    Raises
    ------
    RunError
        If it is missing or damaged.
    """
    config = read_tables(path, "denoise", "settings")
    for name in ("scenes", "validation"):
        listed = config["denoise"].get(name)
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise RunError(f"{path} lacks the list {name} of scenes in its table [denoise]")
    return config
