"""What is searched, in a form that a file holds and another process continues by."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from hsi.errors import RunError
from hsi.files import write_text
from hsi.sampling import Split
from hsi.scenes import Scene
from hsi.sums import check_sum
from hsi.training import Settings, split_file
from hsi.workflows.search.space import Space, as_table, space_from_table

FILE, SPLIT = "search.json", "split.npz"
FORMAT = 1
# How many differences of two searches are shown.
SHOWN = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Searched:
    """Everything that the trials of a search have in common.

    Attributes
    ----------
    scene : dict
        What it is known by: name, source, shape, and a digest of the labels.
    split : dict
        Method, sizes, and a digest of the masks.
    settings : Settings
        What is not chosen.
    space : dict
        What is.
    objective : str
        What trials are judged by.
    seeds : int
        Trainings of each trial.
    prune : bool
        Whether hopeless trials end early.
    """

    scene: dict[str, Any]
    split: dict[str, Any]
    settings: Settings
    space: Space
    objective: str
    seeds: int
    prune: bool

    def as_table(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        table = {
            "format": FORMAT,
            "scene": self.scene,
            "split": self.split,
            "settings": self.settings.model_dump(),
            "space": as_table(self.space),
            "objective": self.objective,
            "seeds": self.seeds,
            "prune": self.prune,
        }
        return dict(json.loads(json.dumps(table)))

    @classmethod
    def from_table(cls, table: dict[str, Any]) -> Self:
        """Return what `as_table` took apart."""
        space, _ = space_from_table(table["space"])
        return cls(
            scene=table["scene"],
            split=table["split"],
            settings=Settings.from_table(table["settings"]),
            space=space,
            objective=table["objective"],
            seeds=table["seeds"],
            prune=table["prune"],
        )

    def check_same(self, folder: Path) -> None:
        """Refuse to continue a search for something else.

        Raises
        ------
        RunError
            With what differs, or if the file is damaged.
        """
        there = read_searched(folder)
        differences = list(_differences(there, self.as_table()))
        if not differences:
            return
        shown = [f"{name}: {_short(old)} there, {_short(new)} now"
                 for name, old, new in differences[:SHOWN]]  # fmt: skip
        more = len(differences) - SHOWN
        last = f"\n... and {more} more" if more > 0 else ""
        raise RunError(
            f"{folder} holds a search for something else; choose another folder (--out)\n"
            + "\n".join(shown)
            + last
        )


def describe_scene(scene: Scene) -> dict[str, Any]:
    """Return what a scene is known by."""
    return {
        "name": scene.name,
        "source": scene.source,
        "shape": list(scene.shape),
        "labels": None if scene.labels is None else _digest(scene.labels.astype("<i4")),
    }


def describe_split(split: Split) -> dict[str, Any]:
    """Return what a split is known by."""
    masks = np.stack([split.train, split.validation, split.test])
    return {
        "method": split.method,
        "patch_size": split.patch_size,
        "train_pixels": int(split.train.sum()),
        "validation_pixels": int(split.validation.sum()),
        "masks": _digest(np.packbits(masks)),
    }


def write_split(folder: Path, split: Split) -> None:
    """Write the masks of a split, for other processes and for whoever wants to train on them."""
    split_file.write_split(folder / SPLIT, split, labels=None)


def read_split(folder: Path, searched: Searched) -> Split:
    """Return the split that all trials of a search have.

    Raises
    ------
    RunError
        If it is missing, damaged or another one.
    """
    path = folder / SPLIT
    split = split_file.read_split(path).split
    if describe_split(split) != searched.split:
        raise RunError(f"{path} is not the split that the search began with")
    return split


def is_search(folder: Path) -> bool:
    """Return whether `folder` holds a search."""
    return (folder / FILE).is_file()


def read_searched(folder: Path) -> dict[str, Any]:
    """Return what `write_searched` wrote.

    Raises
    ------
    RunError
        If it is missing or damaged.
    """
    path = folder / FILE
    check_sum(path)
    try:
        table = dict(json.loads(path.read_text(encoding="utf-8"))["config"])
        if table["format"] != FORMAT:
            raise ValueError(f"format {table['format']}")
        return table
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged: {error}") from error


def write_searched(folder: Path, table: dict[str, Any], **found: Any) -> None:
    """Write `search.json`: what is searched, and what was found so far."""
    write_text(folder / FILE, json.dumps({"config": table} | found, indent=2) + "\n")


def _differences(old: Any, new: Any, name: str = "") -> Any:
    """Yield name, old and new value of whatever differs."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _differences(old.get(key), new.get(key), f"{name}.{key}" if name else key)
    elif old != new:
        yield name, old, new


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _digest(values: Any) -> str:
    array = np.ascontiguousarray(values)
    return f"{list(array.shape)} {hashlib.sha256(array.tobytes()).hexdigest()[:16]}"
