"""A network made ready to be computed on whole scenes: one trunk pass, then every window."""

from __future__ import annotations

import copy
import math
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from hsi.errors import UsageError
from hsi.inference.heads import DirectLinear, FourierLinear
from hsi.inference.plan import HeadPlan, first_linear, plan_head
from hsi.inference.tiles import all_corners, in_batches
from hsi.models import PatchNetwork
from hsi.scenes.tiles import tiles_of

# Side of the largest tile in pixels. The margin of a patch around each tile is computed twice, so
# a tile is several patches wide; larger ones gain little and leave the caches.
TILE = 320
# Values of the windows that the head takes at a time: 64 MB of float32.
WINDOW_VALUES = 16 * 2**20
# Feature maps of a strip together, as `values_per_position` counts them; and the fewest rows of
# one, since those at its edges are computed twice.
STRIP_BYTES, MIN_STRIP = 48 * 2**20, 16
# Shares of the memory that is left beside result and weights.
FOR_TRUNK, FOR_SPECTRA = 0.5, 0.35


_Module = TypeVar("_Module", bound=nn.Module)


class DenseNetwork:
    """The trunk with its batch norms folded into the convolutions, and the head in the best way.

    Parameters
    ----------
    model : PatchNetwork
        With a trunk, in evaluation mode, on its device. Not changed.
    rows, cols : int
        Size of the scene.
    max_bytes : int
        The most that a tile may take while it is computed.
    dtype : torch.dtype, optional
        What to compute in, but for the layers after the head's first. Default: the network's own.

    Attributes
    ----------
    side : int
        Side of the largest tile whose computation fits into `max_bytes`.

    Raises
    ------
    UsageError
        If not even the smallest tile fits.
    """

    def __init__(
        self,
        model: PatchNetwork,
        rows: int,
        cols: int,
        *,
        max_bytes: int,
        dtype: torch.dtype | None = None,
    ) -> None:
        weight = model.anchor
        dtype = dtype or weight.dtype
        self.dtype = weight.dtype
        self.model = model
        self.margin = model.patch_size - 1
        self.trunk = folded(model.trunk).to(dtype)
        values, channels, outputs = values_per_position(model)
        self._position_bytes = values * dtype.itemsize
        # What the layer and the rest of the head give for each pixel.
        self._pixel_bytes = (2 * outputs + model.classes) * weight.element_size()
        linear = first_linear(model)
        self.side = self._largest_side(FOR_TRUNK * max_bytes)
        plan = self._plan(rows, cols, weight.device.type)
        if plan.way == "direct" and linear is not None:
            # Its weights are kept once more, in the order that convolutions want.
            max_bytes -= linear.weight.nbytes
            self.side = self._largest_side(FOR_TRUNK * max_bytes)
        self.layer: FourierLinear | DirectLinear | None = None
        self.head, self._head_values = model.head, 0
        if plan.way == "windows":
            self.head = in_type(model.head, dtype)
            windows = weight.new_zeros(2, channels, model.window_size, model.window_size)
            self._head_values = largest_result(self.head, windows.to(dtype))
        if plan.way != "windows" and linear is not None:
            assert isinstance(model.head, nn.Sequential)
            self.rest = model.head[2:]
            linear = in_type(linear, dtype)
            self.layer = (
                DirectLinear(linear, model.window_size)
                if plan.way == "direct"
                else FourierLinear(
                    linear,
                    model.window_size,
                    side=plan.side,
                    max_bytes=int(FOR_SPECTRA * max_bytes),
                    again=max(rows, cols) > self.side,
                )
            )

    def scores(self, region: Tensor, corners: Tensor | None = None) -> Tensor:
        """Return the logits of pixels of a tile.

        Parameters
        ----------
        region : Tensor
            ``(bands, rows + p - 1, cols + p - 1)``: the tile and the margin around it.
        corners : Tensor, optional
            ``(N, 2)`` rows and columns in the tile; without, all pixels.

        Returns
        -------
        Tensor
            ``(N, classes)``, or ``(rows * cols, classes)``.
        """
        features = self._features(region)
        if self.layer is not None:
            # For all pixels even where some are asked for: so each has the same bits always.
            scores: Tensor = self.rest(self.layer(features).flatten(0, 1).to(self.dtype))
            if corners is None:
                return scores
            return scores[corners[:, 0] * (region.shape[2] - self.margin) + corners[:, 1]]
        if corners is None:
            corners = all_corners(region, self.model.patch_size)
        size = self.model.window_size
        # What the head makes of a window may be larger than the window.
        values = max(features.shape[0] * size**2, self._head_values)
        rows, cols = (length - self.margin for length in region.shape[1:])
        batch = max(1, min(WINDOW_VALUES // values, rows * cols))
        return in_batches(self.head, features, corners, size, batch)

    def _features(self, region: Tensor) -> Tensor:
        """Return the trunk of a region, ``(C, h, w)`` with channels last in memory.

        On a CPU in strips of rows: feature maps of megabytes stay in caches, and memory that was
        just freed is used again, where the kernel would have to clear new pages for large ones.
        """
        lost = self.model.receptive_field - 1
        height, width = (length - lost for length in region.shape[1:])
        if region.device.type != "cpu":
            return self.trunk(region[None])[0]
        strip = max(MIN_STRIP, lost, STRIP_BYTES // (self._position_bytes * region.shape[2]))
        features: Tensor | None = None
        for row in range(0, height, strip):
            part = self.trunk(region[None, :, row : row + strip + lost])[0].permute(1, 2, 0)
            if features is None:
                features = part.new_empty(height, width, part.shape[2])
            features[row : row + strip] = part
        assert features is not None
        return features.permute(2, 0, 1)

    def _plan(self, rows: int, cols: int, device: str) -> HeadPlan:
        tile = next(tiles_of(rows, cols, self.side))
        return plan_head(self.model, tile.rows, tile.cols, device)

    def _largest_side(self, max_bytes: float) -> int:
        """Return the side of the largest tile whose computation fits into `max_bytes`."""
        for side in range(TILE, 0, -8):
            needed = (side + self.margin) ** 2 * self._position_bytes + side**2 * self._pixel_bytes
            if needed <= max_bytes:
                return side
        lacking = math.ceil((needed - max_bytes) / FOR_TRUNK)
        raise UsageError(
            f"max_memory (--max-memory) is too small, by at least {lacking:,} bytes: a tile of 8x8 "
            f"pixels of this network takes {needed:,}, and {max(int(max_bytes), 0):,} are left for "
            "it beside result, weights and what reading takes"
        )


def in_type(module: _Module, dtype: torch.dtype) -> _Module:
    """Return a copy of `module` whose weights are of type `dtype`, or itself if they are."""
    if all(w.dtype == dtype for w in module.parameters() if w.is_floating_point()):
        return module
    return copy.deepcopy(module).to(dtype)


def folded(trunk: nn.Module) -> nn.Module:
    """Return a copy of `trunk` in which batch norms are part of the convolutions before them."""
    trunk = copy.deepcopy(trunk).eval()
    for module in trunk.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for number in range(len(module) - 1):
            conv, norm = module[number], module[number + 1]
            flat = isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
            deep = isinstance(conv, nn.Conv3d) and isinstance(norm, nn.BatchNorm3d)
            if flat or deep:
                module[number] = fuse_conv_bn_eval(conv, norm)  # type: ignore[type-var,arg-type]
                module[number + 1] = nn.Identity()
    return trunk


@torch.no_grad()
def values_per_position(model: PatchNetwork) -> tuple[int, int, int]:
    """Return how many values a trunk holds at once for each position, and how many it gives.

    The third number is how many the head's first linear layer gives, if it begins with one.

    Counted on the smallest input: the output of a layer and that of the next, and one of them
    once more, as the libraries rearrange it.
    """
    counts: list[float] = []
    hooks = [
        layer.register_forward_hook(
            lambda _layer, _args, out: counts.append(out.numel() / (out.shape[-1] * out.shape[-2]))
        )
        for layer in model.trunk.modules()
        if not any(True for _ in layer.children())
    ]
    weight = model.anchor
    side = model.receptive_field + 2
    try:
        features = model.trunk(weight.new_zeros(1, model.bands, side, side))
    finally:
        for hook in hooks:
            hook.remove()
    outputs = [model.bands, *counts]
    held = max(a + b + max(a, b) for a, b in zip(outputs, [*outputs[1:], 0], strict=True))
    linear = first_linear(model)
    given = linear.out_features if linear is not None else 0
    return math.ceil(held), features.shape[1], given


def largest_result(network: nn.Module, inputs: Tensor) -> int:
    """Return the values for each of `inputs` of the largest array that `network` makes of them."""
    sizes = _Sizes()
    with sizes:
        network(inputs)
    return sizes.largest // len(inputs)


class _Sizes(TorchDispatchMode):
    """Notes the largest result of all operations, inside of layers, too."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for each in tree_leaves(result):
            if isinstance(each, Tensor):
                self.largest = max(self.largest, each.numel())
        return result
