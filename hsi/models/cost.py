"""How large a network is and how much it computes.

What counts is the multiply-adds of convolutions, linear layers and matrix products (those of
attention among them), a multiplication and an addition as one. Norms, activations, pooling,
products value by value and the addition of a bias do not count, as papers do not count them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from hsi.layers.mode import evaluation_mode
from hsi.models.network import PatchNetwork


def count_parameters(model: torch.nn.Module) -> int:
    """Return the number of trainable values of `model`."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def macs_per_patch(model: PatchNetwork) -> int:
    """Return the multiply-adds for one patch that is evaluated on its own."""
    macs, _ = _macs(model, _patches(model, model.patch_size))
    return macs


def macs_per_pixel(model: PatchNetwork) -> int:
    """Return the multiply-adds for each pixel of the map of a large scene.

    The trunk is computed once for each position, and the head for the window of each pixel: in its
    direct form, which the products of spectra of `hsi.predict_scene` undercut. A network without a
    trunk computes a whole patch for each pixel.
    """
    if not model.has_trunk:
        return macs_per_patch(model)
    _, features = _macs(model.trunk, _patches(model, model.patch_size))
    of_the_window, _ = _macs(model.head, features)
    # Each layer makes (side - lost)^2 positions, so the sum is a polynomial of second degree in the
    # side, and its leading coefficient is what a position costs where borders do not matter.
    sides = range(model.receptive_field, model.receptive_field + 3)
    first, second, third = (_macs(model.trunk, _patches(model, side))[0] for side in sides)
    return (first - 2 * second + third) // 2 + of_the_window


def macs_of(module: nn.Module, x: Tensor) -> int:
    """Return the multiply-adds of any module for each of the inputs ``(N, ...)``."""
    macs, _ = _macs(module, x)
    return macs


def _patches(model: PatchNetwork, side: int) -> Tensor:
    # Two, since a single small input takes a detour on CPUs (see SpectralSpatialConv).
    device = next(model.parameters()).device
    return torch.zeros(2, model.bands, side, side, device=device)


def _macs(module: nn.Module, x: Tensor) -> tuple[int, Tensor]:
    """Return the multiply-adds of `module` for each of the inputs, and its output."""
    weight = next(module.parameters(), x)
    counter = _Counter()
    # Of the forms of attention, only the plain one shows its products on every device.
    with evaluation_mode(module), torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        out = module(x.to(weight.dtype))
    # PyTorch's formulas count a multiplication and an addition as two.
    return counter.flops // (2 * len(x)), out


class _Counter(TorchDispatchMode):
    """Adds up PyTorch's formulas, as its FlopCounterMode does, but does not ask for each module.

    Of shapes alone, batch norms are passed over: they leave the shape as it is, and PyTorch's own
    way to find that out takes longer than all the rest of a deep network.
    """

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is torch.ops.aten.native_batch_norm.default and args[0].device.type == "meta":
            nothing = args[0].new_empty(0)
            return torch.empty_like(args[0]), nothing, nothing
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func.overloadpacket)
        if formula:
            self.flops += formula(*args, **(kwargs or {}), out_val=out)
        return out


@contextmanager
def shapes_alone() -> Iterator[None]:
    """Build networks without memory and without random numbers, to count them."""
    with torch.device("meta"), _Unfilled():
        yield


class _Unfilled(TorchFunctionMode):
    """Leaves out what would fill weights."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return args[0] if func in _FILLING else func(*args, **(kwargs or {}))


_FILLING = {Tensor.normal_, Tensor.uniform_, Tensor.fill_, Tensor.zero_}
