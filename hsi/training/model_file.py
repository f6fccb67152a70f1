"""A model in one safetensors file: tensors, and a description from which they make a network.

The description begins with the sha256 of the whole file, computed with zeros in its place, so that
a copy of the file alone is checked, too.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from hsi.atomic import temporary_folder
from hsi.errors import RunError
from hsi.files import atomic_path
from hsi.sums import NO_SUM, check_sum, own_sum, seal

# What a description that was altered, or does not belong to these tensors, leads to.
ALTERED = (AttributeError, KeyError, TypeError, ValueError, RuntimeError)
# As the sum stands in the header of the file: JSON within JSON.
SUM_AFTER = rb"{\"sha256\": \""


def write_model(
    path: Path | str, *, about: Mapping[str, Any], tensors: dict[str, torch.Tensor]
) -> None:
    """Write `tensors` and their description, which JSON can hold; all of it or nothing."""
    path = Path(path)
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    # In a folder that is known as left behind: safetensors writes a file of another name first, and
    # a process that is killed then would leave that.
    with atomic_path(path) as temporary, temporary_folder(path.parent) as folder:
        complete = Path(folder) / path.name
        try:
            description = json.dumps({"sha256": NO_SUM, **about})
            save_file(tensors, complete, metadata={"hsi": description})
        except SafetensorError as error:
            # Its own words for what the operating system said, such as a full disk.
            number = re.search(r"os error (\d+)", str(error))
            if number is None:
                raise
            raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error
        place = _place_of_sum(complete)
        assert place is not None
        seal(complete, place)
        complete.replace(temporary)


def read_model(
    path: Path | str, *, format_: int | str
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Read what `write_model` wrote: the description, whose ``format`` must be this, and tensors.

    Raises
    ------
    RunError
        If the file is missing, damaged, not one of these, or of another format.
    """
    path = Path(path)
    check_sum(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise RunError(f"there is no {path}") from error
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} is damaged or no safetensors file: {error}") from error
    if "hsi" not in metadata:
        raise RunError(f"{path} was not written by hsi: it lacks the description of the model")
    try:
        about = json.loads(metadata["hsi"])
        found = about["format"]
    except ALTERED as error:
        raise damaged(path, error) from error
    if found != format_:
        raise RunError(f"{path} has format {found}; this version of hsi reads format {format_}")
    place = _place_of_sum(path)
    with path.open("rb") as whole:
        own = None if place is None else own_sum(whole, place)
    if own is None or own != about.pop("sha256", None):
        raise RunError(
            f"{path} is damaged: its sha256 is not the one that it was written with\n"
            "Restore it from a copy, or train again."
        )
    return about, tensors


def _place_of_sum(path: Path) -> int | None:
    """Return where in the file the digits of its sum begin."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        found = file.read(length).find(SUM_AFTER)
    return None if found < 0 else 8 + found + len(SUM_AFTER)


def damaged(path: Path | str, error: Exception) -> RunError:
    """Return the error for a description and tensors that make no network, since `error` came."""
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return RunError(
        f"{path} is damaged: its description and its tensors are no model of hsi "
        f"({reason[-1].strip()})"
    )


def within(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Return the tensors whose names begin with `prefix`, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
