"""What a classifier says of a scene, and how sure it is."""

from __future__ import annotations

import time

import numpy as np
import torch

from hsi.mapping import top_probability
from hsi.report.explorer import Mapped
from hsi.scenes import Scene
from hsi.training import Classifier


def map_and_confidence(
    classifier: Classifier, scene: Scene, *, device: str | torch.device = "auto"
) -> tuple[Mapped, float]:
    """Return class map and confidence of a scene, and the seconds that they took.

    Scores are computed in tiles and never held for the whole scene. The confidence is the softmax
    of the winning class. The map is that of `Classifier.class_map`.
    """
    start = time.perf_counter()
    class_map = np.empty(scene.shape[:2], dtype=np.int32)
    confidence = np.empty(scene.shape[:2], dtype=np.float32)
    for each in classifier.tiles(scene, device=device):
        class_map[each.tile.slices] = classifier.ids(each)
        top = top_probability(each.scores)
        confidence[each.tile.slices] = np.where(each.valid, top, np.nan)
    seconds = time.perf_counter() - start
    mapped = Mapped(
        class_map=class_map,
        confidence=confidence,
        names=classifier.class_names,
        colors=classifier.class_colors,
        patch_size=classifier.network.patch_size,
    )
    return mapped, seconds
