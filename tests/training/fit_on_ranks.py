"""What `test_ranks` runs in one process, and in two under torchrun: ``fit_on_ranks.py FOLDER``."""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from hsi.models import build_model
from hsi.torchrun import launched
from hsi.training import RECIPES, batches, fit
from hsi.training.ranks import joined

CPU = torch.device("cpu")
BANDS = 13
# Of each: network, side of a patch, pixels in a batch of all, kind of batches, dropout. The pixels
# of a batch are an odd number.
CASES = {
    "trunk over a region": ("hybridsn-dw", 11, 46, "Region", 0.3),
    "patches": ("hybridsn-dw", 9, 13, "Patches", 0.3),
    "crops": ("hybridsn-dw", 11, 46, "Crops", 0.3),
    "patches of spectra": ("a2s2k", 5, 46, "Patches", 0.2),
    "a trunk that drops": ("cnn3d-li", 7, 46, "Region", 0.5),
    "norms over bands": ("ssftt", 7, 46, "Region", 0.2),
}


def scene():
    rng = np.random.default_rng(0)
    targets = np.add.outer(np.arange(18) // 7, np.arange(16) // 9) % 3
    cube = rng.normal(size=(18, 16, BANDS)) + rng.normal(size=(3, BANDS))[targets]
    train = rng.random(targets.shape) < 0.33
    return cube, targets.astype(np.int64), train, ~train


def trained(case, ranks=None):
    """Return weights, statistics and figures of a training in float64."""
    name, side, pixels, kind, dropout = CASES[case]
    cube, targets, train, rest = scene()
    torch.manual_seed(3)
    model = build_model(name, bands=BANDS, classes=3, patch_size=side, dropout=dropout).double()
    recipe = RECIPES["default"].model_copy(
        update={
            "steps": None, "epochs": 2, "batch_size": pixels, "dropout": dropout,
            "label_smoothing": 0.1, "class_balance": 0.5,
        }
    )  # fmt: skip
    batches.CROP = 8
    batches.LARGEST_REGION = 10 if kind == "Crops" else 10**6
    planned = batches.plan_batches(
        model, np.argwhere(train), targets, batch_size=pixels, class_balance=0.0, device=CPU
    )
    assert type(planned).__name__ == kind
    history = fit(
        model, cube, targets, train=train, validation=rest, recipe=recipe, seed=5, device=CPU,
        ranks=ranks,
    )  # fmt: skip
    figures = [[each.loss, each.train_accuracy, each.validation_accuracy] for each in history]
    return model.state_dict() | {"figures": torch.tensor(figures, dtype=torch.float64)}


if __name__ == "__main__":
    with joined(launched(), device="cpu") as together:
        for case in CASES:
            found = {name: value.contiguous() for name, value in trained(case, together).items()}
            save_file(found, Path(sys.argv[1]) / f"{case}-{together.rank}.safetensors")
