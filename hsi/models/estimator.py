"""Classifiers of single spectra that are not found by gradients."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from hsi.errors import UsageError, unknown_name
from hsi.layers.convolutions import Norm
from hsi.models.choice import choose
from hsi.models.decision_rule import DecisionRule
from hsi.models.network import PatchNetwork


class SpectralEstimator(PatchNetwork):
    """A network that sees one pixel and learns from all training pixels at once.

    It is built, saved and mapped like any other; `learn` takes the place of the training loop.
    What it learned lies in buffers whose sizes depend on the training pixels; `load_state_dict`
    takes any that fit each other.

    Parameters
    ----------
    name : str
        As messages name it.
    rule : type
        What decides, a `DecisionRule`.
    bands, classes : int
        Sizes of input and output.
    patch_size : int
        1: there is nothing around the pixel to look at.
    norm, dropout
        As for every builder; checked, and without effect: there are no layers to which they apply.

    Raises
    ------
    UsageError
        If the sizes do not fit.
    """

    def __init__(
        self,
        *,
        name: str,
        rule: type[DecisionRule],
        bands: int,
        classes: int,
        patch_size: int,
        norm: str,
        dropout: float,
    ) -> None:
        if bands < 1:
            raise UsageError(f"{name} needs at least one band or component, not {bands}")
        if classes < 2:
            raise UsageError(f"{name} needs at least 2 classes to tell apart, not {classes}")
        if patch_size != 1:
            raise UsageError(
                f"{name} looks at the spectrum of one pixel and at nothing around it: patch_size "
                f"(--patch-size) must be 1, not {patch_size}"
            )
        if norm not in get_args(Norm):
            raise unknown_name("norm", norm, get_args(Norm))
        if not 0 <= dropout < 1:
            raise UsageError(f"dropout must be in [0, 1), not {dropout}")
        super().__init__(
            trunk=nn.Identity(),
            head=nn.Sequential(nn.Flatten(), rule(bands=bands, classes=classes)),
            bands=bands,
            classes=classes,
            patch_size=patch_size,
            receptive_field=1,
        )

    @property
    def rule(self) -> DecisionRule:
        """What decides."""
        assert isinstance(self.head, nn.Sequential)
        rule = self.head[1]
        assert isinstance(rule, DecisionRule)
        return rule

    def learn(
        self,
        spectra: ArrayLike,
        targets: ArrayLike,
        *,
        validation: tuple[ArrayLike, ArrayLike] | None,
        seed: int,
    ) -> dict[str, Any]:
        """Choose hyperparameters and learn from the training pixels, in place.

        The hyperparameters are those with which most validation pixels are right, or most training
        pixels in cross-validation, see `hsi.models.choice`. With them, it learns from all training
        pixels, and from those alone.

        Parameters
        ----------
        spectra : array_like
            ``(n, bands)`` of the training pixels, as the network will be given them.
        targets : array_like
            ``(n,)``, ``0..classes - 1``. Classes without training pixels are never predicted.
        validation : tuple or None
            Spectra and targets of the validation pixels, if there are any.
        seed : int
            Of all that is random, from 0.

        Returns
        -------
        dict
            The hyperparameters by name, ``how`` they were chosen, and the ``accuracy`` that decided
            (None if nothing could); and how large the classifier came out, such as
            ``support_vectors``. JSON can hold it.

        Raises
        ------
        UsageError
            If the arrays do not fit the network or each other, or the training pixels are not of
            two classes at least.
        """
        training = self._checked(spectra, targets, "training")
        if len(np.unique(training[1])) < 2:
            raise UsageError(
                f"the {len(training[1]):,} training pixels are of one class only; to tell classes "
                "apart takes at least two"
            )
        judges = None if validation is None else self._checked(*validation, "validation")
        if judges is not None and not len(judges[1]):
            judges = None
        choice = choose(self.rule, *training, validation=judges, seed=seed)
        fitted = self.rule.fit(*training, choice.hyperparameters, seed=seed)
        sizes = self.rule.take(fitted, *training)
        return {
            **choice.hyperparameters,
            "how": choice.how,
            "accuracy": choice.accuracy,
            **sizes,
        }

    def _checked(
        self, spectra: ArrayLike, targets: ArrayLike, kind: str
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        spectra, targets = np.asarray(spectra), np.asarray(targets)
        if spectra.shape != (*targets.shape, self.bands) or targets.ndim != 1:
            raise UsageError(
                f"{kind} spectra have shape {spectra.shape} and targets {targets.shape}; expected "
                f"(n, {self.bands}) and (n,)"
            )
        if targets.dtype.kind not in "iu" or not ((targets >= 0) & (targets < self.classes)).all():
            raise UsageError(f"{kind} targets must be whole numbers from 0 to {self.classes - 1}")
        spectra = spectra.astype(np.float32)
        if not np.isfinite(spectra).all():
            raise UsageError(f"some of the {kind} spectra hold NaN, infinity, or more than float32")
        return spectra, targets.astype(np.int64)
