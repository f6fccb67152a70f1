"""What an exported file says of itself: bands, classes, sizes; all that a map needs to know."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hsi.scenes.trained_bands import TrainedBands

FORMAT = 1
# The name in the metadata of a file.
KEY = "hsi"
# Inputs and outputs of the graph.
CUBE, OUTPUTS = "cube", ("class", "confidence", "scores", "components")

# More bands, or pixels on a side of a patch, than anybody has.
_MANY = 100_000
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Byte = Annotated[int, Field(ge=0, le=255)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DescribedClass(_Part):
    """A class, as a map shows it."""

    id: int = Field(ge=1, le=2**31 - 1)
    name: str
    color: tuple[Byte, Byte, Byte] = Field(strict=False)


class DescribedBands(_Part):
    """The bands of the cube, as `hsi.training.TrainedBands` has them."""

    count: int = Field(ge=1, le=_MANY)
    wavelengths: list[Finite] | None
    """Centres in nanometres."""
    fwhm: list[Finite] | None
    """Full widths at half maximum in nanometres."""
    file_bands: list[bool] | None
    """Which bands of its file the training scene held."""


class DescribedReduction(_Part):
    """What is known of the training pixels, by which fill values are found."""

    mean: list[Finite]
    """Of each band."""
    scale: list[Positive]
    """What each component is divided by."""
    explained_variance: list[Annotated[float, Field(ge=0, allow_inf_nan=False)]]
    """Of each component, before that."""

    @cached_property
    def mean_(self) -> NDArray[np.float64]:
        """``(bands,)``."""
        return np.array(self.mean)

    @cached_property
    def scale_(self) -> NDArray[np.float64]:
        """``(components,)``."""
        return np.array(self.scale)

    @cached_property
    def explained_variance_(self) -> NDArray[np.float64]:
        """``(components,)``."""
        return np.array(self.explained_variance)


class Description(_Part):
    """All that is to be known of an exported classifier beside its graph.

    It stands in the file as JSON, under the name ``hsi``.
    """

    format: Literal[1]
    hsi: str
    """The version that wrote it."""
    model: str
    """With its attention."""
    form: Literal["dense", "windows", "patches"]
    """How the graph goes from a tile to its pixels, see `docs/deploy.md`."""
    patch_size: int = Field(ge=1, le=_MANY)
    components: int = Field(ge=1, le=_MANY)
    bands: DescribedBands
    classes: list[DescribedClass] = Field(min_length=2)
    """In the order of the scores."""
    reduction: DescribedReduction
    position_bytes: int = Field(ge=1, le=2**40)
    """What computing takes for each position of the cube, margin included; roughly."""
    pixel_bytes: int = Field(ge=1, le=2**40)
    """And for each pixel of the tile."""
    weights: str
    """Sixteen digits that stand for the run's weights, as in `map.json`."""

    @model_validator(mode="after")
    def _fits(self) -> Description:
        bands, reduction = self.bands, self.reduction
        lists = (bands.wavelengths, bands.fwhm, reduction.mean)
        ids = [each.id for each in self.classes]
        if (
            any(each is not None and len(each) != bands.count for each in lists)
            or (bands.file_bands is not None and sum(bands.file_bands) != bands.count)
            or {len(reduction.scale), len(reduction.explained_variance)} != {self.components}
            or len(set(ids)) != len(ids)
            or self.patch_size % 2 == 0
            or self.position_bytes < 4 * bands.count
        ):
            raise ValueError("bands, components, classes and patch do not fit each other")
        return self

    @property
    def margin(self) -> int:
        """Rows and columns of the cube on each side of a tile."""
        return self.patch_size // 2

    @property
    def trained_bands(self) -> TrainedBands:
        """The bands that a scene must have, or be brought to."""
        found: dict[str, Any] = self.bands.model_dump()
        kinds = {"wavelengths": np.float64, "fwhm": np.float64, "file_bands": np.bool_}
        arrays: dict[str, Any] = {
            name: None if found[name] is None else np.array(found[name], dtype=kind)
            for name, kind in kinds.items()
        }
        return TrainedBands(count=self.bands.count, **arrays)
