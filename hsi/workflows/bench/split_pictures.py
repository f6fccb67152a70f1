"""Pictures of a benchmark's splits: of each scene, kind and amount, that of the first seed."""

from __future__ import annotations

from pathlib import Path

from hsi.evaluation import Cell
from hsi.evaluation.findings import Findings
from hsi.evaluation.results import Group
from hsi.files import folder_name, make_folder_with_sums
from hsi.report import save_figure
from hsi.report.bench_report import Picture
from hsi.report.maps import split_figure
from hsi.report.result_tables import amount_name
from hsi.sampling import Split
from hsi.scenes import Scene

FOLDER = "splits"


def draw_split(out: Path, cell: Cell, split: Split, scene: Scene, *, side: int) -> None:
    """Draw the split of a cell, unless there is a picture of its group.

    Parameters
    ----------
    out : Path
        The folder of the benchmark.
    cell : Cell
        Whose split it is.
    split, scene
        What is drawn, over what.
    side : int
        Of the patch that is drawn to scale: the largest that the guard leaves room for.
    """
    name = _name(cell.group, cell.seed)
    if any((out / FOLDER).glob(f"{_name(cell.group, None)}*.png")):
        return
    make_folder_with_sums(out / FOLDER)
    figure = split_figure(
        split.train,
        split.validation,
        split.test,
        patch_size=side,
        background=scene.composite(),
    )
    save_figure(figure, out / FOLDER / f"{name}.png")


def pictures_of(out: Path, findings: Findings) -> dict[Group, Picture]:
    """Return the pictures that there are."""
    found = {}
    for group in findings.groups:
        stem = _name(group, None)
        for path in sorted((out / FOLDER).glob(f"{stem}*.png")):
            seed = path.stem.removeprefix(stem)
            found[group] = Picture(f"{FOLDER}/{path.name}", f"The split of seed {seed}")
    return found


def _name(group: Group, seed: int | None) -> str:
    name = f"{folder_name(group.scene)}-{group.split}-{amount_name(group.train)}-seed"
    return name if seed is None else f"{name}{seed}"
