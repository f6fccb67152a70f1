"""Image networks, one family a file, for photographs and for components alike."""

from hsi.backbones.network import AttentionFactory, Backbone
from hsi.backbones.published import IMAGENET, Standardization, standardization
from hsi.backbones.registry import BACKBONES, build_backbone
from hsi.backbones.weights import LoadedWeights, load_weights

__all__ = [
    "BACKBONES",
    "IMAGENET",
    "AttentionFactory",
    "Backbone",
    "LoadedWeights",
    "Standardization",
    "build_backbone",
    "load_weights",
    "standardization",
]
