"""Whether the values of a scene are of the size of those that a classifier was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.scenes.cube import is_missing
from hsi.scenes.fill import FittedReduction
from hsi.scenes.scene import Scene

# Reflectance is stored as it is, in percent, or times 10,000. Water in the near infrared is by a
# factor of ten darker than land.
FACTOR = 30


def few_pixels(scene: Scene) -> NDArray[Any]:
    """Return ``(5, bands)``: the pixel in the middle of a scene, and those in its corners."""
    rows, cols = scene.rows - 1, scene.cols - 1
    places = [(0, 0), (0, cols), (rows // 2, cols // 2), (rows, 0), (rows, cols)]
    return np.stack([np.asarray(scene.cube[row, col]) for row, col in places])


def level_notes(scene: Scene, reduction: FittedReduction) -> tuple[str, ...]:
    """Return that the values are of another size, if they are, in words without a full stop.

    Looked at are five pixels, and all of them that hold data have to be so.

    Parameters
    ----------
    scene : Scene
        With the bands of the classifier.
    reduction : FittedReduction
        A `BandPCA` or `BandScaler`, fitted to the pixels of the training.
    """
    pixels = few_pixels(scene)
    # Of several bands, all alike are a fill value that nobody declared.
    filled = (pixels == pixels[:, :1]).all(axis=1) if scene.bands > 1 else ~pixels.any(axis=1)
    pixels = pixels[~is_missing(pixels, scene.nodata).any(axis=1) & ~filled]
    # Root mean squares: differences from a mean of zero are values, too.
    own = np.sqrt(np.square(pixels.astype(np.float64)).mean(axis=1))
    variance = np.square(reduction.mean_).sum() + reduction.explained_variance_.sum()
    trained = float(np.sqrt(variance / len(reduction.mean_)))
    if not own.size or not trained:
        return ()
    if own.min() <= FACTOR * trained and own.max() >= trained / FACTOR:
        return ()
    return (
        f"the values of {scene.name} are of another size than those of the training "
        f"(five pixels: {np.median(own):.3g}, there {trained:.3g}); if they are in another unit, "
        "the map means nothing",
    )
