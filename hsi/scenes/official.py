"""Published splits: the training and test maps that a card names."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError, UsageError
from hsi.scenes.catalogue import (
    Card,
    CardFile,
    CardSplit,
    find_card,
    list_cards,
    load_card,
    read_card,
)
from hsi.scenes.fetch import locate
from hsi.scenes.labels import as_labels
from hsi.scenes.readers import read_file
from hsi.scenes.scene import Scene


class OfficialMaps(NamedTuple):
    """Class ids ``(rows, cols)`` as in the ground truth of the scene, 0 outside each set."""

    train: NDArray[np.int32]
    test: NDArray[np.int32] | None
    """None: all labelled pixels that the training map leaves."""
    adds_labels: bool
    """Whether they label pixels that the ground truth does not, and are to be believed."""
    title: str
    card: str
    """Name of the scene."""


def official_maps(scene: Scene) -> OfficialMaps:
    """Return the published split of a scene, its files fetched if need be.

    Parameters
    ----------
    scene : Scene
        Opened by the name or the path of a card.

    Raises
    ------
    UsageError
        If there is none; the cards that have one are listed.
    SceneError
        If a file is missing or damaged.
    DownloadError
        If a file is not on this machine and cannot be fetched.
    """
    card = _card_of(scene)
    if card is None or card.official is None:
        having = [name for name in list_cards() if load_card(name).official is not None]
        what = scene.name if card is None else card.name
        raise UsageError(
            f"there is no official split of {what}: no card says where its maps are\n"
            f"There are such splits of {', '.join(having)}; maps in files of your own are "
            "split='file' with split_file (--split file --split-file PATH)."
        )
    return card_maps(card, card.official)


def card_maps(card: Card, official: CardSplit) -> OfficialMaps:
    """Return the maps of a card's split; raises as `official_maps`."""
    train = _read(card, official, official.train)
    test = None if official.test is None else _read(card, official, official.test)
    return OfficialMaps(train, test, official.adds_labels, official.title, card.name)


def card_ground_truth(card: Card, official: CardSplit) -> NDArray[np.int32]:
    """Return all that the maps of a card label, for scenes without another ground truth.

    Raises
    ------
    SceneError
        If a file is missing or damaged, or both maps label the same pixel.
    """
    maps = card_maps(card, official)
    if maps.test is None:
        return maps.train
    if maps.test.shape != maps.train.shape or ((maps.train > 0) & (maps.test > 0)).any():
        raise SceneError(
            f"the training and the test map of {card.name} do not fit each other: their shapes "
            f"are {maps.train.shape} and {maps.test.shape}, or they share pixels"
        )
    return maps.train + maps.test


def _card_of(scene: Scene) -> Card | None:
    dataset = scene.source.get("dataset")
    if dataset is None:
        return None
    card = find_card(str(dataset))
    if card is None and Path(dataset).suffix.lower() == ".toml" and Path(dataset).is_file():
        return read_card(Path(dataset))
    return card


def _read(card: Card, official: CardSplit, file: CardFile) -> NDArray[np.int32]:
    path = locate(card, file)
    contents = read_file(path, key=file.key, purpose="labels")
    ids = as_labels(contents.array, path=path, nodata=contents.nodata)
    if not official.relabel:
        return ids
    numbers = np.array(official.relabel, dtype=np.int32)
    if ids.max() >= numbers.size:
        raise SceneError(
            f"{path} holds the class {ids.max()}, but the card of {card.name} says what becomes of "
            f"0..{numbers.size - 1} only (official.relabel)"
        )
    return numbers[ids]
