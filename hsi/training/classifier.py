"""A trained classifier: all that a map of another scene needs, in one file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.errors import RunError, SceneError
from hsi.inference import Precision, predict_scene
from hsi.models import MODELS, PatchNetwork, build_model
from hsi.sampling import BandPCA, to_labels
from hsi.scenes import Scene
from hsi.training.bands import TrainedBands, match_bands
from hsi.training.model_file import ALTERED, damaged, read_model, within, write_model

FORMAT = 1
# What a file holds of the training scene's bands, where it is known.
SCENE_ARRAYS = ("wavelengths", "fwhm", "file_bands")
# Standard deviations of the training pixels: of one component, and of the first one for all
# components together.
FILL_DEVIATIONS, FILL_DISTANCE = 10_000, 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Classifier:
    """A network, the band reduction before it, and the classes that its outputs stand for.

    Attributes
    ----------
    network : PatchNetwork
        The trained network.
    options : dict
        The arguments of `build_model` that made it, its name included.
    reduction : BandPCA
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
    reduction: BandPCA
    class_ids: NDArray[np.int32]
    class_names: dict[int, str]
    class_colors: dict[int, tuple[int, int, int]]
    wavelengths: NDArray[np.float64] | None = field(default=None)
    fwhm: NDArray[np.float64] | None = field(default=None)
    file_bands: NDArray[np.bool_] | None = field(default=None)

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
        scene = match_bands(scene, self.bands)
        reduced = self.reduction.transform(scene.cube, valid=scene.valid)
        self._check_fill(scene, reduced)
        return reduced

    def scores(
        self,
        scene: Scene,
        *,
        method: Literal["auto", "dense", "patches"] = "auto",
        device: str | torch.device = "auto",
        precision: Precision = "full",
    ) -> NDArray[np.floating]:
        """Return the score map ``(classes, rows, cols)`` of `scene`."""
        return predict_scene(
            self.network,
            self.components(scene),
            method=method,
            device=device,
            precision=precision,
        )

    def class_map(
        self,
        scene: Scene,
        *,
        method: Literal["auto", "dense", "patches"] = "auto",
        device: str | torch.device = "auto",
        precision: Precision = "full",
    ) -> NDArray[np.int32]:
        """Return the label id ``(rows, cols)`` of every pixel of `scene`, 0 where no data is."""
        scene = match_bands(scene, self.bands)
        scores = self.scores(scene, method=method, device=device, precision=precision)
        targets = scores.argmax(axis=0)
        return np.where(scene.valid, to_labels(targets, self.class_ids), 0).astype(np.int32)

    def save(self, path: Path) -> None:
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
    def load(cls, path: Path) -> Classifier:
        """Read what `save` wrote.

        Raises
        ------
        RunError
            If the file is missing, damaged, or not one of these, or of a network that is not
            known here.
        """
        about, tensors = read_model(path, format_=FORMAT)
        try:
            _check_model(path, about["options"]["name"])
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
        reduction, classes = BandPCA.from_arrays(arrays), about["classes"]
        ids = np.array([each["id"] for each in classes], dtype=np.int32)
        bands = len(reduction.mean_)
        if (
            (network.bands, bands) != reduction.components_.shape
            or (network.bands,) != reduction.explained_variance_.shape
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

    def _check_fill(self, scene: Scene, reduced: NDArray[np.float32]) -> None:
        """Refuse pixels further from the mean of the training pixels than any surface is."""
        deviations = np.sqrt(self.reduction.explained_variance_)
        scale = deviations if self.reduction.whiten else np.ones_like(deviations)
        limits = FILL_DEVIATIONS * deviations / scale
        lowest, highest = reduced.min(axis=(0, 1)), reduced.max(axis=(0, 1))
        if ((lowest >= -limits) & (highest <= limits)).all():
            return
        beyond = ~(np.abs(reduced) <= limits).all(axis=2)
        # A component of hardly any variance is exceeded soon, but not far in the image's units.
        suspects = np.argwhere(beyond)
        pixels = reduced[beyond].astype(np.float64) * scale
        far = ~(np.linalg.norm(pixels, axis=1) <= FILL_DISTANCE * deviations[0])
        if not far.any():
            return
        row, col = suspects[far][0].tolist()
        values = np.asarray(scene.cube[row, col])
        band = int(np.abs(values.astype(np.float64) - self.reduction.mean_).argmax())
        value = str(values[band])  # as short as the type allows, and yet exact
        raise SceneError(
            f"{scene.name} holds {value} at row {row}, column {col} (band {band + 1}), "
            f"and {int(far.sum()):,} pixels in all lie more than {FILL_DEVIATIONS:,} standard "
            "deviations away from the training pixels\n"
            f"That looks like a fill value: declare it with nodata={value} (--nodata={value})."
        )


def _check_model(path: Path, name: Any) -> None:
    if name in MODELS:
        return
    raise RunError(
        f"{path} holds a network '{name}', which is not known here\n"
        "If it is your own, call hsi.register_model with its builder first, in the same Python "
        f"process."
    )
