"""Image networks on the components of a patch.

An image network pads and pools, so that what it makes of a patch is no window of what it would make
of the scene: it has no trunk and sees one patch after the other. Its small stem keeps the patch at
full resolution in its first layers.
"""

from __future__ import annotations

from typing import get_args

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from hsi.backbones import AttentionFactory, Backbone, build_backbone
from hsi.backbones.network import why_not
from hsi.backbones.weights import Weights
from hsi.errors import UsageError, unknown_name
from hsi.layers.convolutions import Norm
from hsi.models.network import PatchNetwork

# Patches of this side are known to go through all of them; smaller ones are tried.
LARGE_ENOUGH = 25


def backbone_model(
    *,
    name: str,
    bands: int,
    classes: int,
    patch_size: int = 25,
    norm: Norm = "batch",
    dropout: float = 0.4,
    attention: str | AttentionFactory | None = None,
    weights: Weights | None = None,
) -> PatchNetwork:
    """Build an image network with a small stem for patches.

    Parameters
    ----------
    name : str
        A key of `hsi.backbones.BACKBONES`.
    bands, classes : int
        Bands or components of a patch, and number of classes.
    patch_size : int
        Side of a patch, odd.
    norm : {"batch", "none"}
        ``"batch"`` is the network as its authors have it, with batch norm or without. ``"none"`` is
        for those that have none.
    dropout : float
        Probability of the network's own dropout layers; where it has none, of one before its last
        layer.
    attention : str or callable, optional
        Attention block; the network's family says where it acts.
    weights : str, path or mapping, optional
        What to start from, as for `hsi.build_backbone`; the first layer is fitted to the number of
        bands, or stays fresh where the small stem has another size.

    Raises
    ------
    UsageError
        If the sizes do not fit, or ``norm="none"`` is asked of a network with batch norms.
    WeightsError
        If the weights cannot be had, or are of another network.
    """
    if bands < 1:
        raise UsageError(f"{name} needs at least one band or component, not {bands}")
    if classes < 2:
        raise UsageError(f"{name} needs at least 2 classes to tell apart, not {classes}")
    if patch_size < 1 or patch_size % 2 == 0:
        raise UsageError(
            f"{name} cannot work on patches of side {patch_size}: the side must be odd (the pixel "
            "is its centre)"
        )
    if norm not in get_args(Norm):
        raise unknown_name("norm", norm, get_args(Norm))
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout must be in [0, 1), not {dropout}")
    network = build_backbone(
        name, channels=bands, classes=classes, attention=attention, small_stem=True, weights=weights
    )
    if norm == "none" and any(isinstance(each, _BatchNorm) for each in network.modules()):
        raise UsageError(
            f"{name} has batch norms, of its own or of its attention, and cannot go without\n"
            "Choose norm='batch' (--norm batch), or a network without, such as vgg11 or lenet5."
        )
    _set_dropout(network, dropout)
    if patch_size < LARGE_ENOUGH:
        reason = why_not(network, channels=bands, side=patch_size)
        if reason:
            raise UsageError(
                f"{name} cannot work on patches of side {patch_size}: {reason}\n"
                f"{LARGE_ENOUGH} is large enough for every network."
            )
    model = PatchNetwork(
        trunk=nn.Identity(),
        head=network,
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        receptive_field=1,
    )
    model.loaded = network.loaded
    return model


def _set_dropout(network: Backbone, probability: float) -> None:
    """Set the network's dropout layers, or put one before its last layer."""
    layers = [each for each in network.modules() if isinstance(each, nn.Dropout)]
    if not layers:
        layers = [nn.Dropout()]
        last = network.get_submodule(network.last_layer)
        network.set_submodule(network.last_layer, nn.Sequential(layers[0], last))
        network.last_layer = f"{network.last_layer}.1"
    for layer in layers:
        layer.p = probability
