"""From a network and a scene to scores, always in evaluation mode."""

from hsi.inference.device import resolve_device
from hsi.inference.memory import is_out_of_memory, memory_budget, reusing_memory
from hsi.inference.mode import evaluating
from hsi.inference.predict import (
    check_input,
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
    "check_input",
    "evaluating",
    "is_out_of_memory",
    "memory_budget",
    "predict_pixels",
    "predict_scene",
    "predict_tiles",
    "resolve_device",
    "reusing_memory",
    "scores_of_pixels",
]
