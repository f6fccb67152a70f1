"""The head's first layer on every window of a feature map: as a convolution, or through spectra.

Products of spectra of overlapping squares are the overlap-save method, see A. V. Oppenheim,
R. W. Schafer, "Discrete-Time Signal Processing", section 8.7.3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Spectra of weights that are made at a time: what stays in a cache, or keeps a GPU busy.
BLOCK_BYTES = {"cpu": 12 * 2**20, "cuda": 256 * 2**20}


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
        The most that spectra take. More squares than that allows are done in groups.
    again : bool
        Whether the layer will be used more than once. The spectra of the weights are then kept,
        if they take no more than half of `max_bytes`.
    """

    def __init__(
        self, linear: nn.Linear, size: int, *, side: int, max_bytes: int, again: bool = False
    ) -> None:
        self.weight = linear.weight.detach().unflatten(1, (-1, size * size))  # (M, C, k k)
        self.bias = linear.bias
        self.size, self.side, self.step = size, side, side - size + 1
        self.half = side // 2 + 1
        self.transform = _Transform(side, step=self.step, like=self.weight)
        outputs, channels = self.weight.shape[:2]
        item = self.weight.element_size()
        spectra = 3 * side * self.half * channels * outputs * item
        self.kept: dict[tuple[int, int], Tensor] | None = None
        if again and 2 * spectra <= max_bytes:
            self.kept = {}
            max_bytes -= spectra
        # Spectra of weights are made in blocks of channels and frequencies, which stay in a cache
        # until they are used. Where they are not kept, each group of squares makes them anew.
        block = BLOCK_BYTES.get(self.weight.device.type, BLOCK_BYTES["cpu"])
        of_a_channel = 3 * side * outputs * item
        across_of_a_channel = size * (2 * self.half + size) * outputs * item
        length = min(block // of_a_channel, max_bytes // 4 // across_of_a_channel)
        length = max(1, min(channels, length))
        self.channels = [slice(n, min(n + length, channels)) for n in range(0, channels, length)]
        width = max(1, min(self.half, block // (of_a_channel * length)))
        self.frequencies = [slice(n, min(n + width, self.half)) for n in range(0, self.half, width)]
        # Products of one block of channels are used up at once, those of several are added up.
        held = self.half if len(self.channels) > 1 else width
        of_a_square = self.half * (3 * side * channels + 2 * self.step * outputs) * item
        of_a_square += 3 * side * held * outputs * item
        of_weights = (across_of_a_channel + of_a_channel * width) * length
        self.squares = max(1, (max_bytes - of_weights) // of_a_square)

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
            self._back(self._products(self._spectra(flat, some)), some, result)
        result = result[:rows, :cols]
        return result if self.bias is None else result.add_(self.bias)

    def _spectra(self, flat: Tensor, corners: list[tuple[int, int]]) -> Tensor:
        """Return three factors of the spectra of squares, ``(squares, half, 3 side, C)``."""
        spectra = flat.new_empty(len(corners), self.half, 3 * self.side, flat.shape[2])
        down = self.transform.of_features.expand(self.half, -1, -1)
        # All squares of a column share the transform along their rows.
        for col in sorted({col for _, col in corners}):
            mine = [(n, row) for n, (row, other) in enumerate(corners) if other == col]
            top, bottom = min(row for _, row in mine), max(row for _, row in mine) + self.side
            along = torch.matmul(
                self.transform.across, flat[top:bottom, col : col + self.side]
            ).unflatten(1, (2, self.half))  # (rows, 2, half, C)
            for n, row in mine:
                square = along[row - top : row - top + self.side].flatten(0, 1).transpose(0, 1)
                torch.bmm(down, square, out=spectra[n])
        return spectra

    def _products(self, spectra: Tensor) -> Tensor:
        """Multiply by the weights' spectra and go back down: ``(2 half, step, squares, M)``."""
        squares, outputs = spectra.shape[0], self.weight.shape[0]
        rows = spectra.new_empty(self.half, 2 * self.step, squares * outputs)
        sums: dict[int, Tensor] = {}
        for part in self.channels:
            for some, weights in self._spectra_of_weights(part):
                factors = spectra[:, some, :, part].flatten(1, 2).transpose(0, 1)
                if part.start == 0:
                    product = torch.bmm(factors, weights)
                else:
                    product = sums.pop(some.start).baddbmm_(factors, weights)
                if part.stop < spectra.shape[3]:
                    sums[some.start] = product
                    continue
                torch.bmm(
                    self.transform.back_down.expand(len(product) // (3 * self.side), -1, -1),
                    product.view(-1, 3 * self.side, squares * outputs),
                    out=rows[some],
                )
        return rows.view(2 * self.half, self.step, squares, outputs)

    def _spectra_of_weights(self, part: slice) -> Iterator[tuple[slice, Tensor]]:
        """Yield frequencies, and the weights' factors there, ``(frequencies, channels, M)``."""
        along: Tensor | None = None
        for some in self.frequencies:
            weights = self.kept.get((part.start, some.start)) if self.kept is not None else None
            if weights is None:
                along = self._along_rows(part) if along is None else along
                weights = self._down(along[some])
                if self.kept is not None:
                    self.kept[part.start, some.start] = weights
            yield some, weights

    def _along_rows(self, part: slice) -> Tensor:
        """Transform the kernels of some channels across, ``(half, 2 k, M channels)``."""
        # A matrix is transposed several times quicker than the axes of an array.
        kernels = self.weight[:, part].flatten(0, 1).t().contiguous()
        kernels = kernels.view(self.size, self.size, -1)  # (k, k, M channels)
        across = self.transform.across_kernels[:, : self.size].expand(self.size, -1, -1)
        along = torch.bmm(across, kernels)  # (k, 2 half, M channels)
        return along.unflatten(1, (2, self.half)).flatten(0, 1).transpose(0, 1)

    def _down(self, along: Tensor) -> Tensor:
        """Transform down, ``(width, 2 k, M channels)`` to ``(frequencies, channels, M)``."""
        down = self.transform.of_kernels[:, : 2 * self.size].expand(len(along), -1, -1)
        factors = torch.bmm(down, along).view(len(along) * 3 * self.side, self.weight.shape[0], -1)
        return factors.transpose(1, 2)

    def _back(self, rows: Tensor, corners: list[tuple[int, int]], result: Tensor) -> None:
        """Go back across, and put each square where it belongs in ``(h, w, M)``."""
        across = self.transform.back_across.expand(self.step, -1, -1)
        for n, (row, col) in enumerate(corners):
            values = torch.bmm(across, rows[:, :, n].transpose(0, 1))
            result[row : row + self.step, col : col + self.step] = values


class _Transform:
    """Matrices of the discrete Fourier transform of squares, in real numbers.

    The spectrum of a real square is wanted for all frequencies down and half of those across. A
    transform goes across first: ``(2 half, side)`` gives real and then imaginary parts. Then it
    goes down, ``(3 side, 2 side)``: its columns take the real and the imaginary part of each row in
    turn, and it gives three real factors of each frequency. For features a + ib and kernels c + id
    these are (a + b, a, b) and (c, d - c, c + d): of the three products P, Q, R the real part is
    P - R and the imaginary part P + Q. The way back is down first and then across.
    """

    def __init__(self, side: int, *, step: int, like: Tensor) -> None:
        half = side // 2 + 1
        n = torch.arange(side)
        # The remainder keeps the angles small and so exact.
        angles = 2 * math.pi / side * (n[:, None] * n % side).double()
        cos, sin = angles.cos(), angles.sin()

        self.across = torch.cat([cos[:half], -sin[:half]]).to(like)
        real, imaginary = _in_turn(cos, sin), _in_turn(-sin, cos)
        self.of_features = torch.cat([real + imaginary, real, imaginary]).to(like)

        # Conjugate, since the layer correlates where a product of spectra convolves.
        self.across_kernels = torch.cat([cos[:half], sin[:half]]).to(like)
        real, imaginary = _in_turn(cos, -sin), _in_turn(sin, cos)
        self.of_kernels = torch.cat([real, imaginary - real, real + imaginary]).to(like)

        c, s = cos[:step], sin[:step]
        real, imaginary = torch.cat([c - s, -s, -c], dim=1), torch.cat([c + s, c, -s], dim=1)
        self.back_down = torch.cat([real, imaginary]).to(like)  # (2 step, 3 side)

        # Each frequency across stands for its mirror image, too, but for the first and the middle.
        times = torch.full((half,), 2.0, dtype=torch.float64)
        times[0] = 1.0
        if side % 2 == 0:
            times[-1] = 1.0
        c, s = c[:, :half] * times, s[:, :half] * times
        self.back_across = (_in_turn(c, -s) / side**2).to(like)  # (step, 2 half)


def _in_turn(one: Tensor, other: Tensor) -> Tensor:
    """Interleave the columns of two matrices."""
    return torch.stack([one, other], dim=2).flatten(1)
