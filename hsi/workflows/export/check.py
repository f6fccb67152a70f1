"""What was exported, compared with the run's classifier on tiles of noise and of the scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.deployed.scene_tiles import tile_cube
from hsi.errors import RunError
from hsi.inference import TiledNetwork, memory_budget
from hsi.mapping import top_probability
from hsi.sampling import BandPCA
from hsi.scenes import Scene
from hsi.scenes.tiles import Tile
from hsi.training import Classifier

TOLERANCE = 1e-4
# Rows and columns of the tiles of noise, and of those of a scene.
NOISE = ((2, 2), (3, 7), (8, 5))
REAL = 8

# From a cube to class, confidence and scores, as `MapGraph` returns them.
Compute = Callable[[NDArray[np.float32]], tuple[NDArray[np.int32], NDArray[np.float32], NDArray]]


class Checked(NamedTuple):
    """How far an export is from its run."""

    difference: float
    """The largest one, of confidences, and of scores in proportion where they are above 1."""
    random_tiles: int
    real_tiles: int


def check_export(
    compute: Compute, classifier: Classifier, scene: Scene | None, *, one_pixel: bool
) -> Checked:
    """Compare an export with the classifier that it was made from.

    Parameters
    ----------
    compute : callable
        From a cube ``(rows + p - 1, cols + p - 1, bands)`` to class, confidence and scores.
    classifier : Classifier
        Of the run.
    scene : Scene or None
        From which tiles are taken, with the bands of the classifier.
    one_pixel : bool
        Whether a tile of a single pixel can be computed, too.

    Raises
    ------
    RunError
        If they differ by more than `TOLERANCE`, or say something else of pixels without data.
    """
    worst = 0.0
    noise = list(_noise(classifier, one_pixel=one_pixel))
    real = [] if scene is None else list(_real(classifier, scene))
    for cube in (*noise, *real):
        worst = max(worst, _difference(compute(cube), classifier, cube))
    if not worst <= TOLERANCE:
        raise RunError(
            f"the exported file differs from the run by {worst:.1e}, more than {TOLERANCE:.0e}; "
            "it was not kept\nOther versions of torch, onnx or onnxruntime may do better."
        )
    return Checked(worst, len(noise), len(real))


def scores_of(
    classifier: Classifier, cube: NDArray[np.float32]
) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """Return what the run says of a tile: scores ``(classes, rows, cols)``, and where data is."""
    network = classifier.network
    valid = np.asarray(np.isfinite(cube).all(axis=2))
    components = classifier.reduction.transform(np.where(valid[:, :, None], cube, 0), valid=valid)
    rows, cols = (length - network.patch_size + 1 for length in cube.shape[:2])
    tiled = TiledNetwork(network, rows, cols, max_bytes=memory_budget(None, network.anchor.device))
    region = torch.from_numpy(components).permute(2, 0, 1).to(network.anchor.dtype)
    scores = tiled.scores(region, Tile(0, 0, rows, cols)).T.unflatten(1, (rows, cols))
    margin = network.patch_size // 2
    inner = valid[margin : margin + rows, margin : margin + cols]
    return scores.numpy(force=True), inner


def _difference(
    found: tuple[NDArray[np.int32], NDArray[np.float32], NDArray],
    classifier: Classifier,
    cube: NDArray[np.float32],
) -> float:
    classes, confidence, scores = found
    expected, valid = scores_of(classifier, cube)
    if (
        scores.shape != expected.shape
        or not np.isfinite(scores).all()
        or not np.array_equal(np.isnan(confidence), ~valid)
    ):
        return np.inf
    apart = np.abs(scores - expected) / np.maximum(np.abs(expected), 1)
    first, second = np.sort(expected, axis=0)[:-3:-1]
    # Where two classes are equal but for rounding, either is right.
    clear = first - second > 2 * TOLERANCE * np.maximum(np.abs(first), 1)
    ids = np.where(valid, classifier.class_ids[expected.argmax(axis=0)], 0)
    if (classes != ids)[clear | ~valid].any():
        return np.inf
    sure = np.abs(confidence - top_probability(expected))[valid]
    return float(max(apart.max(), sure.max(initial=0.0)))


def _noise(classifier: Classifier, *, one_pixel: bool) -> Iterator[NDArray[np.float32]]:
    """Yield cubes of pixels as the training pixels were distributed, some without data."""
    generator = np.random.default_rng(0)
    reduction, margin = classifier.reduction, classifier.network.patch_size - 1
    for rows, cols in (*([(1, 1)] if one_pixel else []), *NOISE):
        size = (rows + margin, cols + margin)
        values = generator.normal(size=(*size, reduction.components))
        values *= np.sqrt(reduction.explained_variance_)
        if isinstance(reduction, BandPCA):
            values = values @ reduction.components_
        cube = (values + reduction.mean_).astype(np.float32)
        if rows > 1:
            cube[margin // 2, margin // 2, 0] = np.nan
            cube[-1, -1] = np.inf
        yield cube


def _real(classifier: Classifier, scene: Scene) -> Iterator[NDArray[np.float32]]:
    """Yield the upper left, the middle and the lower right of a scene."""
    patch_size, size = classifier.network.patch_size, scene.shape[:2]
    rows, cols = (min(REAL, length) for length in size)
    places = {(share * (size[0] - rows) // 2, share * (size[1] - cols) // 2) for share in range(3)}
    for row, col in sorted(places):
        tile = Tile(row, col, rows, cols)
        pixels = np.asarray(scene.cube[tile.around(patch_size, size)])
        yield tile_cube(scene, tile, pixels, patch_size=patch_size).cube
