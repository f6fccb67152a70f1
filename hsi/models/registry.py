"""The networks by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from hsi.backbones import BACKBONES
from hsi.backbones.weights import Weights
from hsi.errors import UsageError, check_name, check_number, check_whole_number
from hsi.layers.attention import attention_factory
from hsi.layers.convolutions import Norm
from hsi.layers.placing import AttentionFactory
from hsi.models.a2s2k import a2s2k
from hsi.models.backbone import backbone_model
from hsi.models.check import check_trunk, mark_as_checked
from hsi.models.cnn1d_hu import cnn1d_hu
from hsi.models.cnn3d_chen import cnn3d_chen
from hsi.models.cnn3d_hamida import cnn3d_hamida
from hsi.models.cnn3d_li import cnn3d_li
from hsi.models.contextual_lee import contextual_lee
from hsi.models.hybridsn import hybridsn, hybridsn_2d3d, hybridsn_dw
from hsi.models.logistic_regression import logistic_regression
from hsi.models.m3d_he import m3d_he
from hsi.models.nearest_neighbours import nearest_neighbours
from hsi.models.network import PatchNetwork
from hsi.models.random_forest import random_forest
from hsi.models.rnn_mou import rnn_mou
from hsi.models.spectralformer import spectralformer
from hsi.models.ssftt import ssftt
from hsi.models.ssrn import ssrn
from hsi.models.svm import svm
from hsi.models.usual import usual

MODELS: dict[str, Callable[..., PatchNetwork]] = {
    "hybridsn": hybridsn,
    "hybridsn-dw": hybridsn_dw,
    "hybridsn-2d3d": hybridsn_2d3d,
    "hybridsn-se": partial(hybridsn, attention="se"),
    "hybridsn-eca": partial(hybridsn, attention="eca"),
    "cnn1d-hu": cnn1d_hu,
    "rnn-mou": rnn_mou,
    "cnn3d-hamida": cnn3d_hamida,
    "cnn3d-li": cnn3d_li,
    "cnn3d-chen": cnn3d_chen,
    "contextual-lee": contextual_lee,
    "m3d-he": m3d_he,
    "ssrn": ssrn,
    "a2s2k": a2s2k,
    "ssftt": ssftt,
    "spectralformer": spectralformer,
    "svm": svm,
    "random-forest": random_forest,
    "knn": nearest_neighbours,
    "logistic-regression": logistic_regression,
    **{name: partial(backbone_model, name=name) for name in BACKBONES},
}
# Of those that a message could list.
NAMED = 5
# Their trunks stay as they are whatever the attention; those registered later may put it there.
OWN = frozenset(MODELS)


def build_model(
    name: str,
    *,
    bands: int,
    classes: int,
    patch_size: int | None = None,
    norm: Norm = "batch",
    dropout: float = 0.4,
    attention: str | AttentionFactory | None = None,
    weights: Weights | None = None,
) -> PatchNetwork:
    """Build a network.

    Parameters
    ----------
    name : str
        A key of `MODELS`, as ``hsi models`` lists them.
    bands : int
        Bands or components of a patch.
    classes : int
        Number of classes.
    patch_size : int, optional
        Side of a patch, odd. Default: the one that is usual for the network, such as 25.
    norm : {"batch", "none"}
        ``"batch"`` is a network with its batch norms, and a published one as its authors have it.
        ``"none"`` is one without; some refuse it.
    dropout : float
        Probability of dropping a hidden unit while training, in [0, 1).
    attention : str or callable, optional
        Name of an attention block (see `hsi.build_attention`), or a function from a number of
        channels to a module that keeps the shape. Each network says where it acts. A network whose
        name says its attention has that one and takes no other.
    weights : str, path or mapping, optional
        For image networks: ``"imagenet"`` for the published ones, a ``.pth`` or ``.safetensors``
        file, or tensors by name; see `hsi.build_backbone`. Fresh weights without.

    Returns
    -------
    PatchNetwork
        Takes ``(N, bands, patch_size, patch_size)``, returns logits ``(N, classes)``. Its `loaded`
        says what was loaded.

    Raises
    ------
    UsageError
        If a name is unknown, the sizes do not fit the network, or it takes no attention or no
        weights.
    WeightsError
        If the weights cannot be had, are damaged, or are of another network.

    Examples
    --------
    >>> model = build_model("hybridsn", bands=30, classes=16, norm="none")
    >>> sum(weight.numel() for weight in model.parameters())
    5122176
    """
    check_name("model", name, MODELS, listed_by="hsi models")
    if patch_size is None:
        patch_size = usual(name).patch_size
    for what, value in (("bands", bands), ("classes", classes), ("patch_size", patch_size)):
        check_whole_number(what, value)
    check_number("dropout", dropout)
    model = MODELS[name](
        bands=bands,
        classes=classes,
        patch_size=patch_size,
        norm=norm,
        dropout=dropout,
        **attention_argument(name, attention),
        **_weights_for(name, weights),
    )
    if attention is None or name in OWN:
        mark_as_checked(model)
    return model


def attention_argument(name: str, attention: str | AttentionFactory | None) -> dict[str, Any]:
    """Return the argument for the builder of `name`, or none if nothing is asked for.

    A builder need not take attention at all.
    """
    factory = attention_factory(attention)
    if factory is None:
        return {}
    builder = MODELS[name]
    if isinstance(builder, partial) and "attention" in builder.keywords:
        raise UsageError(
            f"the network '{name}' has its attention already ({builder.keywords['attention']})\n"
            "Give yours to one without, such as hybridsn or hybridsn-dw."
        )
    parameters = inspect.signature(builder).parameters
    if "attention" not in parameters:
        taking = _taking_attention()
        raise UsageError(
            f"the network '{name}' takes no attention: its builder has no argument of that name\n"
            f"{len(taking)} networks take it, such as {', '.join(taking[:NAMED])}; `hsi models "
            "--attention se` has the sizes of all."
        )
    return {"attention": factory}


def _weights_for(name: str, weights: Weights | None) -> dict[str, Any]:
    """Return the argument for the builder of `name`, or none if nothing is asked for."""
    if weights is None:
        return {}
    if "weights" not in inspect.signature(MODELS[name]).parameters:
        raise UsageError(
            f"the network '{name}' starts from fresh weights: there are none to load into it\n"
            "Leave out weights (--weights none), or take an image network such as resnet18."
        )
    return {"weights": weights}


def _taking_attention() -> list[str]:
    return [
        name for name, build in MODELS.items() if "attention" in inspect.signature(build).parameters
    ]


def full_name(model: str, attention: str | None) -> str:
    """Return a model with its attention, as titles and folders name it.

    Examples
    --------
    >>> full_name("hybridsn-dw", "eca"), full_name("hybridsn-dw", None)
    ('hybridsn-dw-with-eca', 'hybridsn-dw')
    """
    return model if attention in (None, "none") else f"{model}-with-{attention}"


def register_model(
    name: str,
    builder: Callable[..., PatchNetwork],
    *,
    bands: int = 30,
    classes: int = 16,
    patch_size: int = 25,
) -> None:
    """Make a network of one's own known by name, for `build_model` and `hsi.train`.

    Parameters
    ----------
    name : str
        Not yet taken.
    builder : callable
        Takes the keyword arguments of `build_model` and returns a `PatchNetwork`. It need not have
        `attention`; if it does, it is given a function from a number of channels to a block, or
        nothing.
    bands, classes, patch_size : int
        A size that the network can be built for, to check it.

    Raises
    ------
    UsageError
        If the name is taken, or if the trunk is none (see `hsi.models.check_trunk`): its maps
        would be wrong.
    """
    if name in MODELS:
        raise UsageError(f"there is a model '{name}' already; choose another name")
    model = builder(bands=bands, classes=classes, patch_size=patch_size, norm="batch", dropout=0.0)
    if not isinstance(model, PatchNetwork):
        raise UsageError(
            f"the builder of '{name}' returned a {type(model).__name__}; expected a "
            "hsi.models.PatchNetwork"
        )
    check_trunk(model)
    MODELS[name] = builder
