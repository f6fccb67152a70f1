"""The run folder of a cross-modal retrieval."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from hsi.errors import RunError
from hsi.sampling import Split
from hsi.training.epochs import Epoch
from hsi.training.retrieval_settings import RetrievalSettings
from hsi.training.retriever import Retriever
from hsi.training.run_folder import RunFolder, read_tables
from hsi.training.scene_table import check_scene_table
from hsi.training.split_file import SplitFile, read_split, write_split

FEATURES = ("path", "first", "second", "labels")


class RetrievalRun(RunFolder):
    """A folder with data, settings, split, weights and results of one cross-modal retrieval.

    ::

        config.toml         both modalities and all settings: enough to run it again
        split.npz           masks of training, validation and test pixels
        model.safetensors   network, reductions, classes
        checkpoint/         the same file as it stood during training; gone when it is finished
        history.csv         one row for each epoch
        metrics.json        mean average precision both ways, by class, by chance, of correlation
        queries.png         some queries with what they found, if both modalities are rasters

    Open an existing one with ``RetrievalRun(path)``; `hsi.workflows.retrieve.train_retrieval` makes
    a new one.

    Parameters
    ----------
    path : Path or str
        The folder.

    Raises
    ------
    RunError
        If there is no run in it.
    """

    COMMAND = "hsi retrieve train"
    STARTED = ("config.toml", "split.npz")

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        settings: RetrievalSettings,
        source: Mapping[str, Any],
        split: Split,
        labels: Any,
        fingerprint: str,
    ) -> Self:
        """Make the folder and write down what the training starts from.

        Parameters
        ----------
        path : Path
            The folder.
        settings : RetrievalSettings
            All settings.
        source : mapping
            What `hsi.workflows.retrieve.open_pair` takes.
        split : Split
            Of the labelled pixels.
        labels : ndarray of int32
            ``(rows, cols)`` that were split, to be known again later.
        fingerprint : str
            Of both modalities, likewise.

        Raises
        ------
        RunError
            If the folder already holds something, or cannot be made.
        """
        config = {"pair": dict(source), "settings": settings.model_dump(exclude_none=True)}

        def before(folder: Path) -> None:
            write_split(folder / "split.npz", split, labels=labels, cube=fingerprint)

        return cls.begun(path, config, before=before)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The content of `config.toml`."""
        return read_retrieval_config(self.path / "config.toml")

    @property
    def settings(self) -> RetrievalSettings:
        """The settings of the training."""
        return RetrievalSettings.from_table(
            self.config["settings"], where=f"{self.path / 'config.toml'}: "
        )

    @cached_property
    def split_file(self) -> SplitFile:
        """The pixels of each set, and what is known of labels and modalities."""
        return read_split(self.path / "split.npz")

    @cached_property
    def retriever(self) -> Retriever:
        """The trained network; that of the last checkpoint if the training did not finish."""
        _ = self.config  # a run of another kind says what it is, sooner than its model does
        return Retriever.load(self.kept)

    def save_history(self, history: list[Epoch]) -> None:
        """Write one row for each epoch; what validation measures is not an accuracy here."""
        names = {"validation_accuracy": "validation_map", "train_accuracy": "train_label_accuracy"}
        rows = [
            {names.get(name, name): value for name, value in epoch.as_row().items()}
            for epoch in history
        ]
        self.save_table("history.csv", rows)


def read_retrieval_config(path: Path) -> dict[str, Any]:
    """Read a `config.toml`, ``{"pair": ..., "settings": ...}``.

    Raises
    ------
    RunError
        If it is missing or damaged.
    """
    config = read_tables(path, "pair", "settings")
    pair = config["pair"]
    right = {"scene", "second"} if "features" not in pair else {"features"}
    if set(pair) != right or not all(isinstance(each, dict) for each in pair.values()):
        raise RunError(
            f"{path} has {', '.join(pair) or 'nothing'} in [pair]; expected the tables "
            "[pair.scene] and [pair.second], or [pair.features]"
        )
    if "features" in pair:
        _check_features(path, pair["features"])
        return config
    check_scene_table(path, pair["scene"])
    if pair["second"] != {"composite": True}:
        check_scene_table(path, pair["second"])
    return config


def _check_features(path: Path, table: dict[str, Any]) -> None:
    if set(table) != set(FEATURES) or not all(isinstance(each, str) for each in table.values()):
        raise RunError(f"{path}: expected texts {', '.join(FEATURES)} in [pair.features]")
