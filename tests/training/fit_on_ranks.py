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
# Of each: network, side of a patch, pixels in a batch of all, kind of batches, dropout.
CASES = {
    "trunk over a region": ("hybridsn-dw", 11, 46, "Region", 0.3),
    "patches": ("hybridsn-dw", 9, 13, "Patches", 0.3),
    "crops": ("hybridsn-dw", 11, 46, "Crops", 0.3),
    "patches of spectra": ("a2s2k", 5, 22, "Patches", 0.2),
    "a trunk that drops": ("cnn3d-li", 7, 46, "Region", 0.5),
    "norms over bands": ("ssftt", 7, 46, "Region", 0.2),
}


def scene():
    rng = np.random.default_rng(0)
    targets = np.add.outer(np.arange(18) // 7, np.arange(16) // 9) % 3
    cube = rng.normal(size=(18, 16, BANDS)) + rng.normal(size=(3, BANDS))[targets]
    train = rng.random(targets.shape) < 0.33
    return cube, targets.astype(np.int64), train, ~train


def trained(case, ranks):
    """Return weights, statistics and figures of a training in float64."""
    name, side, pixels, kind, dropout = CASES[case]
    cube, targets, train, rest = scene()
    torch.manual_seed(3)
    model = build_model(name, bands=BANDS, classes=3, patch_size=side, dropout=dropout).double()
    plan = {"LARGEST_REGION": 10, "CROP": 8} if kind == "Crops" else {"LARGEST_REGION": 10**6}
    with torch.random.fork_rng(), set_to(batches, **plan):
        planned = batches.plan_batches(
            model, np.argwhere(train), targets, batch_size=pixels, class_balance=0.0, device=CPU
        )
        assert type(planned).__name__ == kind, (case, type(planned))
        recipe = RECIPES["default"].model_copy(
            update={
                "steps": None, "epochs": 2, "batch_size": pixels, "dropout": dropout,
                "label_smoothing": 0.1, "class_balance": 0.5,
            }
        )  # fmt: skip
        history = fit(
            model, cube, targets, train=train, validation=rest, recipe=recipe, seed=5, device=CPU,
            ranks=ranks,
        )  # fmt: skip
    figures = [[h.loss, h.train_accuracy, h.validation_accuracy] for h in history]
    return model.state_dict() | {"figures": torch.tensor(figures, dtype=torch.float64)}


class set_to:  # noqa: N801
    def __init__(self, module, **values):
        self.module, self.values = module, values

    def __enter__(self):
        self.before = {name: getattr(self.module, name) for name in self.values}
        self.put(self.values)

    def __exit__(self, *error):
        self.put(self.before)

    def put(self, values):
        for name, value in values.items():
            setattr(self.module, name, value)


if __name__ == "__main__":
    out = Path(sys.argv[1])
    started = launched()
    with joined(started, device="cpu") as ranks:
        for case in CASES:
            found = trained(case, ranks)
            save_file(
                {name: value.contiguous() for name, value in found.items()},
                out / f"{case}-{ranks.rank}.safetensors",
            )
