"""The settings of a denoiser: what it sees, which noise it learns, and how."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from hsi.denoising import BLIND_DEPTH, FIXED_DEPTH, NOISES, On, parse_sigma
from hsi.errors import unknown_name
from hsi.training.checked import Checked
from hsi.training.descent import Descent, Precision

GROUP = 5


class DenoiseSettings(Checked):
    """Everything that the training of a denoiser depends on, but for scenes and device."""

    on: On = "components"
    """``"components"``: noise-whitened ones, one at a time; ``"bands"``: neighbouring ones."""
    group: int | None = Field(default=None, ge=1)
    """Neighbouring bands that are denoised together. None: 5; components have no groups."""
    sigma: str = "0-55"
    """Noise on the scale of 0 to 255 of a band's range: one level, ``"25"``, or a range (blind)."""
    noise: list[str] = Field(default=["gaussian"], min_length=1)
    """Kinds of noise, each as likely; see `hsi.denoising.add_noise`."""
    depth: int | None = Field(default=None, ge=3)
    """Convolutions. None: as in the paper, 17 for one level of noise and 20 for a range."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    epochs: int = Field(default=30, ge=1)
    steps: int = Field(default=50, ge=1)
    """Steps of an epoch; each has noise of its own on a part of one scene."""
    batch_size: int = Field(default=16, ge=2)
    """Patches of a step."""
    patch_size: int = Field(default=32, ge=8)
    """Side of a patch in pixels."""
    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: float = Field(default=1e-3, gt=0)
    """The constant rate, or the highest of the one-cycle schedule."""
    schedule: Literal["constant", "one-cycle"] = "one-cycle"
    weight_decay: float = Field(default=0.0, ge=0)
    precision: Precision = "auto"
    """See `hsi.training.descent.Precision`."""

    @field_validator("sigma")
    @classmethod
    def _as_range(cls, value: str) -> str:
        low, high = parse_sigma(value)
        return f"{low:g}" if low == high else f"{low:g}-{high:g}"

    @field_validator("noise")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        for each in value:
            if each not in NOISES:
                raise ValueError(str(unknown_name("noise", each, NOISES)))
        return list(dict.fromkeys(value))

    @model_validator(mode="after")
    def _groups_of_bands(self) -> Self:
        if self.group is not None and self.on == "components":
            raise ValueError(
                "components are denoised one at a time: leave out group (--group), or denoise "
                "bands (--on bands)"
            )
        return self

    def changed(self, **changes: Any) -> Self:
        """Return these settings with some of them changed; None leaves one as it is.

        Raises
        ------
        UsageError
            If a name is unknown (with the nearest one) or a value impossible.

        Examples
        --------
        >>> DenoiseSettings().changed(sigma="25").layers
        17
        """
        for name in changes:
            if name not in type(self).model_fields:
                raise unknown_name("setting", name, type(self).model_fields)
        given = {name: value for name, value in changes.items() if value is not None}
        return self.from_table(self.model_dump() | given)

    @property
    def levels(self) -> tuple[float, float]:
        """Both ends of the range of noise, on the scale of 0 to 255."""
        return parse_sigma(self.sigma)

    @property
    def layers(self) -> int:
        """Convolutions of the network."""
        low, high = self.levels
        return self.depth or (FIXED_DEPTH if low == high else BLIND_DEPTH)

    @property
    def channels(self) -> int:
        """Images that the network denoises together."""
        return 1 if self.on == "components" else self.group or GROUP

    @property
    def descent(self) -> Descent:
        """What the training loop reads of this."""
        return Descent(
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            schedule=self.schedule,
            weight_decay=self.weight_decay,
            precision=self.precision,
        )
