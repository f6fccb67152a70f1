"""The last two states of a training, in two files that are written in turn.

Should the newer be damaged, the training goes on from the one before.
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import torch

from hsi.errors import RunError
from hsi.files import make_folder_with_sums
from hsi.sums import remove_sums
from hsi.training.model_file import ALTERED, damaged, read_model, write_model
from hsi.training.state import State

FILES = ("state-1.safetensors", "state-2.safetensors")
FORMAT = "state 1"
CPU = torch.device("cpu")


class Found(NamedTuple):
    """The state that a training goes on from."""

    state: State
    computed_with: dict[str, str]
    """See `computing_with`."""
    notes: tuple[str, ...]
    learned_from: str | None = None
    """A sum over what is learned from, where the run itself does not hold one."""


def computing_with(device: torch.device, *, processes: int = 1) -> dict[str, str]:
    """Return what the last bits of a training depend on, besides its settings and its scene."""
    on_gpu = device.type == "cuda"
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("hsi", "torch", "numpy", "scikit-learn")},
        "threads": str(torch.get_num_threads()),
        "processes": str(processes),
        "device": torch.cuda.get_device_name(device) if on_gpu else device.type,
        "machine": f"{platform.system()} {platform.machine()}",
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }


class States:
    """The files of a training's states.

    Parameters
    ----------
    folder : Path
        Where they lie; made when the first is written.

    Attributes
    ----------
    learned_from : str or None
        A sum over what is learned from, to be written along.
    processes : int
        How many train together.
    """

    learned_from: str | None = None
    processes: int = 1

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = [folder / name for name in FILES]
        self._number = 0

    def __bool__(self) -> bool:
        return any(path.is_file() for path in self.paths)

    def write(self, state: State) -> None:
        """Write a state in place of the older of the two."""
        make_folder_with_sums(self.folder)
        self._number += 1
        about = {
            "format": FORMAT,
            "number": self._number,
            "computed_with": computing_with(state.device, processes=self.processes),
            "learned_from": self.learned_from,
            "state": state.as_table(),
        }
        write_model(self.paths[self._number % 2], about=about, tensors=state.tensors)

    def read(self) -> Found | None:
        """Return the newest state that is whole; None if there never was one.

        Raises
        ------
        RunError
            If there are states, but all are damaged.
        """
        found: list[tuple[int, State, dict[str, str], str | None]] = []
        errors: list[RunError] = []
        for path in self.paths:
            if not path.is_file():
                continue
            try:
                found.append(_read(path))
            except RunError as error:
                errors.append(error)
        if errors and not found:
            raise RunError(
                f"{str(errors[0]).splitlines()[0]}\n"
                "No state of the training is left to go on from: "
                f"train again, with --config {self.folder.parent / 'config.toml'}"
            ) from errors[0]
        if not found:
            return None
        self._number, state, computed_with, learned_from = max(found, key=lambda each: each[0])
        notes = tuple(
            f"{str(error).splitlines()[0]}; the training goes on from the state before"
            for error in errors
        )
        return Found(state, computed_with, notes, learned_from)

    def remove(self) -> None:
        """Remove all of them, which have done their duty."""
        for path in self.paths:
            path.unlink(missing_ok=True)
        if self.folder.is_dir():
            remove_sums(self.folder)
            if not any(self.folder.iterdir()):
                self.folder.rmdir()


def _read(path: Path) -> tuple[int, State, dict[str, str], str | None]:
    about, tensors = read_model(path, format_=FORMAT)
    try:
        computed_with: dict[str, str] = dict(about["computed_with"])
        return (
            int(about["number"]),
            State.from_parts(about["state"], tensors, device=CPU),
            computed_with,
            about.get("learned_from"),
        )
    except ALTERED as error:
        raise damaged(path, error) from error
