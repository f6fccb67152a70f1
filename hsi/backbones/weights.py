"""Weights from a file, with the first and the last layer fitted to other images and classes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from hsi.backbones.likeness import COUNTER, looks_like, optional_tensors, own_tensors
from hsi.backbones.network import Backbone
from hsi.backbones.published import locate_weights
from hsi.backbones.weight_files import read_weights, tensors_of
from hsi.errors import UsageError, WeightsError
from hsi.files import expand_home, usable_path

PUBLISHED, NO_WEIGHTS = "imagenet", "none"
Weights = str | os.PathLike[str] | Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class LoadedWeights:
    """What became of the weights in a file. All names are the network's.

    Attributes
    ----------
    source : str
        Name of the file, or ``"a mapping"``.
    tensors : int
        Weights and running statistics that the network has.
    loaded : tuple of str
        Those taken from the file, the adapted ones included.
    adapted : tuple of str
        Those that were fitted to another number of channels.
    left : tuple of str
        Those that the network keeps fresh.
    unused : tuple of str
        What the file holds besides.
    """

    source: str
    tensors: int
    loaded: tuple[str, ...]
    adapted: tuple[str, ...]
    left: tuple[str, ...]
    unused: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{len(self.loaded)} of {self.tensors} tensors from {self.source}"]
        for names, what in (
            (self.adapted, "adapted to the number of channels"),
            (self.left, "fresh"),
            (self.unused, "of the file not used"),
        ):
            if names:
                parts.append(f"{_listed(names)} {what}")
        return "; ".join(parts)


def load_weights(network: Backbone, weights: Weights, *, name: str) -> LoadedWeights:
    """Load weights into a network, in place.

    Where the file's images had another number of channels, the weights of the first layer are their
    mean over the channels, repeated and rescaled, so that an image with the same value in all
    channels gives the same response. Where it has another number of classes, the last layer stays
    fresh; so do a first layer of another size, a classifier that the file does not have at all, and
    the attention that was asked for, where the file is without. All else must be there.

    Parameters
    ----------
    network : Backbone
        Its weights are replaced.
    weights : str, path or mapping
        ``"imagenet"``; a file: ``.safetensors``, or what `torch.save` wrote, from which tensors
        are taken and no code is run; or tensors by name, such as a state dict. Names may have a
        common prefix such as ``module.``.
    name : str
        Name of the network.

    Returns
    -------
    LoadedWeights
        Which tensors were loaded, adapted and left.

    Raises
    ------
    UsageError
        If there is no such file, or no weights are published for the network.
    WeightsError
        If the file is damaged or holds code, if a tensor is missing, has another shape or holds
        anything but finite floating-point numbers.
    """
    source, whole = _open(weights, name)
    own = own_tensors(network)
    given = _without_prefix(whole, own)
    for key in own:
        if key in given and (amiss := _amiss(given[key])):
            raise WeightsError(f"{source} cannot be used: {key} {amiss}")
    first = f"{network.first_layer}.weight"
    last = (f"{network.last_layer}.weight", f"{network.last_layer}.bias")
    found: dict[str, Tensor] = {}
    adapted, left, wrong = [], [], []
    for key, value in own.items():
        if key not in given:
            left.append(key)
        elif given[key].shape == value.shape:
            found[key] = given[key]
        elif key == first and _only_channels_differ(given[key], value):
            found[key] = with_channels(given[key], value.shape[1])
            adapted.append(key)
        elif key == first or key in last:
            left.append(key)
        else:
            wrong.append(f"{key} {tuple(given[key].shape)} instead of {tuple(value.shape)}")
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise WeightsError(
            f"{source} holds weights of another network than {name}:\n"
            f"  {', '.join(wrong[:3])}{more}\n"
            f"{_advice(given)}"
        )
    if not found:
        raise WeightsError(
            f"{source} holds nothing for {name}: of its {len(given)} tensors none has a name and "
            f"shape of the network\n"
            f"  the file has     {_listed(tuple(given)) or 'no tensors'}\n"
            f"  the network has  {_listed(tuple(own))}"
        )
    optional = optional_tensors(network)
    lacking = [key for key in left if key not in given and not key.startswith(optional)]
    if lacking:
        raise WeightsError(
            f"{source} lacks {len(lacking)} of the {len(own)} tensors of {name}:\n"
            f"  {_listed(tuple(lacking))}\n"
            f"{_advice(given)}"
        )
    with torch.no_grad():
        for key, value in found.items():
            own[key].copy_(value)
    return LoadedWeights(
        source=source.name if isinstance(source, Path) else source,
        tensors=len(own),
        loaded=tuple(found),
        adapted=tuple(adapted),
        left=tuple(left),
        unused=tuple(key for key in given if key not in own and not key.endswith(COUNTER)),
    )


def lasting(weights: str) -> str:
    """Return the name of weights, or their path in a form that leads to them from any folder."""
    if weights in (NO_WEIGHTS, PUBLISHED):
        return weights
    return str(expand_home(usable_path(weights, "weights"), "weights"))


def check_given(weights: str) -> None:
    """Refuse the path of weights where no file is; as loading them does.

    Raises
    ------
    UsageError
        If there is none.
    """
    if weights not in (NO_WEIGHTS, PUBLISHED):
        _own_file(weights)


def _open(weights: Weights, name: str) -> tuple[Path | str, dict[str, Tensor]]:
    """Return what the weights are called, and their tensors."""
    if isinstance(weights, Mapping):
        return "a mapping", tensors_of(weights)
    if not isinstance(weights, str | os.PathLike):
        raise UsageError(
            f"weights must be '{PUBLISHED}', the path of a file, or a mapping of names to tensors, "
            f"not {weights!r}"
        )
    path = locate_weights(name) if weights == PUBLISHED else _own_file(weights)
    return path, read_weights(path)


def _advice(given: Mapping[str, Tensor]) -> str:
    """Say of which network the weights seem to be, and what to do."""
    other = looks_like(given)
    if other:
        return f"They seem to be weights of {other}; build that network, or pass another file."
    return "They are of no network of hsi as a whole; build that which they were made for."


def with_channels(weight: Tensor, channels: int) -> Tensor:
    """Return the weights of a first layer for images with another number of channels.

    Parameters
    ----------
    weight : Tensor
        ``(out, C, k, k)``.
    channels : int
        The new number.

    Returns
    -------
    Tensor
        ``(out, channels, k, k)``: the mean over C, times ``C / channels``, in each channel.

    Examples
    --------
    >>> with_channels(torch.tensor([0.2, 0.6, 0.1]).view(1, 3, 1, 1), 2).flatten()
    tensor([0.4500, 0.4500])
    """
    mean = weight.float().mean(dim=1, keepdim=True)
    return (mean * (weight.shape[1] / channels)).expand(-1, channels, -1, -1)


def _own_file(weights: str | os.PathLike[str]) -> Path:
    path = expand_home(usable_path(weights, "weights"), "weights")
    if not path.is_file():
        raise UsageError(
            f"weights are '{os.fspath(weights)}': there is no such file\n"
            f"Give the path of a .safetensors or .pth file, or '{PUBLISHED}'."
        )
    return path


def _without_prefix(given: dict[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take from all names what they begin with, as long as none is known with it."""
    while given and not given.keys() & own.keys():
        prefixes = {key.partition(".")[0] for key in given}
        if len(prefixes) > 1 or not all("." in key for key in given):
            break
        given = {key.partition(".")[2]: value for key, value in given.items()}
    return given


def _only_channels_differ(given: Tensor, own: Tensor) -> bool:
    return given.ndim == 4 and given.shape[0] == own.shape[0] and given.shape[2:] == own.shape[2:]


def _amiss(value: Tensor) -> str | None:
    """Return what keeps a tensor from being weights, if anything."""
    if value.is_meta:
        return "has a shape, but no values"
    if value.layout != torch.strided or not value.is_floating_point():
        kind = str(value.dtype if value.layout == torch.strided else value.layout)
        return f"is {kind.removeprefix('torch.')}; expected dense floating-point numbers"
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        return f"claims {value.numel():,} values, more than the file holds"
    if not value.float().isfinite().all():
        return "holds NaN or infinity; its training must have failed"
    return None


def _listed(names: tuple[str, ...]) -> str:
    """Return a few of the names, and how many more there are."""
    shown = ", ".join(names[:4])
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown
