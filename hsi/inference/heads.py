"""The head's first layer on every window of a feature map, in the way that costs least.

A linear layer on flattened windows of side k is a correlation with k x k kernels. There are three
ways to it: cut the windows out and multiply (`windows`, the only one for other heads), convolve
(`direct`), or multiply spectra of overlapping squares (`fourier`): the overlap-save method, see
A. V. Oppenheim, R. W. Schafer, "Discrete-Time Signal Processing", section 8.7.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
    copy: float
    """For a value that is copied into a window (no multiply-add)."""


# CPU: two cores with AVX-512, see benchmarks/heads.py. CUDA: ratios that libraries' documentation
# lets expect; not measured.
COSTS = {
    "cpu": Costs(convolution=0.012, product=0.018, small_product=0.032, copy=0.6),
    "cuda": Costs(convolution=0.00006, product=0.00006, small_product=0.0001, copy=0.004),
}


@dataclass(frozen=True)
class HeadPlan:
    """How to compute the first layer; `side` is that of the squares to transform, or 0."""

    way: Way
    side: int = 0


def first_linear(head: nn.Module) -> nn.Linear | None:
    """Return the linear layer on flattened windows with which `head` begins, or None."""
    if (
        isinstance(head, nn.Sequential)
        and len(head) >= 2
        and isinstance(head[0], nn.Flatten)
        and isinstance(head[1], nn.Linear)
    ):
        return head[1]
    return None


def plan_head(model: PatchNetwork, rows: int, cols: int, device: str, *, tiles: int) -> HeadPlan:
    """Return the cheapest way for so many tiles of so many pixels, by the estimates of `COSTS`."""
    linear = first_linear(model.head)
    if linear is None:
        return HeadPlan("windows")
    size = model.window_size
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
            tiles=tiles,
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
    tiles: int,
    device: str,
) -> float:
    """Return the estimated cost in nanoseconds of a plan for all tiles."""
    costs = COSTS.get(device, COSTS["cpu"])
    weights = channels * size**2 * outputs
    if plan.way == "direct":
        return tiles * rows * cols * weights * costs.convolution
    if plan.way == "windows":
        copies = channels * size**2 * costs.copy
        return tiles * rows * cols * (weights * costs.product + copies)
    side, half, step = plan.side, plan.side // 2 + 1, plan.side - size + 1
    down, across = math.ceil(rows / step), math.ceil(cols / step)
    squares = down * across
    of_weights = channels * outputs * half * size * (2 * size + 6 * side)
    of_features = channels * half * side * (2 * across * (down * step + size) + 6 * squares * side)
    back = outputs * squares * half * step * (6 * side + 2 * step)
    products = 3 * side * half * squares * channels * outputs
    transforms = of_weights + tiles * (of_features + back)
    return transforms * costs.product + tiles * products * costs.small_product


class DirectLinear:
    """The layer as a convolution, ``(C, h, w) -> (h - k + 1, w - k + 1, outputs)``."""

    def __init__(self, linear: nn.Linear, size: int) -> None:
        kernels = linear.weight.detach().unflatten(1, (-1, size, size))
        self.kernels = kernels.contiguous(memory_format=torch.channels_last)
        self.bias = linear.bias

    def __call__(self, features: Tensor) -> Tensor:
        """Apply the layer to every window of `features`."""
        return F.conv2d(features[None], self.kernels, self.bias)[0].permute(1, 2, 0)


class FourierLinear:
    """The layer through spectra, ``(C, h, w) -> (h - k + 1, w - k + 1, outputs)``.

    The transforms are matrix products with the matrix of the discrete Fourier transform, one axis
    after the other. For squares of this size that is quicker than a fast transform: only the rows
    and columns that count are computed, any side will do, and nothing has to be rearranged before
    or after the products of spectra. Each complex product is three real ones (Gauss), and what they
    are to be added up to is part of the matrices.

    Parameters
    ----------
    linear : nn.Linear
        On flattened windows ``(C, k, k)``.
    size : int
        k.
    side : int
        Side of the squares that are transformed; each gives ``side - k + 1`` rows and columns.
    max_bytes : int
        The most that spectra take. Those of the weights are computed once if they fit into half
        of it; else in slices of channels, anew for each call.
    """

    def __init__(self, linear: nn.Linear, size: int, *, side: int, max_bytes: int) -> None:
        self.weight = linear.weight.detach().unflatten(1, (-1, size, size))  # (M, C, k, k)
        self.bias = linear.bias
        self.size, self.side, self.step = size, side, side - size + 1
        self.half = side // 2 + 1
        self.transform = _Transform(side, like=self.weight)
        outputs, channels = self.weight.shape[:2]
        frequencies = 3 * side * self.half
        item = self.weight.element_size()
        # The spectra, and what is between them and the weights.
        of_a_channel = (frequencies + 2 * self.half * size + size**2) * outputs * item
        length = max(1, min(channels, max_bytes // 2 // of_a_channel))
        self.slices = [slice(n, min(n + length, channels)) for n in range(0, channels, length)]
        self._spectrum = self._of_weights(self.slices[0]) if len(self.slices) == 1 else None
        of_a_square = frequencies * (length + 2 * outputs) * item
        self.squares = max(1, max_bytes // 2 // of_a_square)

    def __call__(self, features: Tensor) -> Tensor:
        """Apply the layer to every window of `features`."""
        rows, cols = (length - self.size + 1 for length in features.shape[1:])
        down, across = math.ceil(rows / self.step), math.ceil(cols / self.step)
        height, width = ((n - 1) * self.step + self.side for n in (down, across))
        flat = features.permute(1, 2, 0)  # (h, w, C)
        flat = F.pad(flat, (0, 0, 0, width - flat.shape[1], 0, height - flat.shape[0]))
        corners = [(self.step * i, self.step * j) for i in range(down) for j in range(across)]
        result = flat.new_empty(down * self.step, across * self.step, self.weight.shape[0])
        for start in range(0, len(corners), self.squares):
            some = corners[start : start + self.squares]
            product: Tensor | None = None
            for part in self.slices:
                spectrum = self._spectrum if self._spectrum is not None else self._of_weights(part)
                spectra = self._of_squares(flat[:, :, part], some)
                if product is None:
                    product = torch.bmm(spectra, spectrum)  # (frequencies, squares, M)
                else:
                    product.baddbmm_(spectra, spectrum)
            assert product is not None
            self._back(product, some, result)
        result = result[:rows, :cols]
        return result if self.bias is None else result.add_(self.bias)

    def _of_weights(self, part: slice) -> Tensor:
        """Return the spectra of some channels' kernels, ``(frequencies, channels, M)``."""
        kernels = self.weight[:, part].permute(2, 3, 1, 0)  # (k, k, channels, M)
        flat = kernels.reshape(self.size, self.size, -1)
        # Conjugate, since the layer correlates where a product of spectra convolves.
        along = torch.matmul(
            self.transform.columns[:, : self.size].mul(self.transform.conjugate), flat
        )
        along = along.unflatten(1, (2, self.half)).flatten(0, 1)  # (k 2, half, channels M)
        spectra = torch.bmm(
            self.transform.of_kernels[:, : 2 * self.size].expand(self.half, -1, -1),
            along.transpose(0, 1),
        )
        return spectra.view(self.half * 3 * self.side, *kernels.shape[2:])

    def _of_squares(self, flat: Tensor, corners: list[tuple[int, int]]) -> Tensor:
        """Return the spectra of squares of ``(h, w, C)``, ``(frequencies, squares, C)``."""
        channels = flat.shape[2]
        spectra = flat.new_empty(len(corners), self.half, 3 * self.side, channels)
        rows = self.transform.of_features.expand(self.half, -1, -1)
        # All squares of a column share the transform along their rows.
        for col in sorted({col for _, col in corners}):
            mine = [(n, row) for n, (row, other) in enumerate(corners) if other == col]
            top, bottom = min(row for _, row in mine), max(row for _, row in mine) + self.side
            along = torch.matmul(
                self.transform.columns, flat[top:bottom, col : col + self.side]
            ).unflatten(1, (2, self.half))  # (rows, 2, half, C)
            for n, row in mine:
                square = along[row - top : row - top + self.side].flatten(0, 1).transpose(0, 1)
                torch.bmm(rows, square, out=spectra[n])
        return spectra.flatten(1, 2).transpose(0, 1)

    def _back(self, product: Tensor, corners: list[tuple[int, int]], result: Tensor) -> None:
        """Transform ``(frequencies, squares, M)`` back into ``(h, w, M)``."""
        spectra = product.unflatten(0, (self.half, 3 * self.side))
        rows = self.transform.back_rows(self.step).expand(self.half, -1, -1)
        columns = self.transform.back_columns(self.step).expand(self.step, -1, -1)
        for n, (row, col) in enumerate(corners):
            along = torch.bmm(rows, spectra[:, :, n])  # (half, 2 step, M)
            along = along.view(2 * self.half, self.step, -1).transpose(0, 1)
            result[row : row + self.step, col : col + self.step] = torch.bmm(columns, along)


class _Transform:
    """Matrices of the discrete Fourier transform of squares, in real numbers.

    The spectrum of a real square is wanted for all frequencies down and half of those across. A
    transform goes across first: `columns`, ``(2 half, side)``, gives real and then imaginary parts.
    `of_features` and `of_kernels`, ``(3 side, 2 side)``, go down. Their columns take the real and
    the imaginary part of each row in turn. They give three real factors of each frequency; for
    features a + ib and kernels c + id these are (a + b, a, b) and (c, d - c, c + d), so that of
    the three products P, Q, R the real part is P - R and the imaginary part P + Q.
    """

    def __init__(self, side: int, *, like: Tensor) -> None:
        self.side, self.half, self.like = side, side // 2 + 1, like
        cos, sin = self._waves(side)
        self.columns = self._matrix(torch.cat([cos[: self.half], -sin[: self.half]]))
        # Changes the sign of the imaginary parts, (2 half, 1).
        self.conjugate = self._matrix(
            torch.cat([torch.ones(self.half, 1), -torch.ones(self.half, 1)])
        )
        real, imaginary = _pairs(cos, sin), _pairs(-sin, cos)
        self.of_features = self._matrix(torch.cat([real + imaginary, real, imaginary]))
        real, imaginary = _pairs(cos, -sin), _pairs(sin, cos)
        self.of_kernels = self._matrix(torch.cat([real, imaginary - real, real + imaginary]))

    def back_rows(self, step: int) -> Tensor:
        """Return ``(2 step, 3 side)``: from three products to real and imaginary parts of rows."""
        cos, sin = (wave[:step] for wave in self._waves(self.side))
        real = torch.cat([cos - sin, -sin, -cos], dim=1)
        imaginary = torch.cat([cos + sin, cos, -sin], dim=1)
        return self._matrix(torch.cat([real, imaginary]))

    def back_columns(self, step: int) -> Tensor:
        """Return ``(step, 2 half)``: from real and imaginary parts in turn to values."""
        cos, sin = (wave[:step, : self.half] for wave in self._waves(self.side))
        # Each frequency across stands for its mirror image, too, but for the first and the middle.
        times = torch.full((self.half,), 2.0, dtype=torch.float64)
        times[0] = 1.0
        if self.side % 2 == 0:
            times[-1] = 1.0
        return self._matrix(_pairs(cos * times, -sin * times) / self.side**2)

    @staticmethod
    def _waves(side: int) -> tuple[Tensor, Tensor]:
        n = torch.arange(side)
        # The remainder keeps the angles small and so exact.
        angles = 2 * math.pi / side * (n[:, None] * n % side).double()
        return angles.cos(), angles.sin()

    def _matrix(self, values: Tensor) -> Tensor:
        return values.to(self.like)


def _pairs(one: Tensor, other: Tensor) -> Tensor:
    """Interleave the columns of two matrices."""
    return torch.stack([one, other], dim=2).flatten(1)
