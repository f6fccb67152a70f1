"""A network made ready for scenes of one size, which are computed tile by tile."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Literal, get_args

import torch
from torch import Tensor

from hsi.errors import OutOfMemoryError, UsageError, unknown_name
from hsi.inference.dense import DenseNetwork
from hsi.inference.memory import give_back, is_out_of_memory
from hsi.inference.mode import evaluating
from hsi.inference.patchwise import PatchwiseNetwork
from hsi.inference.tiles import within
from hsi.models import PatchNetwork, check_once, positions_of_patch
from hsi.scenes.tiles import Tile, tiles_of

Method = Literal["auto", "dense", "patches"]
Precision = Literal["full", "bf16"]


class TiledNetwork:
    """A network on the tiles of a scene.

    The same network with the same arguments on the same device gives the same bits for the same
    values, tile by tile in whatever order.

    Parameters
    ----------
    model : PatchNetwork
        On its device. One that `build_model` did not make is checked before its first dense
        evaluation.
    rows, cols : int
        Size of the scene.
    max_bytes : int
        The most that a tile may take while it is computed.
    method : {"auto", "dense", "patches"}
        As for `predict_scene`.
    precision : {"full", "bf16"}
        As for `predict_scene`.
    count : int, optional
        How many pixels will be asked for, which decides what ``"auto"`` is. Default: all.

    Attributes
    ----------
    method : {"dense", "patches"}
        What ``"auto"`` came to.
    side : int
        Side of the largest tile.

    Raises
    ------
    UsageError
        If method or precision is unknown or impossible, or not even the smallest tile fits.
    """

    def __init__(
        self,
        model: PatchNetwork,
        rows: int,
        cols: int,
        *,
        max_bytes: int,
        method: Method = "auto",
        precision: Precision = "full",
        count: int | None = None,
    ) -> None:
        check_ways(method=method, precision=precision)
        if method == "dense" and not model.has_trunk:
            raise UsageError(
                "this network has no trunk that could be computed once for a scene; "
                "use method='patches' or method='auto'"
            )
        self.model, self.rows, self.cols = model, rows, cols
        count = rows * cols if count is None else count
        if method == "auto":
            method = "dense" if _dense_is_cheaper(model, rows, cols, count) else "patches"
        self.method = method
        if method == "dense":
            check_once(model)
        weight = model.anchor
        self.device, self.result_dtype = weight.device, weight.dtype
        self.dtype = torch.bfloat16 if precision == "bf16" else weight.dtype
        self.max_bytes = max_bytes
        self.network = self._planned(max_bytes)
        self.side = self.network.side

    def _planned(self, max_bytes: int) -> DenseNetwork | PatchwiseNetwork:
        with evaluating(self.model):
            if self.method == "dense":
                return DenseNetwork(
                    self.model, self.rows, self.cols, max_bytes=max_bytes, dtype=self.dtype
                )
            return PatchwiseNetwork(self.model, max_bytes=max_bytes, dtype=self.dtype)

    def tiles(self, *, first_row: int = 0) -> Iterator[Tile]:
        """Yield the tiles that begin in `first_row` or below, row by row of tiles."""
        for tile in tiles_of(self.rows, self.cols, self.side):
            if tile.row >= first_row:
                yield tile

    def scores(self, region: Tensor, tile: Tile, corners: Tensor | None = None) -> Tensor:
        """Return logits of a tile, on the network's device.

        Parameters
        ----------
        region : Tensor
            ``(bands, rows + p - 1, cols + p - 1)``: the tile and the margin around it.
        tile : Tile
            Where it lies, for messages.
        corners : Tensor, optional
            ``(N, 2)`` rows and columns in the tile; without, all pixels.

        Returns
        -------
        Tensor
            ``(N, classes)``, or ``(rows * cols, classes)``.

        Raises
        ------
        UsageError
            If the region holds NaN or infinity.
        OutOfMemoryError
            If not even the smallest tile fits into what memory there is.
        """
        while True:
            try:
                return self._of_parts(region, tile, corners)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                # Else the feature maps of what failed stay for as long as the error.
                traceback.clear_frames(error.__traceback__)
                self._take_less(error)

    def _take_less(self, error: Exception) -> None:
        """Compute in half as much memory from now on: others may use what was free before."""
        before = _extent(self.network)
        # It holds copies of the weights, which must not be there twice.
        del self.network
        give_back(self.device)
        while True:
            self.max_bytes //= 2
            try:
                self.network = self._planned(self.max_bytes)
            except UsageError:
                raise OutOfMemoryError(
                    f"{self.device} has not enough memory for even a small tile of this network: "
                    f"{' '.join(str(error).split())[:200]}\n"
                    "End what else uses it, or compute elsewhere: --device cpu."
                ) from error
            except (MemoryError, RuntimeError) as again:
                if not is_out_of_memory(again):
                    raise
                continue
            # What was planned may lie below the budget, so that half of it changes nothing.
            if _extent(self.network) != before:
                return

    def _of_parts(self, region: Tensor, tile: Tile, corners: Tensor | None) -> Tensor:
        """Return the logits of a tile that may be larger than what is computed at once."""
        parts = list(tiles_of(*tile.size, self.network.side))
        if len(parts) == 1:
            return self._of_one(region, tile, corners)
        margin = self.model.patch_size - 1
        count = tile.rows * tile.cols if corners is None else len(corners)
        result = torch.empty(count, self.model.classes, dtype=self.result_dtype, device=self.device)
        for part in parts:
            rows, cols = part.slices
            inside = region[:, rows.start : rows.stop + margin, cols.start : cols.stop + margin]
            place = Tile(tile.row + part.row, tile.col + part.col, *part.size)
            if corners is None:
                of_part = self._of_one(inside, place, None).unflatten(0, part.size)
                result.unflatten(0, tile.size)[part.slices] = of_part
            elif len(chosen := within(part, corners)):
                there = corners[chosen] - corners.new_tensor([part.row, part.col])
                result[chosen] = self._of_one(inside, place, there)
        return result

    def _of_one(self, region: Tensor, tile: Tile, corners: Tensor | None) -> Tensor:
        with evaluating(self.model):
            region = region.to(self.device, self.dtype)
            if not region.isfinite().all():
                raise UsageError(
                    f"the cube holds NaN or infinity (in rows {tile.row} to "
                    f"{tile.row + tile.rows - 1}, columns {tile.col} to "
                    f"{tile.col + tile.cols - 1}, or next to them)\nSet the components of pixels "
                    "without data to 0, which is the mean: BandPCA.transform(cube, valid=...)."
                )
            # Patches in bfloat16 give scores of that type, which NumPy does not have.
            return self.network.scores(region, corners).to(self.result_dtype)


def check_ways(*, method: str, precision: str) -> None:
    """Raise UsageError unless method and precision are known."""
    if precision not in get_args(Precision):
        raise unknown_name("precision", precision, get_args(Precision))
    if method not in get_args(Method):
        raise unknown_name("method", method, get_args(Method))


def _extent(network: DenseNetwork | PatchwiseNetwork) -> tuple[int, int | None]:
    """Return what decides how much is computed at once."""
    return network.side, network.batch if isinstance(network, PatchwiseNetwork) else None


def _dense_is_cheaper(model: PatchNetwork, rows: int, cols: int, count: int) -> bool:
    """Compare the positions that the trunk computes: once each, or once in every window."""
    if not model.has_trunk:
        return False
    margin = model.window_size - 1
    at_once = (rows + margin) * (cols + margin)
    of_a_patch = model.window_size**2
    if of_a_patch == 1 < model.patch_size and at_once > count:
        # Of a patch that ends in one position, the first layers compute many.
        return at_once < count * positions_of_patch(model)
    return at_once <= count * of_a_patch
