"""From a network and a scene to scores, always in evaluation mode."""

from hsi.inference.device import resolve_device
from hsi.inference.mode import evaluating
from hsi.inference.predict import predict_pixels, predict_scene, scores_of_pixels

__all__ = ["evaluating", "predict_pixels", "predict_scene", "resolve_device", "scores_of_pixels"]
