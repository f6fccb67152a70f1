"""Scores of pixels of a scene, patch by patch or with one trunk pass for the whole scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsi.errors import UsageError
from hsi.inference.device import resolve_device
from hsi.inference.memory import memory_budget, reusing_memory
from hsi.inference.tiled import Method, Precision, TiledNetwork, check_ways
from hsi.inference.tiles import region_of, region_of_part, within
from hsi.models import PatchNetwork
from hsi.scenes.tiles import Tile


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
        for it (AVX512-BF16, AMX, tensor cores) and slower elsewhere. Logits then
        differ by a thousandth of their range, with attention or in image networks by a few
        hundredths at most.

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
    check_ways(method=method, precision=precision)
    check_input(model, cube)
    weight = model.anchor
    result = torch.empty(model.classes, *cube.shape[:2], dtype=weight.dtype).numpy()
    budget = memory_budget(max_memory, resolve_device(device)) - result.nbytes
    model.to(resolve_device(device))
    network = TiledNetwork(
        model, *cube.shape[:2], max_bytes=budget, method=method, precision=precision
    )
    for tile, scores in _of_all(network, cube):
        result[:, *tile.slices] = scores
    return result


def predict_tiles(
    model: PatchNetwork,
    source: Any,
    *,
    method: Method = "auto",
    device: str | torch.device = "auto",
    max_memory: int | str | None = None,
    precision: Precision = "full",
) -> Iterator[tuple[Tile, NDArray[np.floating]]]:
    """Yield the logits of a scene of any size tile by tile, from its upper left to its lower right.

    What comes is what `predict_scene` returns, without ever being held as a whole.

    Parameters
    ----------
    model : PatchNetwork
        As for `predict_scene`.
    source : array_like
        ``(rows, cols, components)``: an array, or anything that has ``shape`` and ``dtype`` and
        gives ``source[rows, cols]`` for two slices. A rectangle is read for each tile: the tile,
        and half a patch around it.
    method, device, precision
        As for `predict_scene`.
    max_memory : int or str, optional
        The most that the computation may take beside `source` and `model`.

    Yields
    ------
    tile : Tile
        ``row``, ``col``, ``rows`` and ``cols``.
    scores : ndarray
        ``(classes, tile rows, tile cols)``.

    Raises
    ------
    UsageError
        As `predict_scene`.

    Examples
    --------
    >>> import numpy as np
    >>> from hsi.models import build_model
    >>> model = build_model("hybridsn-dw", bands=15, classes=4, patch_size=11)
    >>> cube = np.zeros((20, 400, 15), dtype=np.float32)
    >>> for tile, scores in predict_tiles(model, cube, device="cpu", max_memory="1G"):
    ...     print(tile.size, tuple(scores.shape))
    (20, 200) (4, 20, 200)
    (20, 200) (4, 20, 200)
    """
    check_ways(method=method, precision=precision)
    check_input(model, source)
    where = resolve_device(device)
    model.to(where)
    budget = memory_budget(max_memory, where)
    network = TiledNetwork(
        model, *source.shape[:2], max_bytes=budget, method=method, precision=precision
    )
    yield from _of_all(network, source)


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
    check_input(model, cube)
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
    dtype = model.anchor.dtype
    return _of_some(
        model,
        lambda tile: _read(cube, tile, model.patch_size, dtype),
        cube.shape[:2],
        torch.from_numpy(pixels),
        method,
    ).numpy(force=True)


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
    return _of_some(
        model,
        lambda tile: region_of(scene, tile, model.patch_size),
        scene.shape[1:],
        pixels,
        method,
    )


def _of_all(network: TiledNetwork, source: Any) -> Iterator[tuple[Tile, NDArray[np.floating]]]:
    """Yield tiles and their scores ``(classes, rows, cols)``."""
    with reusing_memory():
        for tile in network.tiles():
            region = _read(source, tile, network.model.patch_size, network.dtype)
            yield tile, network.scores(region, tile).T.unflatten(1, tile.size).numpy(force=True)


def _read(source: Any, tile: Tile, patch_size: int, dtype: torch.dtype) -> Tensor:
    size = tuple(source.shape[:2])
    part = source[tile.around(patch_size, size)]
    return region_of_part(part, tile, patch_size, size, dtype)


def _of_some(
    model: PatchNetwork,
    region: Callable[[Tile], Tensor],
    size: tuple[int, ...],
    pixels: Tensor,
    method: Method,
) -> Tensor:
    """Return ``(N, classes)`` of some pixels, on the device of `model`."""
    weight = model.anchor
    pixels = pixels.to(weight.device)
    result = weight.new_empty(len(pixels), model.classes)
    with reusing_memory(), torch.no_grad():
        network = TiledNetwork(
            model,
            *size,
            max_bytes=memory_budget(None, weight.device),
            method=method,
            count=len(pixels),
        )
        for tile in network.tiles():
            chosen = within(tile, pixels)
            if len(chosen):
                corners = pixels[chosen] - pixels.new_tensor([tile.row, tile.col])
                result[chosen] = network.scores(region(tile), tile, corners)
    return result


def check_input(model: PatchNetwork, cube: Any) -> None:
    """Raise UsageError unless `cube`, ``(rows, cols, components)``, can be put into `model`."""
    if not isinstance(model, PatchNetwork):
        raise UsageError(
            f"the network is a {type(model).__name__}; expected a hsi.PatchNetwork\n"
            "Wrap yours: PatchNetwork(trunk=nn.Identity(), head=network, bands=..., classes=..., "
            "patch_size=..., receptive_field=1)"
        )
    if model.anchor.dtype == torch.bfloat16:
        raise UsageError(
            "the network is in bfloat16, which NumPy does not have\n"
            "Take network.float(); precision='bf16' computes in bfloat16 all the same."
        )
    if len(cube.shape) != 3 or cube.shape[2] != model.bands:
        raise UsageError(
            f"the cube has shape {cube.shape}; the network expects (rows, cols, {model.bands})"
        )
    if 0 in cube.shape or cube.dtype.kind not in "iuf":
        raise UsageError(
            f"the cube is {cube.dtype} of {cube.shape}; expected real numbers of at least one pixel"
        )
