"""A trained classifier: all that a map of another scene needs, in one file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.errors import RunError
from hsi.inference import Method, Precision
from hsi.models import MODELS, PatchNetwork, build_model, full_name
from hsi.sampling import Reduction, read_reduction, to_labels
from hsi.scenes import Scene
from hsi.scenes.tiles import ScoredTile
from hsi.scenes.trained_bands import TrainedBands, match_bands
from hsi.training.components import ComponentCube
from hsi.training.model_file import ALTERED, damaged, read_model, within, write_model
from hsi.training.scene_tiles import SceneTiles

FORMAT = 1
# What a file holds of the training scene's bands, where it is known.
SCENE_ARRAYS = ("wavelengths", "fwhm", "file_bands")


@dataclass(frozen=True, kw_only=True, eq=False)
class Classifier:
    """A network, the band reduction before it, and the classes that its outputs stand for.

    Attributes
    ----------
    network : PatchNetwork
        The trained network.
    options : dict
        The arguments of `build_model` that made it, its name included.
    reduction : BandPCA or BandScaler
        Fitted.
    class_ids : ndarray
        ``(K,)`` label ids in the order of the network's outputs.
    class_names, class_colors : dict
        By label id.
    wavelengths : ndarray or None
        ``(bands,)`` band centres in nanometres of the scene that it was trained on.
    fwhm : ndarray or None
        ``(bands,)`` full widths at half maximum in nanometres.
    file_bands : ndarray of bool or None
        Which bands of the file that scene held, as `Scene.file_bands`.
    """

    network: PatchNetwork
    options: dict[str, Any]
    reduction: Reduction
    class_ids: NDArray[np.int32]
    class_names: dict[int, str]
    class_colors: dict[int, tuple[int, int, int]]
    wavelengths: NDArray[np.float64] | None = field(default=None)
    fwhm: NDArray[np.float64] | None = field(default=None)
    file_bands: NDArray[np.bool_] | None = field(default=None)

    @property
    def name(self) -> str:
        """The model with its attention."""
        return full_name(self.options["name"], self.options.get("attention"))

    @property
    def bands(self) -> TrainedBands:
        """The bands that a scene must have, or be brought to by `hsi.training.match_bands`."""
        return TrainedBands(
            count=len(self.reduction.mean_),
            wavelengths=self.wavelengths,
            fwhm=self.fwhm,
            file_bands=self.file_bands,
        )

    def components(self, scene: Scene) -> NDArray[np.float32]:
        """Return the reduced cube ``(rows, cols, components)`` of `scene`, zero where no data is.

        Raises
        ------
        UsageError
            If the bands of the scene are not those that the classifier was trained on.
        SceneError
            If a pixel lies so far from all others that it seems to hold a fill value.
        """
        cube = ComponentCube(match_bands(scene, self.bands), self.reduction)
        reduced = np.empty(cube.shape, dtype=np.float32)
        for rows, block, _ in cube.blocks():
            reduced[rows] = block
        return reduced

    def tiles(
        self,
        scene: Scene,
        *,
        method: Method = "auto",
        device: str | torch.device = "auto",
        precision: Precision = "full",
        max_memory: int | str | None = None,
    ) -> SceneTiles:
        """Return `scene` in tiles whose scores are computed when they are asked for.

        Parameters
        ----------
        scene : Scene
            Of any size; it is read as its tiles are computed, each row once.
        method, device, precision
            As for `hsi.predict_scene`.
        max_memory : int or str, optional
            The most that the computation may take, beside this classifier and what `scene` itself
            holds: bytes, or a text such as ``"2G"``. Default: a quarter of what is free, on a CPU
            at most 1G, beyond which maps get no faster.

        Raises
        ------
        UsageError
            If the bands of the scene are not those that the classifier was trained on, method,
            precision or device are unknown or impossible, or `max_memory` is too small.
        """
        return SceneTiles(
            self.network,
            self.reduction,
            match_bands(scene, self.bands),
            method=method,
            device=device,
            precision=precision,
            max_memory=max_memory,
        )

    def scores(
        self,
        scene: Scene,
        *,
        method: Method = "auto",
        device: str | torch.device = "auto",
        precision: Precision = "full",
        max_memory: int | str | None = None,
    ) -> NDArray[np.floating]:
        """Return the score map ``(classes, rows, cols)`` of `scene`.

        Arguments are those of `tiles`; the result comes on top of `max_memory`.
        """
        tiles = self.tiles(
            scene, method=method, device=device, precision=precision, max_memory=max_memory
        )
        scores = np.empty((self.network.classes, *scene.shape[:2]), dtype=tiles.dtype)
        for each in tiles:
            scores[:, *each.tile.slices] = each.scores
        return scores

    def class_map(
        self,
        scene: Scene,
        *,
        method: Method = "auto",
        device: str | torch.device = "auto",
        precision: Precision = "full",
        max_memory: int | str | None = None,
    ) -> NDArray[np.int32]:
        """Return the label id ``(rows, cols)`` of every pixel of `scene`, 0 where no data is.

        Arguments are those of `tiles`; the result comes on top of `max_memory`.
        """
        tiles = self.tiles(
            scene, method=method, device=device, precision=precision, max_memory=max_memory
        )
        class_map = np.empty(scene.shape[:2], dtype=np.int32)
        for each in tiles:
            class_map[each.tile.slices] = self.ids(each)
        return class_map

    def ids(self, scored: ScoredTile) -> NDArray[np.int32]:
        """Return the label id ``(rows, cols)`` of every pixel of a tile, 0 where no data is."""
        ids = to_labels(scored.scores.argmax(axis=0), self.class_ids)
        return np.where(scored.valid, ids, 0).astype(np.int32)

    def save(self, path: Path | str) -> None:
        """Write everything to `path`, a safetensors file, all of it or nothing."""
        arrays = self.reduction.to_arrays()
        for name in SCENE_ARRAYS:
            if getattr(self, name) is not None:
                arrays = arrays | {name: getattr(self, name)}
        tensors = {
            f"network.{name}": value for name, value in self.network.state_dict().items()
        } | {
            f"scene.{name}": torch.from_numpy(np.array(value, order="C"))
            for name, value in arrays.items()
        }
        about = {
            "format": FORMAT,
            "options": self.options,
            "classes": [
                {"id": int(i), "name": self.class_names[i], "color": self.class_colors[i]}
                for i in self.class_ids.tolist()
            ],
        }
        write_model(path, about=about, tensors=tensors)

    @classmethod
    def load(cls, path: Path | str) -> Classifier:
        """Read what `save` wrote.

        Raises
        ------
        RunError
            If the file is missing, damaged, or not one of these, or of a network that is not
            known here.
        """
        about, tensors = read_model(path, format_=FORMAT)
        try:
            _check_model(Path(path), about["options"]["name"])
            return cls._from_parts(about, tensors)
        except ALTERED as error:
            raise damaged(path, error) from error

    @classmethod
    def _from_parts(cls, about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Classifier:
        """Put together what `save` took apart; raises what comes if the parts do not fit."""
        # No memory and no random numbers for weights that are replaced at once.
        with torch.device("meta"):
            network = build_model(**about["options"])
        network.load_state_dict(within(tensors, "network."), assign=True)
        network.eval()
        arrays = {name: value.numpy() for name, value in within(tensors, "scene.").items()}
        wavelengths, fwhm, file_bands = (arrays.pop(name, None) for name in SCENE_ARRAYS)
        reduction, classes = read_reduction(arrays), about["classes"]
        ids = np.array([each["id"] for each in classes], dtype=np.int32)
        bands = len(reduction.mean_)
        if (
            not reduction.fits(bands, network.bands)
            or (network.classes,) != ids.shape
            or len(set(ids.tolist())) != len(ids)
            or any(each is not None and each.shape != (bands,) for each in (wavelengths, fwhm))
            or (file_bands is not None and np.count_nonzero(file_bands) != bands)
        ):
            raise ValueError("network, band reduction and classes do not fit each other")
        return cls(
            network=network,
            options=about["options"],
            reduction=reduction,
            class_ids=ids,
            class_names={each["id"]: each["name"] for each in classes},
            class_colors={each["id"]: tuple(each["color"]) for each in classes},
            wavelengths=wavelengths,
            fwhm=fwhm,
            file_bands=file_bands,
        )


def _check_model(path: Path, name: Any) -> None:
    if name in MODELS:
        return
    raise RunError(
        f"{path} holds a network '{name}', which is not known here\n"
        "If it is your own, call hsi.register_model with its builder first, in the same Python "
        f"process."
    )
