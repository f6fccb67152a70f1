"""Blocks that networks share, and the windows that training and inference share."""

from hsi.layers.convolutions import DepthwiseSeparableConv, SpectralSpatialConv, normalization
from hsi.layers.windows import gather_windows, pad_scene

__all__ = [
    "DepthwiseSeparableConv",
    "SpectralSpatialConv",
    "gather_windows",
    "normalization",
    "pad_scene",
]
