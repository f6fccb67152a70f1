"""Image networks, one family a file, for photographs and for components alike."""

from hsi.backbones.network import AttentionFactory, Backbone
from hsi.backbones.registry import BACKBONES, build_backbone

__all__ = ["BACKBONES", "AttentionFactory", "Backbone", "build_backbone"]
