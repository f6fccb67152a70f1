"""The settings of a cross-modal retrieval: how two modalities are brought into one space."""

from __future__ import annotations

import os
from typing import Any, Literal, Self

from pydantic import Field, field_validator

from hsi.errors import unknown_name
from hsi.training.checked import Checked
from hsi.training.descent import Descent
from hsi.training.settings import Settings
from hsi.training.split_settings import suit_split

# Of L. Zhen et al., "Deep Supervised Cross-Modal Retrieval", CVPR 2019, and their code.
BETAS = (0.5, 0.999)
PATCH_SIZE, VALIDATION = 5, 0.1
# What `Settings` knows of splits, by the same names.
OF_SPLIT = ("split", "split_file", "folds", "guard", "train", "validation", "seed", "patch_size")


class RetrievalSettings(Checked):
    """Everything that a retrieval depends on, but for the data and the device."""

    patch_size: int | None = Field(default=None, ge=1)
    """Side of the patches of both rasters. None: 5; arrays of features have none, which is 1."""
    components: int | None = Field(default=None, ge=1)
    """A modality of more values is reduced to so many principal components. None: as many as are
    customary for the scene."""
    dimensions: int = Field(default=256, ge=1)
    """Of the common space."""
    alpha: float = Field(default=1e-3, ge=0)
    """Weight of the likelihood that pairs of one class are alike."""
    beta: float = Field(default=1e-1, ge=0)
    """Weight of the distance between the modalities of one place."""
    split: Literal["random", "blocks", "folds", "official", "file"] = "random"
    """As for `hsi.Settings`, and so are the next."""
    split_file: str | None = None
    folds: int = Field(default=5, ge=2)
    guard: int | None = Field(default=None, ge=0)
    train: int | float | None = Field(default=None, gt=0)
    validation: int | float | None = Field(default=None, ge=0)
    """Pixels that choose the epoch: there must be some, as the test chooses nothing. None: a tenth
    of each class, or those that a file names."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    epochs: int = Field(default=100, ge=1)
    batch_size: int = Field(default=100, ge=2)
    """Pairs of a step, nearly: an epoch is divided evenly."""
    learning_rate: float = Field(default=1e-4, gt=0)
    """The constant rate, or the highest of the one-cycle schedule."""
    schedule: Literal["constant", "one-cycle"] = "constant"

    @field_validator("split_file", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return os.fspath(value) if isinstance(value, os.PathLike) else value

    @field_validator("patch_size")
    @classmethod
    def _odd(cls, value: int | None) -> int | None:
        if value is not None and value % 2 == 0:
            raise ValueError(f"must be odd, since the pixel is its centre; {value} is even")
        return value

    def changed(self, **changes: Any) -> Self:
        """Return these settings with some of them changed.

        Parameters
        ----------
        **changes
            Settings by name; None leaves one as it is. `split_file` and `folds` imply the split
            that needs them.

        Raises
        ------
        UsageError
            If a name is unknown (with the nearest one) or a value impossible.

        Examples
        --------
        >>> RetrievalSettings().changed(dimensions=64, epochs=3).epochs
        3
        """
        for name in changes:
            if name not in type(self).model_fields:
                raise unknown_name("setting", name, type(self).model_fields)
        given = {name: value for name, value in changes.items() if value is not None}
        whole, given = suit_split(self.model_dump(), given)
        return self.from_table(whole | given)

    @property
    def side(self) -> int:
        """Side of a patch."""
        return PATCH_SIZE if self.patch_size is None else self.patch_size

    @property
    def of_split(self) -> Settings:
        """What says how pixels are split."""
        table = {name: getattr(self, name) for name in OF_SPLIT}
        usual = 0.0 if self.split == "file" else VALIDATION
        validation = usual if self.validation is None else self.validation
        return Settings.from_table(table | {"patch_size": self.side, "validation": validation})

    @property
    def descent(self) -> Descent:
        """What the training loop reads of this."""
        return Descent(
            optimizer="adam",
            learning_rate=self.learning_rate,
            schedule=self.schedule,
            weight_decay=0.0,
            precision="full",
            betas=BETAS,
        )
