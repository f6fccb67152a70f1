"""A network made ready for scenes of one size, which are computed tile by tile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import torch
from torch import Tensor

from hsi.errors import UsageError, unknown_name
from hsi.inference.dense import DenseNetwork
from hsi.inference.mode import evaluating
from hsi.inference.patchwise import PatchwiseNetwork
from hsi.inference.tiles import Tile, tiles_of
from hsi.models import PatchNetwork, check_once, positions_of_patch

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
        with evaluating(model):
            self.network = (
                DenseNetwork(model, rows, cols, max_bytes=max_bytes, dtype=self.dtype)
                if method == "dense"
                else PatchwiseNetwork(model, max_bytes=max_bytes, dtype=self.dtype)
            )
        self.side = self.network.side

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
        """
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
