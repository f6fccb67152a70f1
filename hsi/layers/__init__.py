"""Blocks that networks share, and the windows that training and inference share."""

from hsi.layers.convolutions import (
    DepthwiseSeparableConv,
    MergeBands,
    SpectralSpatialConv,
    normalization,
)
from hsi.layers.norm import TrunkBatchNorm2d, coverage, sampled_patches
from hsi.layers.windows import gather_windows, pad_scene

__all__ = [
    "DepthwiseSeparableConv",
    "MergeBands",
    "SpectralSpatialConv",
    "TrunkBatchNorm2d",
    "coverage",
    "gather_windows",
    "normalization",
    "pad_scene",
    "sampled_patches",
]
