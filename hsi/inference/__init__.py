"""From a network and a scene to scores, always in evaluation mode."""

from hsi.inference.device import resolve_device
from hsi.inference.memory import free_memory, memory_budget, reusing_memory
from hsi.inference.mode import evaluating
from hsi.inference.predict import (
    predict_pixels,
    predict_scene,
    predict_tiles,
    scores_of_pixels,
)
from hsi.inference.tiled import Method, Precision, TiledNetwork

__all__ = [
    "Method",
    "Precision",
    "TiledNetwork",
    "evaluating",
    "free_memory",
    "memory_budget",
    "predict_pixels",
    "predict_scene",
    "predict_tiles",
    "resolve_device",
    "reusing_memory",
    "scores_of_pixels",
]
