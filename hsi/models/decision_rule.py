"""What decides in a classifier of single spectra, as tensors whose sizes depend on the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

Hyperparameters = dict[str, float | int]


class Learned(NamedTuple):
    """Type and axes of a tensor that a rule learns."""

    dtype: torch.dtype
    axes: tuple[str, ...]
    """``"bands"`` and ``"classes"`` are those of the network; others are as long as the data ask,
    and of one length in all tensors of a rule."""


class DecisionRule(nn.Module):
    """Scores of spectra, ``(N, bands) -> (N, classes)``, by what scikit-learn found.

    A rule says what scikit-learn is to fit and copies what comes of it into its own tensors. It is
    then a module like any other: saved with its tensors, and computed without scikit-learn. Before
    it has learned, all its scores are 0.

    Parameters
    ----------
    bands, classes : int
        Sizes of input and output.

    Attributes
    ----------
    TENSORS : dict
        The buffers that it learns, by name.
    """

    TENSORS: ClassVar[Mapping[str, Learned]] = {}

    def __init__(self, *, bands: int, classes: int) -> None:
        super().__init__()
        self.bands, self.classes = bands, classes
        lengths = {"bands": bands, "classes": classes}
        for name, (dtype, axes) in self.TENSORS.items():
            shape = [lengths.get(axis, 0) for axis in axes]
            self.register_buffer(name, torch.zeros(shape, dtype=dtype))

    def candidates(self, pixels: int) -> list[Hyperparameters]:
        """Return the hyperparameters to choose from, the usual ones first.

        Parameters
        ----------
        pixels : int
            Training pixels that there will be at least.
        """
        raise NotImplementedError

    def fit(
        self,
        spectra: NDArray[np.float32],
        targets: NDArray[np.int64],
        hyperparameters: Hyperparameters,
        *,
        seed: int,
    ) -> Any:
        """Return a classifier of scikit-learn, fitted to spectra ``(n, bands)``."""
        raise NotImplementedError

    def take(
        self, fitted: Any, spectra: NDArray[np.float32], targets: NDArray[np.int64]
    ) -> dict[str, int]:
        """Copy what `fit` found in these pixels, and return how large it is, by name."""
        raise NotImplementedError

    def set_tensors(self, **values: ArrayLike) -> None:
        """Replace tensors by others, of any sizes that fit each other."""
        assert values.keys() == self.TENSORS.keys()
        found = {
            name: torch.tensor(np.asarray(value), dtype=self.TENSORS[name].dtype)
            for name, value in values.items()
        }
        wrong = self._misfits(found)
        assert not wrong, wrong
        for name, value in found.items():
            setattr(self, name, value.to(getattr(self, name).device))

    def fix_numbers(self) -> None:
        """Keep whole numbers as such, no more as tensors: a graph's form cannot depend on these.

        It can then be captured and computed, and no more be saved.
        """
        for name, (dtype, axes) in self.TENSORS.items():
            if dtype == torch.int64 and not axes:
                number = number_in(getattr(self, name))
                delattr(self, name)
                setattr(self, name, number)

    def _misfits(self, tensors: Mapping[str, Tensor]) -> list[str]:
        """Say which shapes fit neither this rule nor each other."""
        lengths = {"bands": self.bands, "classes": self.classes}
        wrong = []
        for name, value in tensors.items():
            axes = self.TENSORS[name].axes
            if value.ndim != len(axes) or any(
                lengths.setdefault(axis, length) != length
                for axis, length in zip(axes, value.shape, strict=True)
            ):
                wrong.append(f"{name} has shape {tuple(value.shape)}; expected ({', '.join(axes)})")
        return wrong

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Make room for tensors of other sizes, which PyTorch would refuse."""
        errors: list[str] = rest[-1]
        came = {
            name: state_dict[prefix + name] for name in self.TENSORS if prefix + name in state_dict
        }
        errors += self._misfits(came)
        for name, value in came.items():
            setattr(self, name, getattr(self, name).new_empty(value.shape))
        super()._load_from_state_dict(state_dict, prefix, *rest)


def number_in(tensor: Tensor | int) -> int:
    """Return the whole number that `tensor` holds; 1 where it is a shape alone (meta device)."""
    if isinstance(tensor, int):
        return tensor
    return 1 if tensor.is_meta else int(tensor)


def log_probabilities(probabilities: Tensor) -> Tensor:
    """Return logarithms whose softmax are the probabilities, finite where these are 0."""
    return probabilities.clamp(min=torch.finfo(torch.float32).tiny).log()
