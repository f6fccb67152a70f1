"""Searching one modality for what goes with a place of the other."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.errors import UsageError, check_name, check_whole_number
from hsi.files import check_possible_folder, usable_path
from hsi.inference import resolve_device
from hsi.report import save_figure
from hsi.report.retrieved import retrieved_figure
from hsi.retrieval import MODALITIES, Modality, cosines, other_modality
from hsi.training.retrieval_run import RetrievalRun
from hsi.workflows.retrieve.pair import Pair
from hsi.workflows.retrieve.pictures import Album
from hsi.workflows.retrieve.train import pair_of

Among = Literal["test", "labelled", "all"]
_NO_PICTURES = "rows of arrays have no pictures to draw\nLeave out the figure (--figure)."
AMONG: tuple[Among, ...] = ("test", "labelled", "all")


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A place that was found."""

    rank: int
    """From 1."""
    row: int
    col: int
    id: int
    """Of its class; 0 if it has none."""
    name: str | None
    similarity: float
    """Cosine with the query."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """A query and what it found.

    Attributes
    ----------
    modality : str
        That the query is from; what was found is from the other.
    row, col, id, name
        Of the query, as in `Hit`.
    hits : tuple of Hit
        The most similar first.
    searched : int
        Among how many places.
    pair : Pair
        What was searched.
    patch_size : int
        Side of a patch.
    """

    modality: Modality
    row: int
    col: int
    id: int
    name: str | None
    hits: tuple[Hit, ...]
    searched: int
    pair: Pair
    patch_size: int

    @property
    def other(self) -> Modality:
        """The modality that was searched."""
        return other_modality(self.modality)

    @property
    def of_its_class(self) -> int | None:
        """How many hits are of the query's class; None if it has none."""
        return sum(hit.id == self.id for hit in self.hits) if self.id else None

    def as_table(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        names = ("modality", "row", "col", "id", "name", "searched", "of_its_class")
        return {name: getattr(self, name) for name in names} | {
            "hits": [asdict(hit) for hit in self.hits]
        }

    def save_figure(self, path: Path | str) -> None:
        """Draw the query and what it found, as PNG.

        Raises
        ------
        UsageError
            If the modalities are arrays, which have no pictures, or the path is no PNG file.
        """
        if not self.pair.rasters:
            raise UsageError(_NO_PICTURES)
        row = Album(self.pair, patch_size=self.patch_size).row(
            (self.modality, (self.row, self.col)),
            [(hit.row, hit.col) for hit in self.hits],
            [hit.similarity for hit in self.hits],
        )
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_figure(retrieved_figure([row]), path)


def figure_path(figure: str | Path, run: RetrievalRun) -> Path:
    """Return the path that a user gave for a figure, if one may be written there.

    Raises
    ------
    UsageError
        If it is no path, does not end in ``.png``, or would replace the figure of the run or what
        it was trained on; or if the modalities of the run are arrays, which have no pictures.
    RunError
        If a file has the name of its folder.
    """
    path = usable_path(figure, "figure")
    if path.suffix.lower() != ".png":
        raise UsageError(f"figures are saved as PNG, not as {path}; let it end in .png (--figure)")
    if "features" in run.config["pair"]:
        raise UsageError(_NO_PICTURES)
    check_possible_folder(path.parent)
    if path.exists() and path.parent.samefile(run.path):
        raise UsageError(f"{path} is a picture of the run\nName another file (--figure).")
    opened = [dict(run.config["pair"][name]) for name in ("scene", "second")]
    files = [
        Path(table[name]) for table in opened for name in ("dataset", "labels") if name in table
    ]
    if path.exists() and any(each.exists() and each.samefile(path) for each in files):
        raise UsageError(
            f"{path} is what the run was trained on, and would be replaced\n"
            "Name another file (--figure)."
        )
    return path


def find(
    run: RetrievalRun | Path | str,
    at: tuple[int, int],
    *,
    source: Modality = "first",
    top: int = 20,
    among: Among = "test",
    pair: Pair | None = None,
    device: str | torch.device = "auto",
) -> Found:
    """Return what of the other modality is most similar to a place of one.

    Parameters
    ----------
    run : RetrievalRun or path
        Trained; or unfinished, with a checkpoint.
    at : tuple of int
        Row and column, from 0. Of arrays, the row and 0.
    source : {"first", "second"}
        The modality that the query is from.
    top : int
        How many to return; fewer where there are not so many. The place itself is none of them.
    among : {"test", "labelled", "all"}
        What is searched: the test pixels, which nothing was learned from; all that have a label;
        or all where both modalities have data.
    pair : Pair, optional
        The data of the run; without, they are opened from where it found them.
    device : str or torch.device
        Where to compute.

    Raises
    ------
    UsageError
        If a name or number cannot be meant, or there is nothing at that place.
    RunError
        If the run is damaged or its data are no longer the same.
    """
    check_name("modality", source, MODALITIES)
    check_name("places to search", among, AMONG)
    check_whole_number("top (--top)", top)
    if top < 1:
        raise UsageError(f"top must be at least 1, not {top} (--top)")
    run = run if isinstance(run, RetrievalRun) else RetrievalRun(run)
    where = resolve_device(device)
    retriever = run.retriever
    pair = pair_of(run, pair)
    _check_place(pair, at)
    other = other_modality(source)
    searched = _searched(run, pair, among)
    searched[at] = False
    places = np.argwhere(searched)
    if not len(places):
        raise UsageError(f"there is nothing to search among '{among}' (--among)")
    retriever.network.to(where)
    own = retriever.patches(source, pair.scene(source), device=where)
    query = retriever.embed(source, own, np.array([at], dtype=np.int64))
    patches = retriever.patches(other, pair.scene(other), device=where)
    similar = cosines(query, retriever.embed(other, patches, places))[0]
    best = np.argsort(-similar, kind="stable")[:top]
    hits = tuple(
        Hit(
            rank=rank,
            row=int(places[place, 0]),
            col=int(places[place, 1]),
            similarity=float(similar[place]),
            **_class(pair, places[place]),
        )
        for rank, place in enumerate(best.tolist(), start=1)
    )
    return Found(
        modality=source,
        row=at[0],
        col=at[1],
        hits=hits,
        searched=len(places),
        pair=pair,
        patch_size=retriever.patch_size,
        **_class(pair, at),
    )


def _searched(run: RetrievalRun, pair: Pair, among: Among) -> NDArray[np.bool_]:
    if among == "test":
        return run.split_file.split.test.copy()
    if among == "all":
        return pair.valid.copy()
    assert pair.first.labels is not None
    return (pair.first.labels > 0) & pair.valid


def _class(pair: Pair, place: Any) -> dict[str, Any]:
    assert pair.first.labels is not None
    own = int(pair.first.labels[place[0], place[1]])
    return {"id": own, "name": pair.first.class_names[own] if own else None}


def _check_place(pair: Pair, at: tuple[int, int]) -> None:
    row, col = at
    rows, cols = pair.valid.shape
    if not (0 <= row < rows and 0 <= col < cols):
        there = (
            f"rows are 0 to {rows - 1}, columns 0 to {cols - 1}"
            if pair.rasters
            else f"rows are 0 to {rows - 1}"
        )
        came = f"{row},{col}" if pair.rasters else f"{row}"
        raise UsageError(f"there is no place {came} in {pair.first.name} (--at): {there}")
    if not pair.valid[at]:
        raise UsageError(
            f"there is no data at row {row}, column {col} in one of the modalities (--at)"
        )
