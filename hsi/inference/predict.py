"""Scores of pixels of a scene, patch by patch or with one trunk pass for the whole scene."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsi.errors import UsageError, unknown_name
from hsi.inference.device import resolve_device
from hsi.inference.mode import evaluating
from hsi.layers import gather_windows, pad_scene
from hsi.models import PatchNetwork

Method = Literal["auto", "dense", "patches"]

# Side of the squares of pixels whose feature map is held at a time. The margin of a patch around
# each square is computed twice, so a square is several patches wide.
TILE = 160
# Values of the windows that the head takes at a time: 64 MB of float32.
WINDOW_VALUES = 16 * 2**20
PATCH_BATCH = 128


def predict_scene(
    model: PatchNetwork,
    cube: NDArray[np.floating],
    *,
    method: Method = "auto",
    device: str | torch.device = "auto",
) -> NDArray[np.floating]:
    """Return the logits of every pixel of a scene, borders included.

    The network is always in evaluation mode here, and is left in the mode in which it came. The
    scene is padded with zeros, the mean of each component.

    Parameters
    ----------
    model : PatchNetwork
        A trained network. It is moved to `device`.
    cube : ndarray
        ``(rows, cols, components)``, as the network was trained on; computed in the network's
        own floating type.
    method : {"auto", "dense", "patches"}
        ``"dense"`` runs the trunk once over the scene and the head on every window,
        ``"patches"`` the whole network on every patch. Both give the same result to rounding.
        ``"auto"`` is dense where the network has a trunk.
    device : str or torch.device
        ``"auto"`` is the first CUDA device or else the CPU.

    Returns
    -------
    ndarray
        Score map ``(classes, rows, cols)``.

    Raises
    ------
    UsageError
        If the cube does not fit the network, or the method or device is unknown or impossible.
    """
    if cube.ndim != 3 or cube.shape[2] != model.bands:
        raise UsageError(
            f"the cube has shape {cube.shape}; the network expects (rows, cols, {model.bands})"
        )
    rows, cols = cube.shape[:2]
    pixels = np.indices((rows, cols)).reshape(2, -1).T
    scores = predict_pixels(model, cube, pixels, method=method, device=device)
    return np.ascontiguousarray(scores.T).reshape(model.classes, rows, cols)


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
    where = resolve_device(device)
    model.to(where)
    weight = next(model.parameters())
    scene = torch.from_numpy(np.ascontiguousarray(np.moveaxis(cube, 2, 0)))
    padded = pad_scene(scene.to(where, weight.dtype), model.patch_size)
    return scores_of_pixels(model, padded, torch.from_numpy(pixels), method=method).cpu().numpy()


def scores_of_pixels(
    model: PatchNetwork, padded: Tensor, pixels: Tensor, *, method: Method = "auto"
) -> Tensor:
    """Return the logits ``(N, classes)`` of pixels of a padded scene that lies on the device.

    Parameters
    ----------
    model : PatchNetwork
        On the device of `padded`.
    padded : Tensor
        ``(bands, rows + p - 1, cols + p - 1)``, from `pad_scene`.
    pixels : Tensor
        ``(N, 2)`` rows and columns before padding.
    method : {"auto", "dense", "patches"}
        As for `predict_scene`.
    """
    if method not in get_args(Method):
        raise unknown_name("method", method, get_args(Method))
    if method == "dense" and not model.has_trunk:
        raise UsageError(
            "this network has no trunk that could be computed once for a scene; "
            "use method='patches' or method='auto'"
        )
    pixels = pixels.to(padded.device)
    if len(pixels) == 0:
        return padded.new_empty(0, model.classes)
    with evaluating(model):
        if method == "dense" or (method == "auto" and _dense_is_cheaper(model, padded, pixels)):
            return _dense(model, padded, pixels)
        return _in_batches(model, padded, pixels, model.patch_size, PATCH_BATCH)


def _dense_is_cheaper(model: PatchNetwork, padded: Tensor, pixels: Tensor) -> bool:
    """Compare the positions that the trunk computes: once each, or once in every window."""
    in_scene = padded.shape[1] * padded.shape[2]
    in_windows = len(pixels) * model.window_size**2
    return model.has_trunk and in_scene < in_windows


def _dense(model: PatchNetwork, padded: Tensor, pixels: Tensor) -> Tensor:
    """Compute the trunk once for each tile with pixels in it, the head for each pixel."""
    scores = padded.new_empty(len(pixels), model.classes)
    size = model.window_size
    for row, col, inside in _tiles(pixels):
        region = padded[:, row : row + TILE + model.patch_size - 1]
        region = region[:, :, col : col + TILE + model.patch_size - 1]
        features = model.trunk(region[None])[0]
        batch = max(1, WINDOW_VALUES // (features.shape[0] * size**2))
        corners = pixels[inside] - pixels.new_tensor([row, col])
        scores[inside] = _in_batches(model.head, features, corners, size, batch)
    return scores


def _tiles(pixels: Tensor) -> Iterator[tuple[int, int, Tensor]]:
    """Yield the corner of each tile of the scene that holds pixels, and which pixels these are."""
    tiles = pixels.div(TILE, rounding_mode="floor")
    for tile in tiles.unique(dim=0):
        row, col = (tile * TILE).tolist()
        yield row, col, (tiles == tile).all(dim=1).nonzero()[:, 0]


def _in_batches(
    network: torch.nn.Module, features: Tensor, corners: Tensor, size: int, batch: int
) -> Tensor:
    """Apply `network` to the windows at `corners`, always `batch` at a time.

    Matrix products round differently for other numbers of rows. With the last batch filled up,
    a pixel's score has the same bits in whatever company the pixel is.
    """
    scores = []
    for some in corners.split(batch):
        filled = some if len(some) == batch else some[torch.arange(batch).clamp(max=len(some) - 1)]
        windows = gather_windows(features, filled[:, 0], filled[:, 1], size)
        scores.append(network(windows)[: len(some)])
    return torch.cat(scores)
