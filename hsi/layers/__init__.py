"""Blocks that networks share, and the windows that training and inference share."""

from hsi.layers.convolutions import (
    DepthwiseSeparableConv,
    MergeBands,
    SpectralSpatialConv,
    normalization,
)
from hsi.layers.norm import TrunkBatchNorm2d, TrunkBatchNorm3d, coverage, sampled_patches
from hsi.layers.spectra import SpectralConv
from hsi.layers.windows import gather_windows, pad_scene

__all__ = [
    "DepthwiseSeparableConv",
    "MergeBands",
    "SpectralConv",
    "SpectralSpatialConv",
    "TrunkBatchNorm2d",
    "TrunkBatchNorm3d",
    "coverage",
    "gather_windows",
    "normalization",
    "pad_scene",
    "sampled_patches",
]
