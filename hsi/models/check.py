"""The rule that lets a trunk be computed once for a scene, checked on small random input."""

from __future__ import annotations

import copy
import weakref

import torch
from torch import Tensor, nn

from hsi.errors import UsageError
from hsi.layers import gather_windows, sampled_patches
from hsi.models.network import PatchNetwork

TOLERANCE = 1e-9
_checked: weakref.WeakSet[PatchNetwork] = weakref.WeakSet()


def check_once(model: PatchNetwork) -> None:
    """Apply `check_trunk` to a network that has not passed it yet."""
    if model not in _checked:
        check_trunk(model)
        _checked.add(model)


def mark_as_checked(model: PatchNetwork) -> None:
    """Take note of a network whose builder has passed the check when it was registered."""
    _checked.add(model)


def check_trunk(model: PatchNetwork) -> None:
    """Refuse a network whose trunk gives another result on a scene than on a patch.

    Computes both in float64, in evaluation mode and in training mode, on a copy with random
    weights. Networks without a trunk pass.

    Parameters
    ----------
    model : PatchNetwork
        Not changed.

    Raises
    ------
    UsageError
        If sizes or values differ; says what the trunk may hold.

    Examples
    --------
    A padded convolution sees zeros at the border of a patch, where in a scene there are pixels:

    >>> padded = nn.Conv2d(3, 4, 3, padding=1)
    >>> head = nn.Sequential(nn.Flatten(), nn.Linear(4 * 9 * 9, 2))
    >>> check_trunk(PatchNetwork(trunk=padded, head=head, bands=3, classes=2, patch_size=9,
    ...                          receptive_field=1))
    Traceback (most recent call last):
    ...
    hsi.errors.UsageError: the trunk of this network gives other values on a scene than on a patch
    In a trunk, convolutions are unpadded and have stride 1, all else acts on each position alone, \
and batch norms are TrunkBatchNorm2d.
    Give it nn.Identity() as trunk and receptive_field=1, and it is evaluated patch by patch.
    """
    if not model.has_trunk:
        return
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        twin = _with_random_state(model)
        p = model.patch_size
        scene = torch.randn(model.bands, p + 3, p + 4, dtype=torch.float64)
        rows, cols = torch.cartesian_prod(torch.arange(4), torch.arange(5)).unbind(1)
        # Some pixels twice and some not at all: a batch norm must count them.
        chosen = torch.tensor([0, 0, 3, 7, 7, 7, 12, 19])
        rows, cols = rows[chosen], cols[chosen]
        patches = gather_windows(scene, rows, cols, p)
        sampled = torch.zeros(1, 4, 5, dtype=torch.int64)
        sampled.index_put_((torch.zeros_like(rows), rows, cols), torch.ones_like(rows), True)
        for training in (False, True):
            twin.train(training)
            # Dropout draws for each position, and is no fault.
            for module in twin.trunk.modules():
                if isinstance(module, nn.modules.dropout._DropoutNd):
                    module.eval()
            _compare(twin, scene, rows, cols, patches, sampled)


@torch.no_grad()
def _compare(
    model: PatchNetwork, scene: Tensor, rows: Tensor, cols: Tensor, patches: Tensor, sampled: Tensor
) -> None:
    p, k = model.patch_size, model.window_size
    try:
        expected = copy.deepcopy(model).trunk(patches)
    except (RuntimeError, ValueError) as error:
        raise UsageError(
            f"the trunk of this network cannot take patches {tuple(patches.shape)}: "
            f"{str(error).splitlines()[0]}"
        ) from error
    if tuple(expected.shape[2:]) != (k, k):
        raise UsageError(
            f"the trunk of this network makes {'x'.join(map(str, expected.shape[2:]))} of a "
            f"{p}x{p} patch; with receptive_field={model.receptive_field} it should be {k}x{k}"
        )
    with sampled_patches(model.trunk, sampled):
        features = model.trunk(scene[None])[0]
    same_size = tuple(features.shape[1:]) == (k + 3, k + 4)
    if same_size:
        windows = gather_windows(features, rows, cols, k)
        spread = (expected.max() - expected.min()).clamp(min=1e-300)
        same_size = bool((windows - expected).abs().max() <= TOLERANCE * spread)
    if not same_size:
        raise UsageError(
            "the trunk of this network gives other values on a scene than on a patch\n"
            "In a trunk, convolutions are unpadded and have stride 1, all else acts on each "
            "position alone, and batch norms are TrunkBatchNorm2d.\n"
            "Give it nn.Identity() as trunk and receptive_field=1, and it is evaluated patch by "
            "patch."
        )


def _with_random_state(model: PatchNetwork) -> PatchNetwork:
    """Return a copy in float64 whose scales, shifts and statistics are not at their start."""
    twin = copy.deepcopy(model).cpu().double()
    for value in (*twin.parameters(), *twin.buffers()):
        if value.is_floating_point() and value.ndim == 1:
            nn.init.uniform_(value, 0.2, 1.2)
    return twin
