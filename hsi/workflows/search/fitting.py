"""What a network can be given, found out by building it without memory: attention, patches."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from hsi.errors import UsageError
from hsi.models import build_model, usual
from hsi.models.cost import shapes_alone
from hsi.models.estimator import SpectralEstimator

# Of any class maps; what fits a network does not depend on it.
CLASSES = 2


@lru_cache(maxsize=1024)
def takes_attention(model: str, bands: int) -> bool:
    """Return whether `model` takes an attention block that is named."""
    return _fits(model, bands) and _fits(model, bands, attention="se")


@lru_cache(maxsize=1024)
def takes_side(model: str, bands: int, side: int) -> bool:
    """Return whether `model` takes patches of that side."""
    return _fits(model, bands, patch_size=side)


@lru_cache(maxsize=1024)
def learns_by_gradients(model: str, bands: int) -> bool:
    """Return whether the settings of a recipe have a meaning for `model`."""
    built = _built(model, bands)
    return not isinstance(built, SpectralEstimator)


def _fits(model: str, bands: int, **options: Any) -> bool:
    try:
        _built(model, bands, **options)
    except UsageError:
        return False
    return True


def _built(model: str, bands: int, **options: Any) -> object:
    options = {"patch_size": usual(model).patch_size} | options
    with shapes_alone():
        return build_model(model, bands=bands, classes=CLASSES, **options)
