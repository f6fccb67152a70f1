"""A model in one safetensors file: tensors, and a description from which they make a network."""

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

from hsi.errors import RunError
from hsi.files import atomic_path

# What a description that was altered, or does not belong to these tensors, leads to.
ALTERED = (AttributeError, KeyError, TypeError, ValueError, RuntimeError)


def write_model(path: Path, *, about: Mapping[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    """Write `tensors` and their description, which JSON can hold; all of it or nothing."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with atomic_path(path) as temporary:
        try:
            save_file(tensors, temporary, metadata={"hsi": json.dumps(about)})
        except SafetensorError as error:
            # Its own words for what the operating system said, such as a full disk.
            number = re.search(r"os error (\d+)", str(error))
            if number is None:
                raise
            raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error


def read_model(path: Path, *, format_: int | str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Read what `write_model` wrote: the description, whose ``format`` must be this, and tensors.

    Raises
    ------
    RunError
        If the file is missing, damaged, not one of these, or of another format.
    """
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
    return about, tensors


def damaged(path: Path, error: Exception) -> RunError:
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
