"""Hyperspectral networks, each a trunk and a head."""

from hsi.models.cost import count_parameters, macs_per_patch
from hsi.models.network import PatchNetwork
from hsi.models.registry import MODELS, build_model

__all__ = ["MODELS", "PatchNetwork", "build_model", "count_parameters", "macs_per_patch"]
