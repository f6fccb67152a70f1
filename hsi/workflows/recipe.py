"""How a network was trained on a scene, in words and with every default resolved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from hsi.report.chosen_words import chosen_in_words
from hsi.training import Settings
from hsi.training.batches import batch_count
from hsi.training.descent import START_BELOW, WARM_UP, half_precision, is_cycle

_OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW"}
_AUGMENTATIONS = {
    "none": "none",
    "dihedral": "each patch in one of its eight rotations and reflections, at random",
}
_NORMS = {"batch": "batch norm after each convolution", "none": "none, as in the paper"}
_PRECISIONS = {
    None: "full (float32)",
    torch.bfloat16: "mixed (bfloat16 and float32)",
    torch.float16: "mixed (float16 and float32)",
}
_FITTED = {
    "train": "fitted on the training pixels alone",
    "scene": "fitted on all pixels of the scene, those of the test too",
}


def recipe_in_words(
    settings: Settings, *, train_pixels: int, device: torch.device
) -> list[tuple[str, str]]:
    """Return what a training on so many pixels does on a device, as pairs of label and value."""
    recipe = settings.recipe
    batches = batch_count(train_pixels, recipe.batch_size)
    epochs = recipe.passes(batches)
    steps = epochs * batches
    rate = f"{recipe.learning_rate:g}, constant"
    if is_cycle(recipe.descent, steps):
        rate = (
            f"one cycle: from {recipe.learning_rate / START_BELOW:g} up to "
            f"{recipe.learning_rate:g} in the first {100 * WARM_UP:g} % of the steps, then down to "
            "nearly 0"
        )
    attention = settings.attention if settings.attention != "none" else "none added"
    return [
        *_bands(settings),
        ("Network", f"{settings.model}, patches of {settings.side}x{settings.side}"),
        ("Attention", attention),
        ("Norm", _NORMS[settings.norm]),
        ("Dropout", f"{recipe.dropout:g} of the hidden units"),
        ("Length", f"{_counted(steps, 'step')}: {_counted(epochs, 'epoch')} of {batches:,}"),
        (
            "Batches",
            f"{-(-train_pixels // batches):,} pixels at most (batch size {recipe.batch_size:,}, "
            "divided evenly)",
        ),
        ("Optimizer", f"{_OPTIMIZERS[recipe.optimizer]}, weight decay {recipe.weight_decay:g}"),
        ("Learning rate", rate),
        ("Augmentation", _AUGMENTATIONS[recipe.augmentation]),
        ("Label smoothing", f"{recipe.label_smoothing:g}" if recipe.label_smoothing else "none"),
        ("Class balance", f"{recipe.class_balance:g} (0: pixels weigh the same; 1: classes do)"),
        ("Precision", _PRECISIONS[half_precision(recipe.precision, device)]),
        ("Seed", str(settings.seed)),
    ]


def estimator_in_words(settings: Settings, *, chosen: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return how a classifier of spectra was trained, as pairs of label and value."""
    return [
        *_bands(settings),
        ("Classifier", f"{settings.model}, of the spectrum of each pixel"),
        *chosen_in_words(chosen),
        ("Seed", str(settings.seed)),
    ]


def _bands(settings: Settings) -> list[tuple[str, str]]:
    fitted = _FITTED[settings.pca_fit]
    if settings.reduction == "bands":
        return [("Bands", f"all, each to zero mean and unit variance, {fitted}")]
    scaled = (
        "each scaled to unit variance (whitened)"
        if settings.whiten
        else "none: scaled jointly to unit variance on average, in their proportions"
    )
    return [
        ("Bands", f"{settings.components} principal components, {fitted}"),
        ("Whitening", scaled),
    ]


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
