"""From a scene and a split to a trained classifier: no folder, no map, no test."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from hsi.backbones.weights import NO_WEIGHTS
from hsi.errors import UsageError
from hsi.models import build_model, check_once
from hsi.models.estimator import SpectralEstimator
from hsi.models.network import PatchNetwork
from hsi.sampling import Split, make_reduction, to_targets
from hsi.scenes import Scene
from hsi.training import Classifier, Epoch, Progress, Settings, fit, settle
from hsi.training.ranks import Ranks
from hsi.training.state import Capture, State


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """A trained classifier and how it came about.

    Attributes
    ----------
    classifier : Classifier
        Trained.
    history : list of Epoch
        Empty for classifiers that are not trained in epochs.
    seconds : float
        That the training took.
    chosen : dict
        Hyperparameters that were chosen, by validation pixels or within the training pixels.
    """

    classifier: Classifier
    history: list[Epoch]
    seconds: float
    chosen: dict[str, Any] = field(default_factory=dict)


class Learning:
    """A classifier that is about to be trained on part of a scene.

    Parameters
    ----------
    scene : Scene
        With labels.
    split : Split
        Its pixels; those of the test are not looked at.
    settings : Settings
        Resolved (see `Settings.resolved`).
    device : torch.device
        Where to compute.

    Attributes
    ----------
    classifier : Classifier
        With fitted reduction and, at first, fresh weights.

    Raises
    ------
    UsageError
        If the settings do not fit each other or the scene.
    """

    def __init__(
        self, scene: Scene, split: Split, settings: Settings, *, device: torch.device
    ) -> None:
        assert scene.labels is not None
        self.split, self.settings = split, settings
        self.classifier = _untrained(scene, split, settings)
        self._cube = self.classifier.components(scene)
        # Labels of test pixels are not at hand while something is learned or chosen.
        known = np.where(split.train | split.validation, scene.labels, 0)
        self._targets = to_targets(known, self.classifier.class_ids)
        self._how: dict[str, Any] = {
            "train": split.train,
            "recipe": settings.recipe,
            "seed": settings.seed,
            "device": device,
        }

    @property
    def has_steps(self) -> bool:
        """Whether the network is trained in steps, after each of which one can stop."""
        return not isinstance(self.classifier.network, SpectralEstimator)

    def settle(self) -> None:
        """Make the network fit for evaluation where training leaves it between epochs."""
        settle(self.classifier.network, self._cube, self._targets, **self._how)

    def run(
        self,
        *,
        progress: Progress | None = None,
        keep: Callable[[PatchNetwork, Epoch], None] | None = None,
        after_step: Callable[[Capture], None] | None = None,
        resume: State | None = None,
        ranks: Ranks | None = None,
    ) -> Learned:
        """Train; arguments as for `hsi.training.fit`."""
        network, start = self.classifier.network, time.perf_counter()
        history: list[Epoch] = []
        chosen: dict[str, Any] = {}
        if isinstance(network, SpectralEstimator):
            train, validation = (
                (self._cube[mask], self._targets[mask])
                for mask in (self.split.train, self.split.validation)
            )
            chosen = network.learn(*train, validation=validation, seed=self.settings.seed)
            network.eval()
        else:
            history = fit(
                network,
                self._cube,
                self._targets,
                validation=self.split.validation,
                progress=progress,
                keep=keep,
                after_step=after_step,
                resume=resume,
                ranks=ranks,
                **self._how,
            )
        seconds = time.perf_counter() - start + (resume.place.seconds if resume else 0.0)
        return Learned(classifier=self.classifier, history=history, seconds=seconds, chosen=chosen)


def learn(
    scene: Scene,
    split: Split,
    settings: Settings,
    *,
    device: torch.device,
    progress: Progress | None = None,
    keep: Callable[[PatchNetwork, Epoch], None] | None = None,
) -> Learned:
    """Train a classifier on the training pixels of a split.

    Parameters
    ----------
    scene, split, settings, device
        As for `Learning`; the settings need not be resolved.
    progress : Progress, optional
        Told of every step and epoch.
    keep : callable, optional
        Called with network and epoch whenever the weights so far are worth keeping.

    Raises
    ------
    UsageError
        If the settings do not fit each other or the scene.
    DivergedError
        If the loss or the weights are no longer finite.
    """
    learning = Learning(scene, split, settings.resolved(scene), device=device)
    return learning.run(progress=progress, keep=keep)


def _untrained(scene: Scene, split: Split, settings: Settings) -> Classifier:
    """Return a classifier with a fitted reduction and fresh weights."""
    assert settings.reduction is not None
    if settings.components is not None and settings.components > scene.bands:
        raise UsageError(
            f"{settings.components} components cannot be made of the {scene.bands} bands of "
            f"{scene.name}; choose fewer components (--components)"
        )
    options: dict[str, Any] = {
        "name": settings.model,
        "bands": scene.bands if settings.reduction == "bands" else settings.components,
        "classes": len(scene.class_ids),
        "patch_size": settings.side,
        "norm": settings.norm,
        "dropout": settings.recipe.dropout,
        "attention": None if settings.attention == "none" else settings.attention,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        # Not among the options: a trained model needs no file to start from.
        weights = None if settings.weights == NO_WEIGHTS else settings.weights
        network = build_model(**options, weights=weights)
    check_once(network)
    fit_on = split.train if settings.pca_fit == "train" else scene.valid
    reduction = make_reduction(
        settings.reduction, components=settings.components, whiten=settings.whiten
    )
    return Classifier(
        network=network,
        options=options,
        reduction=reduction.fit(scene.cube, mask=fit_on),
        class_ids=scene.class_ids,
        class_names=scene.class_names,
        class_colors=scene.class_colors,
        wavelengths=scene.wavelengths,
        fwhm=scene.fwhm,
        file_bands=scene.file_bands,
    )
