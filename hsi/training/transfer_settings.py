"""The settings of a transfer: which network starts from what, and how it learns photographs."""

from __future__ import annotations

import os
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from hsi.errors import unknown_name
from hsi.training.checked import Checked
from hsi.training.descent import Descent, Precision

# Side of the photographs that a network was made for, where it is not 224: LeNet-5's digits, and
# table 4 of the EfficientNet paper's search, https://arxiv.org/abs/1905.11946, as published.
SIZES = {
    "lenet5": 28,
    "efficientnet_b1": 240,
    "efficientnet_b2": 260,
    "efficientnet_b3": 300,
    "efficientnet_b4": 380,
    "efficientnet_b5": 456,
    "efficientnet_b6": 528,
    "efficientnet_b7": 600,
}
USUAL_SIZE, SMALL_SIZE = 224, 32
# A last layer alone bears large steps; learned features are lost by them.
RATES = {"last layer": 3e-3, "learned weights": 2e-4, "fresh weights": 1e-3}
VALIDATION = 0.2


class TransferSettings(Checked):
    """Everything that a transfer depends on, but for the photographs and the device."""

    backbone: str = "resnet18"
    weights: str | None = None
    """``"imagenet"``, the path of a file, or None: fresh weights."""
    freeze: Literal["none", "features"] = "none"
    """``"features"``: only the last layer is trained, on features that stay as they came."""
    attention: str | None = None
    """Name of an attention block. None, or ``"none"``: the network as it is."""
    small_stem: bool = False
    size: int | None = Field(default=None, ge=8)
    """Side of the square that the network sees, in pixels. None: what the network was made for."""
    validation: float | None = Field(default=None, ge=0, lt=1)
    """Share of the training photographs. None: 0.2, unless there is a folder of them."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    epochs: int = Field(default=10, ge=1)
    batch_size: int = Field(default=32, ge=2)
    """Photographs of a step, nearly: an epoch is divided evenly."""
    optimizer: Literal["adam", "adamw"] = "adamw"
    learning_rate: float | None = Field(default=None, gt=0)
    """The constant rate, or the highest of the one-cycle schedule. None: by what is trained."""
    schedule: Literal["constant", "one-cycle"] = "one-cycle"
    weight_decay: float = Field(default=0.01, ge=0)
    augmentation: Literal["none", "crop-flip", "crop-flip-color"] = "crop-flip"
    """Parts of a photograph at random, in both reflections, and in other light."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    precision: Precision = "auto"
    """See `hsi.training.descent.Precision`: mixed on CUDA, unless it is to be full."""

    @field_validator("weights", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return os.fspath(value) if isinstance(value, os.PathLike) else value

    @field_validator("attention")
    @classmethod
    def _as_nothing(cls, value: str | None) -> str | None:
        # `changed` leaves what is None as it was; this takes the attention of a run away.
        return None if value == "none" else value

    @model_validator(mode="after")
    def _something_to_keep(self) -> Self:
        if self.freeze == "features" and self.weights is None:
            raise ValueError(
                "freeze='features' keeps features that were learned before: add weights "
                "(--weights imagenet), or train all of the network (--freeze none)"
            )
        return self

    def changed(self, **changes: Any) -> Self:
        """Return these settings with some of them changed.

        Parameters
        ----------
        **changes
            Settings by name; None leaves one as it is.

        Raises
        ------
        UsageError
            If a name is unknown (with the nearest one) or a value impossible.

        Examples
        --------
        >>> TransferSettings().changed(backbone="lenet5", epochs=3).epochs
        3
        """
        for name in changes:
            if name not in type(self).model_fields:
                raise unknown_name("setting", name, type(self).model_fields)
        given = {name: value for name, value in changes.items() if value is not None}
        return self.from_table(self.model_dump() | given)

    @property
    def side(self) -> int:
        """Side of the square that the network sees."""
        if self.size is not None:
            return self.size
        return SMALL_SIZE if self.small_stem else SIZES.get(self.backbone, USUAL_SIZE)

    @property
    def descent(self) -> Descent:
        """What the training loop reads of this."""
        if self.freeze == "features":
            trained = "last layer"
        else:
            trained = "fresh weights" if self.weights is None else "learned weights"
        return Descent(
            optimizer=self.optimizer,
            learning_rate=self.learning_rate or RATES[trained],
            schedule=self.schedule,
            weight_decay=self.weight_decay,
            precision=self.precision,
        )
