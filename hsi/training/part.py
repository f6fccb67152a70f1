"""The part of a batch that one of several processes learns from."""

from __future__ import annotations

import dataclasses

import torch

from hsi.errors import UsageError
from hsi.training.batches import Batch, Part


def part_of(batch: Batch, *, rank: int, size: int, cut: bool) -> Batch:
    """Return one of `size` nearly equal parts of a batch that all processes have drawn alike.

    Pixels of a region that are near each other stay together, and the part's region is the
    rectangle around its pixels: the trunk is then computed once over all processes, but for
    margins.

    Parameters
    ----------
    batch : Batch
        The whole.
    rank : int
        Which part, from 0.
    size : int
        How many there are.
    cut : bool
        Whether regions are cut so. If not, every part has all of them, whole.

    Raises
    ------
    UsageError
        If there are fewer pixels than parts.
    """
    pixels = len(batch.truth)
    if pixels < size:
        raise UsageError(
            f"{size} processes cannot share a step of {pixels} training pixels\n"
            "Start fewer (--nproc-per-node), or make the batch larger (--batch-size)."
        )
    order = torch.arange(pixels, device=batch.truth.device)
    if batch.regions is not None and cut:
        longer = 0 if batch.size[0] >= batch.size[1] else 1
        along = (batch.rows, batch.cols)[longer]
        order = (batch.regions * batch.size[longer] + along).argsort(stable=True)
    places = order.tensor_split(size)[rank]
    own = dataclasses.replace(
        batch,
        rows=batch.rows[places],
        cols=batch.cols[places],
        truth=batch.truth[places],
        regions=None if batch.regions is None else batch.regions[places],
        part=Part(
            places=places, pixels=pixels, weight=batch.class_weights[batch.truth].double().sum()
        ),
    )
    return _without_the_rest(own) if cut else own


def _without_the_rest(batch: Batch) -> Batch:
    """Return a batch without regions that no pixel lies in; a single one is as small as can be."""
    if batch.corners is None or batch.regions is None:
        return batch
    used, regions = batch.regions.unique(return_inverse=True)
    corners = batch.corners[used]
    if len(batch.corners) > 1:
        return dataclasses.replace(batch, corners=corners, regions=regions)
    first = torch.stack([batch.rows.min(), batch.cols.min()])
    rows, cols = batch.rows - first[0], batch.cols - first[1]
    return dataclasses.replace(
        batch,
        rows=rows,
        cols=cols,
        corners=corners + first,
        size=(int(rows.max()) + 1, int(cols.max()) + 1),
        regions=regions,
    )
