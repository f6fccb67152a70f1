"""Paths that mean the same on every machine that sees them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hsi.errors import ClusterError
from hsi.scenes import list_cards
from hsi.scenes.address import address_of
from hsi.scenes.catalogue import SYNTHETIC, plain_name
from hsi.workflows.cluster.cluster import Cluster


def absolute_source(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return what opens a scene (`Scene.source`) in any folder."""
    if "parts" in source:
        return dict(source) | {"parts": [absolute_source(part) for part in source["parts"]]}
    changed = dict(source)
    known = plain_name(source["dataset"]) in (*list_cards(), SYNTHETIC)
    if not known and address_of(source["dataset"]) is None:
        changed["dataset"] = str(Path(source["dataset"]).absolute())
    if "labels" in source:
        changed["labels"] = str(Path(source["labels"]).absolute())
    return changed


def without_labels(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return what opens a scene without the labels that were named with it."""
    if "parts" in source:
        return dict(source) | {"parts": [without_labels(part) for part in source["parts"]]}
    left_out = ("labels", "labels_key", "label_field") if "labels" in source else ()
    return {name: value for name, value in source.items() if name not in left_out}


def check_seen(cluster: Cluster, file: Path) -> None:
    """Refuse workers that do not see a file, in a folder into which they are to write.

    Raises
    ------
    ClusterError
        Which worker it is.
    """
    for address, seen in cluster.on_each(_is_seen, str(file.absolute())).items():
        if seen is not True:
            raise ClusterError(
                f"the worker {address} does not see {file.absolute()}\n"
                "Name a folder that all workers see by the same path (--out), as on a shared disk."
            )


def _is_seen(file: str) -> bool:
    return Path(file).is_file()
