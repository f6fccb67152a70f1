"""The networks by name."""

from __future__ import annotations

from collections.abc import Callable

from hsi.errors import UsageError, unknown_name
from hsi.layers.convolutions import Norm
from hsi.models.check import check_trunk, mark_as_checked
from hsi.models.hybridsn import hybridsn, hybridsn_2d3d, hybridsn_dw
from hsi.models.network import PatchNetwork

MODELS: dict[str, Callable[..., PatchNetwork]] = {
    "hybridsn": hybridsn,
    "hybridsn-dw": hybridsn_dw,
    "hybridsn-2d3d": hybridsn_2d3d,
}


def build_model(
    name: str,
    *,
    bands: int,
    classes: int,
    patch_size: int = 25,
    norm: Norm = "batch",
    dropout: float = 0.4,
) -> PatchNetwork:
    """Build a network with fresh weights.

    Parameters
    ----------
    name : str
        A key of `MODELS`, as ``hsi models`` lists them.
    bands : int
        Bands or components of a patch.
    classes : int
        Number of classes.
    patch_size : int
        Side of a patch, odd.
    norm : {"batch", "none"}
        Normalisation of the 2-D convolutions.
    dropout : float
        Probability of dropping a hidden unit while training, in [0, 1).

    Returns
    -------
    PatchNetwork
        Takes ``(N, bands, patch_size, patch_size)``, returns logits ``(N, classes)``.

    Raises
    ------
    UsageError
        If the name is unknown or the sizes do not fit the network.

    Examples
    --------
    >>> model = build_model("hybridsn", bands=30, classes=16, norm="none")
    >>> sum(weight.numel() for weight in model.parameters())
    5122176
    """
    if name not in MODELS:
        raise unknown_name("model", name, MODELS)
    model = MODELS[name](
        bands=bands, classes=classes, patch_size=patch_size, norm=norm, dropout=dropout
    )
    mark_as_checked(model)
    return model


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
        Takes the keyword arguments of `build_model` and returns a `PatchNetwork`.
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
