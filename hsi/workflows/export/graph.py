"""Band reduction and network as one module: from a tile of the cube to classes and confidence."""

from __future__ import annotations

import copy
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hsi.inference.dense import folded, largest_result, values_per_position
from hsi.inference.plan import first_linear
from hsi.models import PatchNetwork
from hsi.models.decision_rule import DecisionRule
from hsi.sampling import BandPCA
from hsi.training import Classifier

Form = Literal["dense", "windows", "patches"]


class MapGraph(nn.Module):
    """What `hsi map` computes for a tile, from the values of the scene on.

    The first linear layer of a head is a convolution where the head begins with it. Else windows of
    the trunk's output are cut out for the head; or, of a network without a trunk, whole patches.
    Bands are reduced in float64, as in training: means in the thousands take no digits away.

    Parameters
    ----------
    classifier : Classifier
        Not changed.

    Attributes
    ----------
    form : {"dense", "windows", "patches"}
        Which of these it is.
    """

    # Names unlike those of operators, with which onnxscript would mix them up.
    band_means: Tensor
    band_loadings: Tensor
    component_scales: Tensor
    class_ids: Tensor
    head_kernels: Tensor
    head_biases: Tensor

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        network = copy.deepcopy(classifier.network).cpu().eval()
        for module in network.modules():
            if isinstance(module, DecisionRule):
                module.fix_numbers()
        reduction = classifier.reduction
        self.register_buffer("band_means", torch.tensor(reduction.mean_))
        self.register_buffer("component_scales", torch.tensor(reduction.scale_))
        loadings = reduction.components_.T if isinstance(reduction, BandPCA) else np.empty(0)
        self.register_buffer("band_loadings", torch.tensor(np.ascontiguousarray(loadings)))
        self.register_buffer("class_ids", torch.tensor(classifier.class_ids, dtype=torch.int32))
        self.dtype = network.anchor.dtype
        self.patch_size, self.window_size = network.patch_size, network.window_size
        self.trunk, self.head = folded(network.trunk), network.head
        self.form: Form = "windows" if network.has_trunk else "patches"
        linear = first_linear(network)
        if linear is not None and (network.has_trunk or network.patch_size == 1):
            self.form = "dense"
            assert isinstance(network.head, nn.Sequential)
            self.head = network.head[2:]
            kernels = linear.weight.detach().unflatten(1, (-1, self.window_size, self.window_size))
            bias = torch.zeros(len(kernels)) if linear.bias is None else linear.bias.detach()
            self.register_buffer("head_kernels", kernels.clone())
            self.register_buffer("head_biases", bias.to(self.dtype).clone())

    def forward(self, cube: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return classes, confidence, scores and components of a tile.

        Parameters
        ----------
        cube : Tensor
            ``(rows + p - 1, cols + p - 1, bands)``, float32 in the units of the scene. A pixel
            with NaN or infinity in any band has no data; so are those beyond the scene.

        Returns
        -------
        classes : Tensor
            ``(rows, cols)`` int32 label ids, 0 where no data is.
        confidence : Tensor
            ``(rows, cols)`` float32, the softmax of the class; NaN where no data is.
        scores : Tensor
            ``(classes, rows, cols)``, logits.
        components : Tensor
            ``(rows + p - 1, cols + p - 1, components)`` float32, 0 where no data is.
        """
        known = torch.isfinite(cube).all(dim=2)
        components = torch.where(known[:, :, None], self._components(cube), 0.0)
        rows, cols = (length - self.patch_size + 1 for length in cube.shape[:2])
        features = self.trunk(components.to(self.dtype).permute(2, 0, 1)[None])
        of_pixels = self._head(features, rows, cols)  # (rows * cols, classes)
        scores = of_pixels.reshape(rows, cols, of_pixels.shape[1])
        margin = self.patch_size // 2
        inner = known[margin : margin + rows, margin : margin + cols]
        sure = scores.double().softmax(dim=2).amax(dim=2).float()
        return (
            torch.where(inner, self.class_ids[scores.argmax(dim=2)], 0),
            torch.where(inner, sure, float("nan")),
            scores.permute(2, 0, 1),
            components,
        )

    def _components(self, cube: Tensor) -> Tensor:
        centred = cube.double() - self.band_means
        if self.band_loadings.numel():
            centred = centred @ self.band_loadings
        return (centred / self.component_scales).float()

    def _head(self, features: Tensor, rows: int, cols: int) -> Tensor:
        if self.form == "dense":
            maps = F.conv2d(features, self.head_kernels)[0].permute(1, 2, 0)
            # The sum is laid out anew, which lets whoever traces this know its layout.
            return self.head(
                maps.reshape(rows * cols, self.head_biases.shape[0]) + self.head_biases
            )
        size = self.window_size
        within = torch.arange(size)
        down = torch.arange(rows)[:, None] + within  # (rows, k)
        across = torch.arange(cols)[:, None] + within  # (cols, k)
        channels_last = features[0].permute(1, 2, 0)
        windows = channels_last[down[:, None, :, None], across[None, :, None, :]]
        return self.head(windows.flatten(0, 1).permute(0, 3, 1, 2))


def bytes_of(network: PatchNetwork, form: Form, *, bands: int) -> tuple[int, int]:
    """Return what computing a tile takes, roughly, for each position of the cube and each pixel."""
    item = network.anchor.element_size()
    values, channels, outputs = values_per_position(network)
    # The cube, its copy in float64 and what becomes of it; onnxruntime rearranges some maps.
    position = bands * (4 + 8 + 8) + 2 * values * item
    if form == "dense":
        return position, 2 * (channels + 2 * outputs + network.classes) * item
    windows = network.anchor.new_zeros(2, channels, network.window_size, network.window_size)
    with torch.no_grad():
        largest = max(windows[0].numel(), largest_result(network.head, windows))
    return position, 3 * largest * item
