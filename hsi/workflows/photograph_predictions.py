"""Classifying photographs with what a transfer trained."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import torch

from hsi.errors import PhotographError
from hsi.files import expand_home, usable_path
from hsi.photographs import Unreadable, find_photographs
from hsi.training import Prediction, TransferRun

Images = str | os.PathLike[str]


def predict_photographs(
    run: TransferRun, images: Images | Sequence[Images], *, device: str | torch.device = "auto"
) -> tuple[list[Prediction], list[Unreadable]]:
    """Classify photographs with the network that `run` trained.

    Parameters
    ----------
    run : TransferRun
        The run.
    images : path or sequence of paths
        Files, and folders whose photographs are all taken. The predictions have the paths as they
        are given here, relative or not.
    device : str or torch.device
        As for `hsi.transfer`.

    Returns
    -------
    list of Prediction, list of Unreadable
        What could be read, and what could not: files that are not there or damaged, and folders
        that were not looked into.

    Raises
    ------
    PhotographError
        If there are no photographs.
    """
    given = [images] if isinstance(images, str | os.PathLike) else list(images)
    paths: list[Path] = []
    skipped: list[Unreadable] = []
    for each in given:
        path = _as_given(each)
        if not path.exists():
            skipped.append(Unreadable(path, "it is not there"))
            continue
        found, not_entered = find_photographs(path)
        paths += found
        skipped += not_entered
    if not paths:
        listed = [f"{each.path}: {each.reason}" for each in skipped] or list(map(str, given))
        more = f" and {len(listed) - 3:,} more" if len(listed) > 3 else ""
        raise PhotographError(f"no photographs in {'; '.join(listed[:3]) or 'nothing'}{more}")
    predictions, unreadable = run.classifier.predict(paths, device=device)
    return predictions, [*skipped, *unreadable]


def _as_given(path: Images) -> Path:
    """Return a path of photographs as it is written, but for a ``~``."""
    usable = usable_path(path, "images")
    return (
        expand_home(usable, "images") if usable.parts[:1] and usable.parts[0][0] == "~" else usable
    )
