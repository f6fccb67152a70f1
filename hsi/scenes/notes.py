"""What was left out when a scene was opened, in words."""

from __future__ import annotations

from hsi.scenes.bands import ALL_CONSTANT, band_notes
from hsi.scenes.scene import Scene

# By the counts that `hsi.scenes.readers.vector.read_vector` keeps: one of them, and several.
OF_SHAPES = {
    "shapes_without_class_or_place": (
        "1 shape has no class or no place, and is left out.",
        "{:,} shapes have no class or no place, and are left out.",
    ),
    "shapes_without_pixel": (
        "1 shape holds the centre of no pixel of the scene: it is too small, or lies elsewhere.",
        "{:,} shapes hold the centre of no pixel of the scene: they are too small, or lie "
        "elsewhere.",
    ),
    "pixels_of_two_classes": (
        "1 pixel lies in shapes of different classes, and has no label.",
        "{:,} pixels lie in shapes of different classes, and have no label.",
    ),
}


def scene_notes(scene: Scene) -> list[str]:
    """Return sentences on what of its files a scene does not hold; nothing if it holds all.

    Examples
    --------
    >>> import numpy as np
    >>> metadata = {"empty_bands": 1, "shapes_without_pixel": 2}
    >>> for note in scene_notes(Scene(name="s", cube=np.ones((2, 2, 5)), metadata=metadata)):
    ...     print(note)
    1 band of the file is left out: 1 holds no value.
    2 shapes hold the centre of no pixel of the scene: they are too small, or lie elsewhere.
    """
    notes = band_notes(scene)
    if scene.metadata.get(ALL_CONSTANT):
        notes.append(
            "Every band has the same value everywhere: there is nothing that could tell pixels "
            "apart."
        )
    for count_of, (one, several) in OF_SHAPES.items():
        count = int(scene.metadata.get(count_of, 0))
        if count:
            notes.append(one if count == 1 else several.format(count))
    return notes
