"""The run folder: everything that one training needed and made."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tomllib
import zlib
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
import tomli_w
from numpy.typing import NDArray

from hsi.errors import RunError
from hsi.files import atomic_path, write_text
from hsi.sampling import Split
from hsi.training.classifier import Classifier
from hsi.training.loop import Epoch
from hsi.training.settings import Settings

# The arguments of `load_scene`: texts, and a number.
SOURCE = ("dataset", "labels", "key", "labels_key", "nodata")


class Run:
    """A folder with settings, split, weights, history and results of one training.

    ::

        config.toml         the scene and all settings: enough to run it again
        split.npz           masks of training, validation and test pixels
        model.safetensors   network, band reduction, classes: enough to map another scene
        checkpoint/         the same file as it stood during training; gone when it is finished
        history.csv         one row for each epoch
        metrics.json        accuracies, times, sizes, versions
        *.png, *.tif        class map and figures
        report.html         all of it to look at

    Open an existing one with ``Run(path)``; `hsi.train` makes a new one.

    Parameters
    ----------
    path : Path or str
        The folder.

    Raises
    ------
    RunError
        If there is no run in it.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not (self.path / "config.toml").is_file():
            what = "no run (it lacks config.toml)" if self.path.is_dir() else "not there"
            raise RunError(
                f"the run folder {self.path} is {what}\n"
                "`hsi train` prints the folder of the run that it made."
            )

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @classmethod
    def create(
        cls,
        path: Path | str,
        *,
        settings: Settings,
        source: dict[str, Any],
        split: Split,
        labels: NDArray[np.int32],
    ) -> Self:
        """Make the folder and write down what the training starts from.

        Parameters
        ----------
        path : path
            The folder.
        settings : Settings
            All settings.
        source : dict
            The arguments of `load_scene` that give the scene; empty if none do.
        split : Split
            Of the labelled pixels.
        labels : ndarray
            ``(rows, cols)`` label ids that were split, to be known again later.

        Raises
        ------
        RunError
            If the folder already holds something, or cannot be made.
        """
        path = Path(path)
        check_free(path)
        about = {
            "method": split.method,
            "seed": split.seed,
            "patch_size": split.patch_size,
            "notes": split.notes,
            "labels": _fingerprint(labels),
        }
        config = {"scene": source, "settings": settings.model_dump(exclude_none=True)}
        text = tomli_w.dumps(config)
        made: list[Path] = []
        try:
            made += [each for each in (path, *path.parents) if not each.exists()]
            path.mkdir(parents=True, exist_ok=True)
            with atomic_path(path / "split.npz") as temporary:
                np.savez_compressed(
                    temporary,
                    train=split.train,
                    validation=split.validation,
                    test=split.test,
                    about=json.dumps(about),
                )
            # Last, since this file makes the folder a run.
            write_text(path / "config.toml", text)
        except BaseException as error:
            with suppress(OSError):
                (path / "split.npz").unlink()
            for folder in made:
                with suppress(OSError):
                    folder.rmdir()
            if not isinstance(error, OSError):
                raise
            raise RunError(f"cannot write the run folder {path}: {error.strerror}") from error
        return cls(path)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The content of `config.toml`."""
        return read_config(self.path / "config.toml")

    @property
    def settings(self) -> Settings:
        """The settings of the training."""
        return Settings.from_table(self.config["settings"])

    @property
    def source(self) -> dict[str, Any]:
        """The arguments of `load_scene` that give the scene.

        Raises
        ------
        RunError
            If none do, since the scene was made in memory.
        """
        source = dict(self.config["scene"])
        if "dataset" not in source:
            raise RunError(
                f"the scene of {self.path} was no file and has no name, so it cannot be opened "
                "again\nHand it over as a Scene, as to `hsi.train`."
            )
        return source

    @property
    def split(self) -> Split:
        """The pixels that were used for training, validation and test."""
        return self._split_and_labels[0]

    def check_labels(self, labels: NDArray[np.int32] | None) -> None:
        """Refuse labels that are not those that the run was split on.

        Raises
        ------
        RunError
            If any of them differs.
        """
        if labels is None or _fingerprint(labels) != self._split_and_labels[1]:
            raise RunError(
                f"the labels of the scene are not those that {self.path} was split on; "
                "was their file changed?"
            )

    @cached_property
    def _split_and_labels(self) -> tuple[Split, str]:
        path = self.path / "split.npz"
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                masks = {name: file[name] for name in ("train", "validation", "test")}
            labels = about.pop("labels")
            return Split(**masks, **(about | {"notes": tuple(about["notes"])})), labels
        # What NumPy, zipfile and Split raise on files that are cut off or altered.
        except (
            OSError, EOFError, BadZipFile, zlib.error,
            AttributeError, KeyError, NotImplementedError, TypeError, ValueError,
        ) as error:  # fmt: skip
            raise RunError(f"{path} is missing or damaged: {error}") from error

    @cached_property
    def classifier(self) -> Classifier:
        """The trained classifier; that of the last checkpoint if the training did not finish."""
        return Classifier.load(self.path / "model.safetensors" if self.trained else self.checkpoint)

    @property
    def trained(self) -> bool:
        """Whether the training went through to its end."""
        return (self.path / "model.safetensors").is_file()

    @property
    def checkpoint(self) -> Path:
        """Where the classifier is kept while it is trained."""
        return self.path / "checkpoint" / "model.safetensors"

    @property
    def metrics(self) -> dict[str, Any]:
        """The content of `metrics.json`."""
        try:
            return dict(json.loads((self.path / "metrics.json").read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise RunError(f"the training of {self.path} did not finish: no metrics yet") from error
        except (OSError, TypeError, ValueError) as error:
            raise RunError(f"{self.path / 'metrics.json'} is damaged: {error}") from error

    def save_checkpoint(self, classifier: Classifier) -> None:
        """Keep the classifier as it is now, in place of an earlier one."""
        self.checkpoint.parent.mkdir(exist_ok=True)
        classifier.save(self.checkpoint)

    def save_classifier(self, classifier: Classifier) -> None:
        """Write the final classifier; the checkpoint has done its duty then."""
        classifier.save(self.path / "model.safetensors")
        if self.checkpoint.is_file():
            self.checkpoint.unlink()
            self.checkpoint.parent.rmdir()

    def save_history(self, history: list[Epoch]) -> None:
        """Write one row for each epoch."""
        table = io.StringIO()
        rows = [epoch.as_row() for epoch in history]
        writer = csv.DictWriter(table, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self.path / "history.csv", table.getvalue())

    def save_metrics(self, metrics: dict[str, Any]) -> None:
        """Write `metrics.json`."""
        write_text(self.path / "metrics.json", json.dumps(metrics, indent=2) + "\n")

    def discard_if_untrained(self) -> None:
        """Remove the folder of a training that was stopped before it had learned anything."""
        if not self.trained and not self.checkpoint.is_file():
            for name in ("config.toml", "split.npz"):
                (self.path / name).unlink(missing_ok=True)
            if not any(self.path.iterdir()):
                self.path.rmdir()


def check_free(path: Path) -> None:
    """Refuse a path that a new run cannot have.

    Raises
    ------
    RunError
        If there is a file, a run, or another folder with something in it.
    """
    if (path / "config.toml").exists():
        reason = "already holds a run"
    elif path.is_dir() and any(path.iterdir()):
        reason = "is not empty"
    elif path.exists() and not path.is_dir():
        reason = "is a file"
    else:
        return
    raise RunError(f"{path} {reason}\nChoose another folder: out=, or --out on the command line.")


def read_config(path: Path) -> dict[str, Any]:
    """Read a `config.toml`, ``{"scene": ..., "settings": ...}``.

    Raises
    ------
    RunError
        If it is missing or damaged.
    """
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{path} is no valid TOML: {error}") from error
    for name in ("scene", "settings"):
        if not isinstance(config.get(name), dict):
            raise RunError(f"{path} lacks the table [{name}]; is it the config.toml of a run?")
    for name, value in config["scene"].items():
        right = type(value) in (int, float) if name == "nodata" else isinstance(value, str)
        if name not in SOURCE or not right:
            raise RunError(
                f"{path} has {name} = {value!r} in [scene]; expected texts named "
                f"{', '.join(SOURCE[:-1])}, or a number nodata"
            )
    return config


def _fingerprint(labels: NDArray[np.int32]) -> str:
    """Return a text that is another one for other labels."""
    values = np.ascontiguousarray(labels, dtype="<i4")
    return f"{values.shape} {hashlib.sha256(values.tobytes()).hexdigest()}"
