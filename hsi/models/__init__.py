"""Hyperspectral networks, each a trunk and a head."""

from hsi.models.check import check_once, check_trunk
from hsi.models.cost import (
    count_parameters,
    macs_per_patch,
    macs_per_pixel,
    positions_of_patch,
)
from hsi.models.network import PatchNetwork
from hsi.models.registry import MODELS, build_model, full_name, register_model
from hsi.models.usual import USUAL, ReductionName, Usual, usual

__all__ = [
    "MODELS",
    "USUAL",
    "PatchNetwork",
    "ReductionName",
    "Usual",
    "build_model",
    "check_once",
    "check_trunk",
    "count_parameters",
    "full_name",
    "macs_per_patch",
    "macs_per_pixel",
    "positions_of_patch",
    "register_model",
    "usual",
]
