"""A trained retrieval: all that brings patches of two modalities into one space, in one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsi.errors import UsageError
from hsi.inference.mode import evaluating
from hsi.layers import gather_windows, pad_scene
from hsi.retrieval import MODALITIES, CrossModalNetwork, Modality, cross_modal_network
from hsi.sampling import Reduction, read_reduction
from hsi.scenes import Scene
from hsi.training.components import ComponentCube
from hsi.training.model_file import ALTERED, damaged, read_model, within, write_model

FORMAT = "retrieval 1"
# Patches of a modality that are looked at together.
BATCH = 1024


class PatchSource:
    """Patches of a reduced cube, cut where they are asked for, on a device.

    Parameters
    ----------
    cube : ndarray
        ``(rows, cols, components)`` float32, zero where no data is.
    patch_size : int
        Side of a patch, odd. What lies outside of the cube is zero.
    device : torch.device
        Where the cube is held, and patches come.
    """

    def __init__(self, cube: NDArray[np.float32], *, patch_size: int, device: torch.device) -> None:
        self.patch_size = patch_size
        self.padded = pad_scene(torch.from_numpy(cube).permute(2, 0, 1).to(device), patch_size)

    def __getitem__(self, places: NDArray[np.int64]) -> Tensor:
        """Return the patches ``(N, components, p, p)`` around rows and columns ``(N, 2)``."""
        rows, cols = torch.from_numpy(np.ascontiguousarray(places.T)).to(self.padded.device)
        return gather_windows(self.padded, rows, cols, self.patch_size)


@dataclass(frozen=True, kw_only=True, eq=False)
class Retriever:
    """A network with two branches, the reductions before them, and the classes that it learned.

    Attributes
    ----------
    network : CrossModalNetwork
        The trained network.
    options : dict
        The arguments of `hsi.retrieval.cross_modal_network` that made it.
    reductions : dict
        Of each modality, a fitted BandPCA or BandScaler.
    class_ids : ndarray
        ``(K,)`` label ids in the order of the network's classes.
    class_names : dict
        By label id.
    """

    network: CrossModalNetwork
    options: dict[str, int]
    reductions: dict[Modality, Reduction]
    class_ids: NDArray[np.int32]
    class_names: dict[int, str]

    @property
    def patch_size(self) -> int:
        """Side of a patch in pixels."""
        return self.options["patch_size"]

    def patches(self, modality: Modality, scene: Scene, *, device: torch.device) -> PatchSource:
        """Return the patches of a scene as the network takes them.

        Raises
        ------
        UsageError
            If the scene has another number of bands than that of the training.
        SceneError
            If a pixel lies so far from all others that it seems to hold a fill value.
        """
        reduction = self.reductions[modality]
        if scene.bands != len(reduction.mean_):
            raise UsageError(
                f"{scene.name} has {scene.bands} bands; the {modality} modality was trained on "
                f"{len(reduction.mean_)}"
            )
        cube = ComponentCube(scene, reduction)
        reduced = np.empty(cube.shape, dtype=np.float32)
        for rows, block, _ in cube.blocks():
            reduced[rows] = block
        return PatchSource(reduced, patch_size=self.patch_size, device=device)

    def embed(
        self, modality: Modality, patches: PatchSource, places: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return where the patches around `places` ``(N, 2)`` lie: ``(N, dimensions)``."""
        found = np.empty((len(places), self.options["dimensions"]), dtype=np.float32)
        with evaluating(self.network):
            for start in range(0, len(places), BATCH):
                part = slice(start, start + BATCH)
                found[part] = self.network.embed(modality, patches[places[part]]).cpu().numpy()
        return found

    def save(self, path: Path | str) -> None:
        """Write everything to `path`, a safetensors file, all of it or nothing."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for modality, reduction in self.reductions.items():
            tensors |= {
                f"{modality}.{name}": torch.from_numpy(np.array(value, order="C"))
                for name, value in reduction.to_arrays().items()
            }
        about = {
            "format": FORMAT,
            "options": self.options,
            "classes": [{"id": i, "name": self.class_names[i]} for i in self.class_ids.tolist()],
        }
        write_model(path, about=about, tensors=tensors)

    @classmethod
    def load(cls, path: Path | str) -> Retriever:
        """Read what `save` wrote.

        Raises
        ------
        RunError
            If the file is missing, damaged, or not one of these.
        """
        about, tensors = read_model(path, format_=FORMAT)
        try:
            return cls._from_parts(about, tensors)
        except ALTERED as error:
            raise damaged(path, error) from error

    @classmethod
    def _from_parts(cls, about: dict[str, Any], tensors: dict[str, Tensor]) -> Retriever:
        """Put together what `save` took apart; raises what comes if the parts do not fit."""
        options = about["options"]
        # No memory and no random numbers for weights that are replaced at once.
        with torch.device("meta"):
            network = cross_modal_network(**options)
        network.load_state_dict(within(tensors, "network."), assign=True)
        network.eval()
        reductions: dict[Modality, Reduction] = {}
        for modality in MODALITIES:
            arrays = {
                name: value.numpy() for name, value in within(tensors, f"{modality}.").items()
            }
            reductions[modality] = read_reduction(arrays)
            bands = len(reductions[modality].mean_)
            if not reductions[modality].fits(bands, options[f"{modality}_bands"]):
                raise ValueError(f"network and reduction of the {modality} modality do not fit")
        ids = np.array([each["id"] for each in about["classes"]], dtype=np.int32)
        if len(set(ids.tolist())) != options["classes"]:
            raise ValueError("network and classes do not fit each other")
        return cls(
            network=network,
            options=options,
            reductions=reductions,
            class_ids=ids,
            class_names={each["id"]: each["name"] for each in about["classes"]},
        )
