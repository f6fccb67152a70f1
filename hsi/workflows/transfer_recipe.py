"""How a transfer was trained, with every default resolved: for the report and for programs."""

from __future__ import annotations

from typing import Any

import torch

from hsi.photographs.counted import counted
from hsi.sampling.photograph_augmentation import AREA, LIGHT, RATIO
from hsi.training import TransferSettings
from hsi.training.batches import batch_count
from hsi.training.descent import START_BELOW, WARM_UP, half_precision, is_cycle

OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW"}
SCHEDULES = {
    True: (
        "one cycle: from {start:g} up to {rate:g} in the first {share:g} % of the steps, then down "
        "to nearly 0, both along a cosine"
    ),
    False: "{rate:g}, constant",
}
_CROPS = (
    f"a part at random, of {100 * AREA[0]:g} to {100 * AREA[1]:g} % of the area and "
    f"{RATIO[0]:g} to {RATIO[1]:g} times as wide as high; mirrored in half of the cases"
)
AUGMENTATIONS = {
    "none": "none",
    "crop-flip": f"crop-flip: {_CROPS}",
    "crop-flip-color": (
        f"crop-flip-color: {_CROPS}; brightness, contrast and saturation changed by up to "
        f"{100 * LIGHT:g} %"
    ),
}
PRECISIONS = {
    None: "full (float32)",
    torch.bfloat16: "mixed (bfloat16 and float32)",
    torch.float16: "mixed (float16 and float32)",
}


def resolved_recipe(
    settings: TransferSettings, *, photographs: int, device: torch.device
) -> dict[str, Any]:
    """Return what a training on so many photographs does on a device.

    Unlike the settings, it has no ``None`` and no ``"auto"``: learning rate, schedule and precision
    are those that were used. Batches are nearly ``batch_size``, since an epoch is divided evenly.
    """
    descent = settings.descent
    batches = batch_count(photographs, settings.batch_size)
    steps = settings.epochs * batches
    return {
        "optimizer": descent.optimizer,
        "learning_rate": descent.learning_rate,
        "schedule": "one-cycle" if is_cycle(descent, steps) else "constant",
        "weight_decay": descent.weight_decay,
        "label_smoothing": settings.label_smoothing,
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "largest_batch": -(-photographs // batches),
        "steps": steps,
        "precision": PRECISIONS[half_precision(descent.precision, device)],
        "augmentation": settings.augmentation,
        "freeze": settings.freeze,
        "size": settings.side,
        "seed": settings.seed,
    }


def recipe_in_words(recipe: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what `resolved_recipe` found as pairs of label and value."""
    rate = recipe["learning_rate"]
    schedule = SCHEDULES[recipe["schedule"] == "one-cycle"]
    smoothing = recipe["label_smoothing"]
    labels = f"label smoothing {smoothing:g}" if smoothing else "labels as they are"
    steps = recipe["steps"] // recipe["epochs"]
    return [
        ("Augmentation", AUGMENTATIONS[recipe["augmentation"]]),
        (
            "Optimizer",
            f"{OPTIMIZERS[recipe['optimizer']]}, weight decay {recipe['weight_decay']:g}, "
            f"cross-entropy with {labels}",
        ),
        (
            "Learning rate",
            schedule.format(rate=rate, start=rate / START_BELOW, share=100 * WARM_UP),
        ),
        (
            "Batches",
            f"{counted(steps, 'step')} an epoch, of {recipe['largest_batch']:,} photographs at "
            f"most (batch size {recipe['batch_size']:,}, divided evenly)",
        ),
        ("Precision", recipe["precision"]),
        ("Seed", str(recipe["seed"])),
    ]
