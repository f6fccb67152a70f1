"""A trained classifier of photographs: all that it takes to classify others, in one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hsi.backbones import BACKBONES, Backbone, build_backbone
from hsi.errors import RunError
from hsi.inference import resolve_device
from hsi.inference.mode import evaluating
from hsi.photographs import Unreadable, decode_all
from hsi.training.model_file import ALTERED, damaged, read_model, within, write_model

FORMAT = "photographs-1"
# Photographs are kept a little larger than a network sees them, as is usual for ImageNet (256 for
# 224). Those so small that their borders matter are seen whole.
MARGIN, WHOLE_BELOW = 8 / 7, 64
# Photographs that are evaluated together.
BATCH = 64


@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one photograph."""

    path: Path
    name: str
    """Of the likeliest class."""
    probability: float
    probabilities: dict[str, float]
    """Of each class, by name."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PhotographClassifier:
    """A network, the way that photographs become its input, and the classes of its outputs.

    Attributes
    ----------
    network : Backbone
        The trained network.
    options : dict
        The arguments of `build_backbone` that made it, but for the weights.
    class_names : tuple of str
        In the order of the network's outputs.
    size : int
        Side of the square that the network sees, in pixels.
    mean, std : tuple of float
        Of red, green and blue in [0, 1], by which the input is standardised.
    """

    network: Backbone
    options: dict[str, Any]
    class_names: tuple[str, ...]
    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @property
    def side(self) -> int:
        """Side in pixels of the squares that photographs are reduced to before anything else."""
        return stored_side(self.size)

    def inputs(self, images: Tensor, augmentation: nn.Module | None = None) -> Tensor:
        """Return what the network sees ``(N, 3, size, size)`` of `images` ``(N, side, side, 3)``.

        That is the central square, unless an augmentation takes another one.
        """
        x = images.permute(0, 3, 1, 2).float() / 255  # (N, 3, side, side)
        if augmentation is None:
            edge = (images.shape[1] - self.size) // 2
            x = x[:, :, edge : edge + self.size, edge : edge + self.size]
        else:
            x = augmentation(x)
        mean, std = (x.new_tensor(values).view(3, 1, 1) for values in (self.mean, self.std))
        return ((x - mean) / std).contiguous(memory_format=torch.channels_last)

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the logits ``(N, classes)`` of `images` ``(N, side, side, 3)``.

        In evaluation mode, without augmentation: the one way in which accuracies are measured, be
        it on photographs for training, validation or test.
        """
        device = next(self.network.parameters()).device
        found = [np.empty((0, len(self.class_names)), np.float32)]
        with evaluating(self.network):
            for batch in batches_of(images):
                found.append(self.network(self.inputs(batch.to(device))).float().cpu().numpy())
        return np.concatenate(found)

    def predict(
        self, paths: Sequence[Path], *, device: str | torch.device = "auto"
    ) -> tuple[list[Prediction], list[Unreadable]]:
        """Classify files.

        Returns
        -------
        list of Prediction, list of Unreadable
            In the order of `paths`: those that could be read, and those that could not.
        """
        self.network.to(resolve_device(device))
        predictions: list[Prediction] = []
        unreadable: list[Unreadable] = []
        # A few at a time, so that any number fits into memory.
        for start in range(0, len(paths), 4 * BATCH):
            part = paths[start : start + 4 * BATCH]
            decoded = decode_all(part, side=self.side)
            unreadable += decoded.unreadable
            shares = probabilities(self.scores(decoded.images))
            for place, row in zip(decoded.places.tolist(), shares.tolist(), strict=True):
                best = int(np.argmax(row))
                predictions.append(
                    Prediction(
                        path=part[place],
                        name=self.class_names[best],
                        probability=row[best],
                        probabilities=dict(zip(self.class_names, row, strict=True)),
                    )
                )
        return predictions, unreadable

    def save(self, path: Path | str) -> None:
        """Write everything to `path`, a safetensors file, all of it or nothing."""
        about = {
            "format": FORMAT,
            "options": self.options,
            "classes": self.class_names,
            "size": self.size,
            "mean": self.mean,
            "std": self.std,
        }
        state = self.network.state_dict().items()
        write_model(path, about=about, tensors={f"network.{name}": value for name, value in state})

    @classmethod
    def load(cls, path: Path | str) -> PhotographClassifier:
        """Read what `save` wrote.

        Raises
        ------
        RunError
            If the file is missing, damaged, or not one of these.
        """
        about, tensors = read_model(path, format_=FORMAT)
        try:
            name = about["options"]["name"]
            if name not in BACKBONES:
                raise RunError(f"{path} holds a network '{name}', which is not known here")
            names = tuple(str(each) for each in about["classes"])
            # No memory and no random numbers for weights that are replaced at once.
            with torch.device("meta"):
                network = build_backbone(**about["options"])
            network.load_state_dict(within(tensors, "network."), assign=True)
            if about["options"]["classes"] != len(names) or len(set(names)) != len(names):
                raise ValueError("network and classes do not fit each other")
            mean, std = (tuple(map(float, about[each])) for each in ("mean", "std"))
            if len(mean) != 3 or len(std) != 3 or type(about["size"]) is not int:
                raise ValueError("mean, std or size is not what it should be")
        except ALTERED as error:
            raise damaged(path, error) from error
        return cls(
            network=network.eval(),
            options=about["options"],
            class_names=names,
            size=about["size"],
            mean=mean,
            std=std,
        )


def stored_side(size: int) -> int:
    """Return the side of the square that is kept of a photograph which a network sees at `size`.

    Examples
    --------
    >>> stored_side(224), stored_side(28)
    (256, 28)
    """
    return size if size < WHOLE_BELOW else round(MARGIN * size)


def batches_of(images: NDArray[np.uint8]) -> Iterator[Tensor]:
    """Yield `images`, which may lie on disk, a few at a time."""
    for start in range(0, len(images), BATCH):
        yield torch.from_numpy(np.array(images[start : start + BATCH]))


def probabilities(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the softmax ``(N, classes)`` of logits."""
    return torch.from_numpy(scores).double().softmax(dim=1).numpy()
