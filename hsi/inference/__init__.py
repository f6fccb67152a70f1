"""From a network and a scene to scores, always in evaluation mode."""

from hsi.inference.device import resolve_device
from hsi.inference.memory import reusing_memory
from hsi.inference.mode import evaluating
from hsi.inference.predict import Precision, predict_pixels, predict_scene, scores_of_pixels

__all__ = [
    "Precision",
    "evaluating",
    "predict_pixels",
    "predict_scene",
    "resolve_device",
    "reusing_memory",
    "scores_of_pixels",
]
