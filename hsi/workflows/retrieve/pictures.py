"""Places of a pair as pictures and spectra, for figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsi.report.retrieved import Retrieved, Tile
from hsi.retrieval import MODALITIES, Modality, cosines, other_modality
from hsi.scenes import Scene
from hsi.workflows.retrieve.pair import Pair

# A modality of more bands is shown by spectra.
MOST_BANDS = 4
# The surroundings of a patch that are shown, in pixels.
AROUND = 21
# Of each query in the figure of a run, and queries of each modality.
SHOWN, QUERIES = 8, 3


class Album:
    """Shows places of a pair; composites are made once.

    Parameters
    ----------
    pair : Pair
        Of rasters.
    patch_size : int
        Side of the patch that is outlined in a picture.
    """

    def __init__(self, pair: Pair, *, patch_size: int) -> None:
        self.pair, self.patch_size = pair, patch_size
        self._pictures: dict[Modality, NDArray[np.uint8]] = {}

    def row(
        self,
        query: tuple[Modality, Sequence[int]],
        found: Sequence[Sequence[int]],
        similarities: Sequence[float],
    ) -> Retrieved:
        """Return a query and what it found, as `retrieved_figure` draws them."""
        modality, place = query
        other = other_modality(modality)
        own = self._class(place)
        classes = [self._class(each) for each in found]
        return Retrieved(
            query=self._tile(modality, place),
            found=[self._tile(other, each) for each in found],
            right=[each == own if each and own else None for each in classes],
            similarities=similarities,
        )

    def _class(self, place: Sequence[int]) -> int:
        labels = self.pair.first.labels
        return 0 if labels is None else int(labels[place[0], place[1]])

    def _tile(self, modality: Modality, place: Sequence[int]) -> Tile:
        row, col = int(place[0]), int(place[1])
        scene, own = self.pair.scene(modality), self._class(place)
        name = self.pair.first.class_names[own] if own else "-"
        where = f"{row}, {col}"
        if scene.bands > MOST_BANDS:
            spectrum = np.array(scene.cube[row, col, :], dtype=np.float64)
            centres = scene.wavelengths
            order = np.arange(len(spectrum)) if centres is None else np.argsort(centres)
            return Tile(
                spectrum=spectrum[order],
                positions=None if centres is None else centres[order],
                name=name,
                place=where,
            )
        top, height = _window(row, scene.rows)
        left, width = _window(col, scene.cols)
        half = self.patch_size // 2
        return Tile(
            picture=self._picture(modality, scene)[top : top + height, left : left + width],
            box=(col - half - left, row - half - top, self.patch_size, self.patch_size),
            name=name,
            place=where,
        )

    def _picture(self, modality: Modality, scene: Scene) -> NDArray[np.uint8]:
        if modality not in self._pictures:
            self._pictures[modality] = scene.composite()
        return self._pictures[modality]


def some_queries(
    pair: Pair,
    placed: dict[Modality, NDArray[np.float32]],
    places: NDArray[np.int64],
    *,
    patch_size: int,
    seed: int,
) -> list[Retrieved]:
    """Return some queries from each modality with what they found: of classes drawn at random.

    Parameters
    ----------
    pair : Pair
        Of rasters, with labels.
    placed : dict of ndarray
        ``(N, dimensions)`` of each modality, at `places`.
    places : ndarray
        ``(N, 2)`` rows and columns, each of a query and of what is found.
    patch_size : int
        Side of a patch.
    seed : int
        Of the draw.
    """
    assert pair.first.labels is not None
    draw = np.random.default_rng(seed)
    album = Album(pair, patch_size=patch_size)
    classes = pair.first.labels[places[:, 0], places[:, 1]]
    rows = []
    for modality in MODALITIES:
        other = other_modality(modality)
        ids = draw.permutation(np.unique(classes))[:QUERIES]
        for each in sorted(ids.tolist()):
            query = int(draw.choice(np.flatnonzero(classes == each)))
            similar = cosines(placed[modality][query : query + 1], placed[other])[0]
            similar[query] = -np.inf
            best = np.argsort(-similar, kind="stable")[: min(SHOWN, len(places) - 1)]
            rows.append(
                album.row(
                    (modality, places[query].tolist()),
                    places[best].tolist(),
                    similar[best].tolist(),
                )
            )
    return rows


def _window(place: int, size: int) -> tuple[int, int]:
    """Return where a window around a place begins, and how long it is, within `size` pixels."""
    length = min(AROUND, size)
    return min(max(place - length // 2, 0), size - length), length
