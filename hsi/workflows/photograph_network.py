"""The network of a transfer before its training, and what it cannot take."""

from __future__ import annotations

from typing import Any

import torch

from hsi.backbones import Backbone, build_backbone, standardization
from hsi.backbones.network import why_not
from hsi.errors import UsageError
from hsi.training import PhotographClassifier, TransferSettings


def untrained(class_names: tuple[str, ...], settings: TransferSettings) -> PhotographClassifier:
    """Return a classifier whose last layer has fresh weights.

    Raises
    ------
    UsageError
        If photographs of that size do not go through the network, or if layers would be frozen
        that the weights do not have.
    """
    options: dict[str, Any] = {
        "name": settings.backbone,
        "channels": 3,
        "classes": len(class_names),
        "attention": settings.attention,
        "small_stem": settings.small_stem,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = build_backbone(**options, weights=settings.weights)
    _check_frozen(network, settings)
    _check_size(network, settings)
    mean, std = standardization(settings.backbone)
    return PhotographClassifier(
        network=network,
        options=options,
        class_names=class_names,
        size=settings.side,
        mean=mean,
        std=std,
    )


def _check_frozen(network: Backbone, settings: TransferSettings) -> None:
    """Refuse to freeze what was not loaded: it would stay as noise."""
    if settings.freeze == "none" or network.loaded is None:
        return
    fresh = [name for name in network.loaded.left if not name.startswith(f"{network.last_layer}.")]
    if fresh:
        more = f" and {len(fresh) - 3} more" if len(fresh) > 3 else ""
        raise UsageError(
            f"the weights lack {', '.join(fresh[:3])}{more}, which would stay fresh and unlearned\n"
            "Train all of the network (--freeze none), or leave out what the weights do not have, "
            "such as attention."
        )


def _check_size(network: Backbone, settings: TransferSettings) -> None:
    """Refuse a size that does not go through the network."""
    reason = why_not(network, channels=3, side=settings.side)
    if reason:
        raise UsageError(
            f"photographs of {settings.side}x{settings.side} pixels do not go through "
            f"{settings.backbone}: {reason}\n"
            "Choose another size (--size), or for small ones the small stem (--small-stem)."
        )
