"""By what a map is known, and in what two maps differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hsi.scenes import Scene
from hsi.scenes.levels import few_pixels
from hsi.scenes.storage import stored_file

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


def scene_facts(scene: Scene) -> dict[str, Any]:
    """Return what tells this scene from others and from itself before a change; reads five pixels.

    Size and time of its file stand for its content; of an image at an address, the pixels alone.
    """
    file = stored_file(scene.cube)
    status = None if file is None else file.stat()
    facts: dict[str, Any] = {
        "name": scene.name,
        "size": list(scene.shape),
        "type": np.dtype(scene.cube.dtype).str,
        "nodata": scene.nodata,
        "pixels": hash_of(np.ascontiguousarray(pixel).tobytes() for pixel in few_pixels(scene)),
    }
    if scene.file_bands is not None:
        facts["bands of the file"] = hash_of([scene.file_bands.tobytes()])
    facts |= {f"given {name}": str(value) for name, value in scene.source.items()}
    if status is not None:
        facts |= {"bytes of its file": status.st_size, "time of its file": status.st_mtime_ns}
    return facts


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return in words what differs between facts in groups.

    Examples
    --------
    >>> differences({"scene": {"size": 3, "name": "a"}}, {"scene": {"size": 4, "name": "a"}})
    ['scene: size was 3, is 4']
    """
    found = []
    for group in dict.fromkeys([*before, *now]):
        one, two = before.get(group, {}), now.get(group, {})
        for name in dict.fromkeys([*one, *two]):
            if one.get(name) != two.get(name):
                found.append(
                    f"{group}: {name} was {_shown(one.get(name))}, is {_shown(two.get(name))}"
                )
    return found


def _shown(value: Any) -> str:
    text = "not given" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def hash_of(parts: Iterable[Buffer]) -> str:
    """Return sixteen digits that stand for `parts`, one after the other."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:16]
