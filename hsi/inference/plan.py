"""Which way to a head's first layer costs least: from its sizes, the tile and the device.

A linear layer on flattened windows of side k is a correlation with k x k kernels. There are three
ways to it: cut the windows out and multiply (`windows`, the only one for other heads), convolve
(`direct`), or multiply spectra of overlapping squares (`fourier`), see `hsi.inference.heads`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from torch import nn

from hsi.models import PatchNetwork

Way = Literal["fourier", "direct", "windows"]

# Larger squares multiply less for each pixel, but have more frequencies with weights of their own.
LARGEST_SIDE = 96


@dataclass(frozen=True)
class Costs:
    """Nanoseconds for a multiply-add, of which only the ratios matter."""

    convolution: float
    """Of a convolution with large kernels."""
    product: float
    """Of a matrix product, also of one with the matrix of a Fourier transform."""
    small_product: float
    """Of one of many small matrix products, each with weights of its own."""
    spectrum: float
    """For a value of the spectra of the weights that is made, and then used (no multiply-add)."""
    copy: float
    """For a value that is copied into a window (no multiply-add)."""
    square: float
    """For the calls that each square takes (no multiply-add)."""


# CPU: two cores with AVX-512, see benchmarks/heads.py. CUDA: ratios that libraries' documentation
# lets expect; not measured.
COSTS = {
    "cpu": Costs(
        convolution=0.012, product=0.018, small_product=0.028, spectrum=0.4, copy=0.6, square=6e4
    ),
    "cuda": Costs(
        convolution=6e-5, product=6e-5, small_product=1e-4, spectrum=3e-3, copy=4e-3, square=3e4
    ),
}


@dataclass(frozen=True)
class HeadPlan:
    """How to compute the first layer; `side` is that of the squares to transform, or 0."""

    way: Way
    side: int = 0


def first_linear(model: PatchNetwork) -> nn.Linear | None:
    """Return the linear layer on flattened windows with which the head begins, or None.

    Only a plain one: what a subclass or a hook makes of it cannot be known.
    """
    head = model.head
    if type(head) is not nn.Sequential or len(head) < 2:
        return None
    flatten, linear = head[0], head[1]
    if (
        type(flatten) is nn.Flatten
        and (flatten.start_dim, flatten.end_dim) == (1, -1)
        and type(linear) is nn.Linear
        and linear.in_features % model.window_size**2 == 0
        and not any(
            module._forward_hooks or module._forward_pre_hooks for module in (head, flatten, linear)
        )
    ):
        return linear
    return None


def plan_head(model: PatchNetwork, rows: int, cols: int, device: str) -> HeadPlan:
    """Return the cheapest way for a tile of so many pixels; a head may leave no choice."""
    linear = first_linear(model)
    if linear is None:
        return HeadPlan("windows")
    return plan_layer(linear, model.window_size, rows, cols, device)


def plan_layer(linear: nn.Linear, size: int, rows: int, cols: int, device: str) -> HeadPlan:
    """Return the cheapest way to a layer on windows of side `size`, by the estimates of `COSTS`."""
    # Squares that fit the tile in a whole number, one way or the other.
    steps = {math.ceil(length / n) for length in (rows, cols) for n in range(1, length + 1)}
    sides = sorted(step + size - 1 for step in steps if step + size - 1 <= LARGEST_SIDE)
    plans = [HeadPlan("windows"), HeadPlan("direct"), *(HeadPlan("fourier", n) for n in sides)]
    return min(
        plans,
        key=lambda plan: estimate(
            plan,
            channels=linear.in_features // size**2,
            outputs=linear.out_features,
            size=size,
            rows=rows,
            cols=cols,
            device=device,
        ),
    )


def estimate(
    plan: HeadPlan,
    *,
    channels: int,
    outputs: int,
    size: int,
    rows: int,
    cols: int,
    device: str,
) -> float:
    """Return the estimated cost in nanoseconds of a plan for one tile; infinite if it is none."""
    costs = COSTS.get(device, COSTS["cpu"])
    weights = channels * size**2 * outputs
    if plan.way == "direct":
        return rows * cols * weights * costs.convolution
    if plan.way == "windows":
        copies = channels * size**2 * costs.copy
        return rows * cols * (weights * costs.product + copies)
    side, half, step = plan.side, plan.side // 2 + 1, plan.side - size + 1
    if step < 1:
        return math.inf
    down, across = math.ceil(rows / step), math.ceil(cols / step)
    squares = down * across
    of_weights = channels * outputs * half * size * (2 * size + 6 * side)
    of_features = channels * half * side * (2 * across * (down * step + size) + 6 * squares * side)
    back = outputs * squares * half * step * (6 * side + 2 * step)
    products = 3 * side * half * squares * channels * outputs
    transforms = of_weights + of_features + back
    spectrum = 3 * side * half * channels * outputs
    return (
        transforms * costs.product
        + products * costs.small_product
        + spectrum * costs.spectrum
        + squares * costs.square
    )
