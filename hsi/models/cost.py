"""How large a network is and how much it computes.

What counts is the multiply-adds of convolutions, linear layers and matrix products (those of
attention among them), a multiplication and an addition as one. Norms, activations, pooling,
products value by value and the addition of a bias do not count, as papers do not count them.
"""

from __future__ import annotations

import copy
import math
import weakref
from collections.abc import Callable
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from hsi.layers.mode import evaluation_mode
from hsi.layers.shapes import shapes_alone as shapes_alone
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
    return _of_position(model) + of_the_window


def _of_position(model: PatchNetwork) -> int:
    """Return the multiply-adds of the trunk for each position, where borders do not matter."""

    def of_square(side: int) -> int:
        return _macs(model.trunk, _patches(model, side))[0]

    if model.patch_size == 1:
        return of_square(1)
    # Each layer makes (side - lost)^2 positions, so the sum is a polynomial of second degree in the
    # side, and its leading coefficient is what a position costs. A trunk may have a way of its own
    # to what is as small as a patch.
    sides = range(model.receptive_field + 1, model.receptive_field + 4)
    first, second, third = map(of_square, sides)
    return (first - 2 * second + third) // 2


_known: weakref.WeakKeyDictionary[PatchNetwork, float] = weakref.WeakKeyDictionary()


def positions_of_patch(model: PatchNetwork) -> float:
    """Return how many positions of a large map cost the trunk as much as one patch.

    In multiply-adds, found once for each network. A trunk without any, such as one that pools, has
    the positions of a window.
    """
    if model not in _known:
        position = _of_position(model)
        patch, _ = _macs(model.trunk, _patches(model, model.patch_size))
        _known[model] = patch / position if position else model.window_size**2
    return _known[model]


def macs_of(module: nn.Module, x: Tensor) -> int:
    """Return the multiply-adds of any module for each of the inputs ``(N, ...)``."""
    macs, _ = _macs(module, x)
    return macs


def _patches(model: PatchNetwork, side: int) -> Tensor:
    return torch.empty(1, model.bands, side, side, device="meta")


def _macs(module: nn.Module, x: Tensor) -> tuple[int, Tensor]:
    """Return the multiply-adds of `module` for each of the inputs, and its output, a shape alone.

    Nothing is computed, and layers take the plain way, without what is quicker on some device.
    """
    tensors = chain(module.parameters(), module.buffers())
    shapes = {id(each): _shape_of(each) for each in tensors}
    twin = copy.deepcopy(module, shapes)
    return _counted(twin, x.to("meta", next(module.parameters(), x).dtype))


def _shape_of(tensor: Tensor) -> Tensor:
    shape = torch.empty_like(tensor, device="meta")
    return nn.Parameter(shape) if isinstance(tensor, nn.Parameter) else shape


def _counted(module: nn.Module, x: Tensor) -> tuple[int, Tensor]:
    """Return the multiply-adds of `module` for each of the inputs, and its output."""
    counter = _Counter()
    # Of the forms of attention, only the plain one shows its products on every device.
    with evaluation_mode(module), torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        out = module(x)
    return counter.macs // len(x), out


class _Counter(TorchDispatchMode):
    """Adds up multiply-adds, as PyTorch's FlopCounterMode does, but does not ask for each module.

    PyTorch finds the shapes of results on the meta device in Python, which takes longer than all
    the rest of a deep network: those of the operations that such networks consist of are found
    here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.macs = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        operation = func.overloadpacket
        out = None
        if operation in _SHAPES:
            first = args[0] if isinstance(args[0], Tensor) else args[0][0]
            out = _SHAPES[operation](*args) if first.device.type == "meta" else None
        if out is None:
            out = func(*args, **(kwargs or {}))
        if operation is aten.convolution and not args[6]:
            # Each value is a sum over the kernel and the channels of a group.
            self.macs += out.numel() * args[1][0].numel()
        elif formula := flop_registry.get(operation):
            # PyTorch's formulas count a multiplication and an addition as two.
            self.macs += formula(*args, **(kwargs or {}), out_val=out) // 2
        return out


def _of_convolution(x: Tensor, weight: Tensor, *options: Any) -> Tensor | None:
    _, stride, padding, dilation, transposed, *_ = options
    if transposed:
        return None
    sides = [
        (side + 2 * edge - gap * (size - 1) - 1) // step + 1
        for side, size, edge, step, gap in zip(
            x.shape[2:], weight.shape[2:], padding, stride, dilation, strict=True
        )
    ]
    if min(sides) < 1:
        return None  # PyTorch says what is wrong
    return x.new_empty(len(x), len(weight), *sides)


def _of_batch_norm(x: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor]:
    nothing = x.new_empty(0)
    return x.new_empty(x.shape), nothing, nothing


def _of_the_first(x: Tensor, *_: Any) -> Tensor:
    return x.new_empty(x.shape)


def _the_first(x: Tensor, *_: Any) -> Tensor:
    return x


def _of_both(x: Tensor, other: Any, *_: Any) -> Tensor | None:
    # Weights of channels and the like, (N, C, 1, 1), have one position for many.
    fits = isinstance(other, Tensor) and x.ndim == other.ndim
    if not fits or any(b not in (a, 1) for a, b in zip(x.shape, other.shape, strict=True)):
        return None
    return x.new_empty(x.shape)


def _of_view(x: Tensor, shape: list[int]) -> Tensor:
    known = math.prod(side for side in shape if side >= 0)
    return x.new_empty([side if side >= 0 else x.numel() // known for side in shape])


def _of_mean(x: Tensor, axes: list[int] | None, keepdim: bool = False) -> Tensor | None:
    if not axes:
        return None
    gone = {axis % x.ndim for axis in axes}
    shape = [1 if axis in gone else side for axis, side in enumerate(x.shape)]
    if not keepdim:
        shape = [side for axis, side in enumerate(shape) if axis not in gone]
    return x.new_empty(shape)


def _of_joined(parts: list[Tensor], axis: int = 0) -> Tensor:
    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    return parts[0].new_empty(shape)


aten = torch.ops.aten
_SHAPES: dict[Any, Callable[..., Any]] = {
    aten.convolution: _of_convolution,
    aten.native_batch_norm: _of_batch_norm,
    aten.relu: _of_the_first,
    aten.sigmoid: _of_the_first,
    aten.silu: _of_the_first,
    aten.hardtanh: _of_the_first,
    aten.relu_: _the_first,
    aten.silu_: _the_first,
    aten.hardtanh_: _the_first,
    aten.view: _of_view,
    aten.mean: _of_mean,
    aten.cat: _of_joined,
    aten.add: _of_both,
    aten.mul: _of_both,
    aten.add_: _the_first,
}
