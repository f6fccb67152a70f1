"""The two things that can be made of the bands, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hsi.sampling.reduction import BandPCA
from hsi.sampling.scaling import BandScaler

Reduction = BandPCA | BandScaler


def make_reduction(
    name: Literal["pca", "bands"], *, components: int | None, whiten: bool
) -> Reduction:
    """Return a reduction that is not fitted yet; scaled bands need neither of the arguments.

    Components that are not whitened are scaled jointly.
    """
    if name == "bands":
        return BandScaler()
    assert components is not None
    return BandPCA(components, whiten=whiten, joint=True)


def read_reduction(arrays: Mapping[str, NDArray[np.generic]] | Mapping[str, Any]) -> Reduction:
    """Return the fitted reduction that its `to_arrays` took apart."""
    return (BandPCA if "components" in arrays else BandScaler).from_arrays(arrays)
