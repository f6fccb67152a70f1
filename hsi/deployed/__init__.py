"""Classifiers as ONNX files: read, checked, and run on scenes by onnxruntime without PyTorch."""

from hsi.deployed.description import Description
from hsi.deployed.mapping import map_onnx
from hsi.deployed.onnx_classifier import OnnxClassifier

__all__ = ["Description", "OnnxClassifier", "map_onnx"]
