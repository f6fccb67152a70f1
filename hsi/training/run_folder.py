"""The folder of a training, whatever was trained: what is in it, and when it is written."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import tomli_w

from hsi.atomic import remove_temporary
from hsi.errors import RunError, UsageError
from hsi.files import make_folder_with_sums, write_text
from hsi.sums import check_sum, sum_of
from hsi.toml_files import read_toml
from hsi.training.epochs import Epoch
from hsi.training.run_place import INCOMPLETE, LOCK, alone_in, make_folder, remove_begun
from hsi.training.state_file import States

# The table of a `config.toml` that says what was learned from, and the command that writes it.
MADE_BY = {
    "scene": "hsi train",
    "photographs": "hsi transfer",
    "denoise": "hsi denoise train",
    "pair": "hsi retrieve train",
}


class Savable(Protocol):
    """A trained classifier, as a run keeps it."""

    def save(self, path: Path) -> None:
        """Write everything to `path`."""


class RunFolder:
    """The part that all runs share: checkpoint, trained classifier, history, metrics.

    Parameters
    ----------
    path : Path or str
        The folder.

    Raises
    ------
    RunError
        If there is no run in it.
    UsageError
        If the path is empty.
    """

    COMMAND: ClassVar[str]
    """The command that makes such a run."""
    STARTED: ClassVar[tuple[str, ...]]
    """The files that are there before a training begins, ``config.toml`` before all others."""

    def __init__(self, path: Path | str) -> None:
        if not os.fspath(path):
            raise UsageError("the run is empty; expected its folder")
        self.path = Path(path)
        if not (self.path / "config.toml").is_file():
            what = "a file" if self.path.exists() else "not there"
            what = "no run (it lacks config.toml)" if self.path.is_dir() else what
            raise RunError(
                f"the run folder {self.path} is {what}\n"
                f"`{self.COMMAND}` prints the folder of the run that it made."
            )

    @classmethod
    def begun(
        cls,
        path: Path | str,
        config: Mapping[str, Any],
        *,
        before: Callable[[Path], None] = lambda folder: None,
    ) -> Self:
        """Make the folder of a new run, with its ``config.toml``; or leave nothing behind.

        Parameters
        ----------
        path : path
            The folder.
        config : mapping
            The content of ``config.toml``, which comes last, since it makes the folder a run.
        before : callable, optional
            Writes what else there is when a training begins: the other files of `STARTED`.

        Raises
        ------
        RunError
            If the folder already holds something, or cannot be made.
        """
        path, text = Path(path), tomli_w.dumps(config)

        def write(folder: Path) -> None:
            before(folder)
            write_text(folder / "config.toml", text)

        make_folder(path, write, files=cls.STARTED)
        return cls(path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    @property
    def trained(self) -> bool:
        """Whether the training went through to its end."""
        return (self.path / "model.safetensors").is_file()

    @property
    def checkpoint(self) -> Path:
        """Where the classifier is kept while it is trained."""
        return self.path / "checkpoint" / "model.safetensors"

    @cached_property
    def states(self) -> States:
        """What an unfinished training goes on from."""
        return States(self.path / "checkpoint")

    @cached_property
    def begun_with(self) -> str:
        """A sum over the files that were there before the training began."""
        total = hashlib.sha256()
        for name in self.STARTED:
            try:
                total.update(sum_of(self.path / name).encode())
            except OSError as error:
                raise RunError(f"cannot read {self.path / name}: {error.strerror}") from error
        return total.hexdigest()

    @property
    def finished(self) -> bool:
        """Whether all that belongs to the run is there."""
        return (self.path / "metrics.json").is_file()

    def check_unfinished(self, advice: str) -> None:
        """Refuse to go on with what is finished, and remove what a killed process left of it.

        Parameters
        ----------
        advice : str
            What can be done with it instead.

        Raises
        ------
        UsageError
            If the training is finished.
        RunError
            If another process is about to finish it.
        """
        if not self.finished:
            return
        if self.states.folder.is_dir():  # killed after the last of its files was written
            with self.alone():
                self.states.remove()
        raise UsageError(f"the training of {self.path} is finished\n{advice}")

    @property
    def kept(self) -> Path:
        """The trained classifier; that of the last checkpoint if the training did not finish.

        Raises
        ------
        RunError
            If the training finished, but its classifier is gone.
        """
        if self.finished and not self.trained and not self.checkpoint.is_file():
            raise RunError(
                f"{self.path / 'model.safetensors'} is missing, though the training had finished\n"
                f"Restore it from a copy, or train again: {self.COMMAND} --config "
                f"{self.path / 'config.toml'}"
            )
        return self.path / "model.safetensors" if self.trained else self.checkpoint

    @property
    def metrics(self) -> dict[str, Any]:
        """The content of `metrics.json`."""
        check_sum(self.path / "metrics.json")
        try:
            return dict(json.loads((self.path / "metrics.json").read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise RunError(
                f"the training of {self.path} did not finish: no metrics yet\n"
                f"`{self.COMMAND} --resume {self.path}` goes on with it."
            ) from error
        except (OSError, TypeError, ValueError) as error:
            raise RunError(f"{self.path / 'metrics.json'} is damaged: {error}") from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the folder for this process.

        Raises
        ------
        RunError
            If another process trains in it; its number and its machine are named.
        """
        with alone_in(self.path):
            for folder in (self.path, self.states.folder):
                remove_temporary(folder)
            (self.path / INCOMPLETE).unlink(missing_ok=True)
            yield

    def save_checkpoint(self, classifier: Savable) -> None:
        """Keep the classifier as it is now, in place of an earlier one."""
        make_folder_with_sums(self.checkpoint.parent)
        classifier.save(self.checkpoint)

    def save_classifier(self, classifier: Savable) -> None:
        """Write the final classifier; the checkpoint has done its duty then."""
        classifier.save(self.path / "model.safetensors")
        self.checkpoint.unlink(missing_ok=True)
        if not self.states:
            self.states.remove()

    def save_history(self, history: list[Epoch]) -> None:
        """Write one row for each epoch."""
        self.save_table("history.csv", [epoch.as_row() for epoch in history])

    def save_table(self, name: str, rows: Sequence[dict[str, Any]]) -> None:
        """Write rows of equal keys as CSV."""
        table = io.StringIO()
        writer = csv.DictWriter(table, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self.path / name, table.getvalue(), errors="backslashreplace")

    def save_metrics(self, metrics: dict[str, Any]) -> None:
        """Write `metrics.json`, the last of the files: the states have done their duty then."""
        write_text(self.path / "metrics.json", json.dumps(metrics, indent=2) + "\n")
        self.states.remove()

    def discard_if_untrained(self) -> None:
        """Remove the folder of a training that was stopped before it had learned anything."""
        if not self.trained and not self.checkpoint.is_file() and not self.states:
            remove_temporary(self.states.folder)
            self.states.remove()
            remove_begun(self.path, self.STARTED)
            (self.path / LOCK).unlink(missing_ok=True)
            with suppress(OSError):  # it holds something else, or somebody has begun there
                self.path.rmdir()


def read_tables(path: Path, *names: str) -> dict[str, dict[str, Any]]:
    """Read a `config.toml`, which must have the tables `names`.

    Raises
    ------
    RunError
        If it is missing or damaged.
    """
    check_sum(path)
    try:
        config = read_toml(path)
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise RunError(f"{path} is no valid TOML: {error}") from error
    for name in names:
        if not isinstance(config.get(name), dict):
            made = [command for table, command in MADE_BY.items() if table in config]
            hint = (
                f"it is that of a run of `{made[0]}`" if made else "is it the config.toml of a run?"
            )
            raise RunError(f"{path} lacks the table [{name}]; {hint}")
    return config
