"""The whole network on every patch of a tile, with the manners of `DenseNetwork`."""

from __future__ import annotations

import torch
from torch import Tensor

from hsi.errors import UsageError
from hsi.inference.dense import in_type, largest_result, values_per_position
from hsi.inference.tiles import all_corners, in_batches
from hsi.models import PatchNetwork

PATCH_BATCH = 128
# Rows and columns of the tiles from which patches are cut.
PATCH_TILE = 256


class PatchwiseNetwork:
    """A network that is evaluated patch by patch.

    Parameters
    ----------
    model : PatchNetwork
        In evaluation mode, on its device. Not changed.
    max_bytes : int
        The most that a tile may take while it is computed.
    dtype : torch.dtype
        What to compute in.

    Attributes
    ----------
    side : int
        Side of the largest tile from which patches are cut.

    Raises
    ------
    UsageError
        If not even one patch fits.
    """

    def __init__(self, model: PatchNetwork, *, max_bytes: int, dtype: torch.dtype) -> None:
        values, _, _ = values_per_position(model)
        self.model = in_type(model, dtype)
        model = self.model
        item = dtype.itemsize
        patches = torch.zeros(2, model.bands, model.patch_size, model.patch_size, dtype=dtype)
        largest = largest_result(model, patches.to(model.anchor.device))
        of_a_patch = max(values * model.patch_size**2, 2 * largest) * item
        # The libraries keep the weights once more, in an order of their own.
        weights = sum(weight.nbytes for weight in model.parameters())
        self.batch = min(PATCH_BATCH, (max_bytes - weights) // (2 * of_a_patch))
        if self.batch < 1:
            raise UsageError(
                "max_memory (--max-memory) is too small, by at least "
                f"{2 * of_a_patch + weights - max_bytes:,} bytes: a patch of this network takes "
                f"{2 * of_a_patch:,} and its weights {weights:,}, and {max(max_bytes, 0):,} are "
                "left for them beside the result and what reading takes"
            )
        # A tile with its margin may take a quarter as much as a batch.
        self.side = PATCH_TILE
        room = self.batch * of_a_patch // (4 * model.bands * item)
        while self.side > 1 and (self.side + model.patch_size) ** 2 > room:
            self.side //= 2

    def scores(self, region: Tensor, corners: Tensor | None = None) -> Tensor:
        """Return the logits ``(N, classes)`` of the pixels at `corners`, or of all of a tile."""
        if corners is None:
            corners = all_corners(region, self.model.patch_size)
        return in_batches(self.model, region, corners, self.model.patch_size, self.batch)
