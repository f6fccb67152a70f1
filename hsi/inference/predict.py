"""Scores of pixels of a scene, patch by patch or with one trunk pass for the whole scene."""

from __future__ import annotations

import warnings
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsi.errors import UsageError, unknown_name
from hsi.inference.dense import DenseNetwork, in_type, largest_result, values_per_position
from hsi.inference.device import resolve_device
from hsi.inference.memory import memory_budget, reusing_memory
from hsi.inference.mode import evaluating
from hsi.inference.tiles import all_corners, in_batches, region_of, tiles_of
from hsi.models import PatchNetwork, check_once

Method = Literal["auto", "dense", "patches"]
Precision = Literal["full", "bf16"]

PATCH_BATCH = 128
# Rows and columns of the tiles from which patches are cut.
PATCH_TILE = 256


def predict_scene(
    model: PatchNetwork,
    cube: NDArray[np.floating],
    *,
    method: Method = "auto",
    device: str | torch.device = "auto",
    max_memory: int | str | None = None,
    precision: Precision = "full",
) -> NDArray[np.floating]:
    """Return the logits of every pixel of a scene, borders included.

    The network is always in evaluation mode here, and is left in the mode in which it came. The
    scene is padded with zeros, the mean of each component.

    Parameters
    ----------
    model : PatchNetwork
        A trained network. It is moved to `device`. One that `build_model` did not make is checked
        before its first dense evaluation: scene and patch must give the same features.
    cube : ndarray
        ``(rows, cols, components)``, as the network was trained on; computed in the network's
        own floating type.
    method : {"auto", "dense", "patches"}
        ``"dense"`` runs the trunk once over the scene and the head on every window,
        ``"patches"`` the whole network on every patch. Both give the same result to rounding.
        ``"auto"`` is dense where the network has a trunk and that computes less.
    device : str or torch.device
        ``"auto"`` is the first CUDA device or else the CPU.
    max_memory : int or str, optional
        The most that the computation may take beside `cube` and `model`, the result included:
        bytes, or a text such as ``"2G"``. A smaller one means smaller tiles, not another map.
        Below some 200 MB it is kept only roughly, since libraries need some memory of their own.
        Default: a quarter of what is free.
    precision : {"full", "bf16"}
        ``"full"`` computes in the network's own floating type. ``"bf16"`` in bfloat16, but for
        sums and the head's last layers: about twice as fast where the processor has instructions
        for it (AVX512-BF16, AMX, tensor cores) and slower elsewhere. Logits then differ by up to
        a hundredth of their range.

    Returns
    -------
    ndarray
        Score map ``(classes, rows, cols)``.

    Raises
    ------
    UsageError
        If the cube does not fit the network or holds NaN or infinity, the method, precision or
        device is unknown or impossible, the trunk is none, or not even a small tile fits into
        `max_memory`.
    """
    if precision not in get_args(Precision):
        raise unknown_name("precision", precision, get_args(Precision))
    scene = _as_scene(model, cube)
    where = resolve_device(device)
    model.to(where)
    dtype = torch.bfloat16 if precision == "bf16" else next(model.parameters()).dtype
    return _scores(model, scene, None, method, max_memory, dtype).numpy()


def predict_pixels(
    model: PatchNetwork,
    cube: NDArray[np.floating],
    pixels: NDArray[np.integer],
    *,
    method: Method = "auto",
    device: str | torch.device = "auto",
) -> NDArray[np.floating]:
    """Return the logits ``(N, classes)`` of the pixels at `pixels`, ``(N, 2)`` rows and columns.

    As `predict_scene` for some of the pixels; ``"auto"`` is dense where that computes less.
    """
    scene = _as_scene(model, cube)
    places = np.asarray(pixels)
    if places.ndim != 2 or places.shape[1] != 2 or places.dtype.kind not in "iu":
        raise UsageError(
            f"pixels are (N, 2) whole numbers, rows and columns, not {places.dtype} of "
            f"{places.shape}"
        )
    pixels = np.ascontiguousarray(places, dtype=np.int64)
    outside = ((pixels < 0) | (pixels >= cube.shape[:2])).any(axis=1)
    if outside.any():
        row, col = pixels[outside][0]
        raise UsageError(
            f"there is no pixel at row {row}, column {col} in a scene of {cube.shape[0]} rows and "
            f"{cube.shape[1]} columns"
        )
    model.to(resolve_device(device))
    return scores_of_pixels(model, scene, torch.from_numpy(pixels), method=method).cpu().numpy()


def scores_of_pixels(
    model: PatchNetwork, scene: Tensor, pixels: Tensor, *, method: Method = "auto"
) -> Tensor:
    """Return the logits ``(N, classes)`` of some pixels of a scene, on the device of `model`.

    Parameters
    ----------
    model : PatchNetwork
        On its device.
    scene : Tensor
        ``(bands, rows, cols)``, on any device.
    pixels : Tensor
        ``(N, 2)`` rows and columns.
    method : {"auto", "dense", "patches"}
        As for `predict_scene`.
    """
    return _scores(model, scene, pixels, method, None, next(model.parameters()).dtype)


def _as_scene(model: PatchNetwork, cube: NDArray[np.floating]) -> Tensor:
    """Return the cube as a tensor ``(bands, rows, cols)`` that shares its memory if it can."""
    if not isinstance(model, PatchNetwork):
        raise UsageError(
            f"the network is a {type(model).__name__}; expected a hsi.PatchNetwork\n"
            "Wrap yours: PatchNetwork(trunk=nn.Identity(), head=network, bands=..., classes=..., "
            "patch_size=..., receptive_field=1)"
        )
    if next(model.parameters()).dtype == torch.bfloat16:
        raise UsageError(
            "the network is in bfloat16, which NumPy does not have\n"
            "Take network.float(); precision='bf16' computes in bfloat16 all the same."
        )
    if cube.ndim != 3 or cube.shape[2] != model.bands:
        raise UsageError(
            f"the cube has shape {cube.shape}; the network expects (rows, cols, {model.bands})"
        )
    if 0 in cube.shape or cube.dtype.kind not in "iuf":
        raise UsageError(
            f"the cube is {cube.dtype} of {cube.shape}; expected real numbers of at least one pixel"
        )
    if cube.dtype.itemsize > 8:  # more than PyTorch has
        cube = cube.astype(np.float64)
    # PyTorch knows no negative strides and no foreign byte order.
    plain = np.ascontiguousarray(cube, dtype=cube.dtype.newbyteorder("="))
    with warnings.catch_warnings():
        # Nothing here writes to it.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(plain).permute(2, 0, 1)


class _Patches:
    """The whole network on every patch, with the manners of `DenseNetwork`."""

    def __init__(self, model: PatchNetwork, *, max_bytes: int, dtype: torch.dtype) -> None:
        values, _, _ = values_per_position(model)
        self.model = in_type(model, dtype)
        model = self.model
        item = dtype.itemsize
        patches = torch.zeros(2, model.bands, model.patch_size, model.patch_size, dtype=dtype)
        largest = largest_result(model, patches.to(next(model.parameters()).device))
        of_a_patch = max(values * model.patch_size**2, 2 * largest) * item
        # The libraries keep the weights once more, in an order of their own.
        weights = sum(weight.nbytes for weight in model.parameters())
        self.batch = min(PATCH_BATCH, (max_bytes - weights) // (2 * of_a_patch))
        if self.batch < 1:
            raise UsageError(
                f"max_memory is too small: a patch of this network takes {2 * of_a_patch:,} bytes "
                f"and its weights {weights:,}, and {max(max_bytes, 0):,} are left for them beside "
                "the result"
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


def _scores(
    model: PatchNetwork,
    scene: Tensor,
    pixels: Tensor | None,
    method: Method,
    max_memory: int | str | None,
    dtype: torch.dtype,
) -> Tensor:
    """Return ``(N, classes)`` on the device, or without `pixels` ``(classes, rows, cols)``."""
    if method not in get_args(Method):
        raise unknown_name("method", method, get_args(Method))
    if method == "dense" and not model.has_trunk:
        raise UsageError(
            "this network has no trunk that could be computed once for a scene; "
            "use method='patches' or method='auto'"
        )
    rows, cols = scene.shape[1:]
    weight = next(model.parameters())
    budget = memory_budget(max_memory, weight.device)
    count = rows * cols if pixels is None else len(pixels)
    if method == "auto":
        method = "dense" if _dense_is_cheaper(model, rows, cols, count) else "patches"
    if pixels is None:
        result = torch.empty(model.classes, rows, cols, dtype=weight.dtype)
        budget -= result.nbytes
    else:
        pixels = pixels.to(weight.device)
        result = weight.new_empty(count, model.classes)
    if method == "dense":
        check_once(model)
    with evaluating(model), reusing_memory():
        network = (
            DenseNetwork(model, rows, cols, max_bytes=budget, dtype=dtype)
            if method == "dense"
            else _Patches(model, max_bytes=budget, dtype=dtype)
        )
        for tile in tiles_of(rows, cols, network.side):
            corners = None
            if pixels is not None:
                chosen = tile.inside(pixels)
                if not len(chosen):
                    continue
                corners = pixels[chosen] - pixels.new_tensor([tile.row, tile.col])
            region = region_of(scene, tile, model.patch_size).to(weight.device, dtype)
            if not region.isfinite().all():
                raise UsageError(
                    f"the cube holds NaN or infinity (in rows {tile.row} to "
                    f"{tile.row + tile.rows - 1}, columns {tile.col} to "
                    f"{tile.col + tile.cols - 1}, or next to them)\nSet the components of pixels "
                    "without data to 0, which is the mean: BandPCA.transform(cube, valid=...)."
                )
            scores = network.scores(region, corners)
            if pixels is None:
                result[:, tile.slices[0], tile.slices[1]] = scores.T.unflatten(1, tile.size)
            else:
                result[chosen] = scores
    return result


def _dense_is_cheaper(model: PatchNetwork, rows: int, cols: int, count: int) -> bool:
    """Compare the positions that the trunk computes: once each, or once in every window."""
    margin = model.window_size - 1
    at_once = (rows + margin) * (cols + margin)
    return model.has_trunk and at_once < count * model.window_size**2
