"""What a map may be written as, and where: nothing takes the place of what is no map."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from hsi.errors import RunError, UsageError, unknown_name
from hsi.files import check_possible_folder
from hsi.mapping.job import RECORD
from hsi.mapping.products import ALONE, BESIDE, Format
from hsi.sums import is_listed

# What makes a folder something else than a place for maps.
_OF_OTHERS = {
    "config.toml": "a run, which holds the map of its own scene",
    "bench.toml": "a benchmark",
    "search.json": "a search",
}


def check_format(format: str, class_ids: NDArray[np.int32]) -> None:
    """Raise UsageError unless there is such a format of class maps, and it can hold the ids."""
    if format not in get_args(Format):
        raise unknown_name("format", format, get_args(Format))
    if format == "envi" and class_ids.max() > np.iinfo(np.uint16).max:
        raise UsageError("an ENVI classification holds ids up to 65,535; use format='tif'")


def check_map_folder(folder: Path, *, own: Path | None = None) -> None:
    """Refuse to write a map where it would take the place of what is no map, or is a run's.

    Parameters
    ----------
    folder : Path
        Where the map is to lie; need not exist.
    own : Path, optional
        The folder of the run whose own scene is mapped, which may be `folder`.

    Raises
    ------
    RunError
        If files that this package did not write have the names of the map's, as the scene itself
        may; or the folder is that of a run, which has the map of its own scene, of a benchmark or
        of a search.
    """
    check_possible_folder(folder)
    for name, what in _OF_OTHERS.items():
        if (folder / name).is_file() and not (own and folder.samefile(own)):
            raise RunError(
                f"{folder} is the folder of {what}\n"
                "Name another folder: out=, or --out on the command line."
            )
    strange = [name for name in (*ALONE, *BESIDE, RECORD) if (folder / name).exists()]
    strange = [name for name in strange if not is_listed(folder / name)]
    if strange:
        raise RunError(
            f"{folder / strange[0]} is there, and no map of `hsi map`; the new map would replace "
            "it\nName another folder: out=, or --out on the command line."
        )
