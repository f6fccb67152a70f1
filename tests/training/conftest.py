"""A scene that any network learns, and a network that learns it in a second."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hsi.models import build_model
from hsi.sampling import BandPCA
from hsi.scenes import Scene
from hsi.training import Classifier, Settings, fit

IDS = (3, 10, 14)


@pytest.fixture
def easy():
    """Three stripes that differ in every component far more than their pixels do."""
    rng = np.random.default_rng(0)
    targets = np.repeat([[0] * 7 + [1] * 7 + [2] * 6], 18, axis=0)
    cube = 2 * rng.standard_normal((3, 13))[targets] + 0.3 * rng.standard_normal((18, 20, 13))
    train, validation = np.zeros((2, 18, 20), dtype=bool)
    train[::3, ::2] = True
    validation[1::3, ::2] = True
    return SimpleNamespace(
        cube=cube.astype(np.float32), targets=targets, train=train, validation=validation
    )


@pytest.fixture
def train_on(easy):
    """Return a function that trains a small network on the scene and returns it with its history.

    Keywords are those of `fit`, or settings of the recipe.
    """

    def run(*, name="hybridsn-dw", patch_size=11, weights_from=0, **changes):
        arguments = {
            "train": easy.train,
            "validation": np.zeros_like(easy.train),
            "seed": 0,
            "device": torch.device("cpu"),
        }
        arguments |= {each: changes.pop(each) for each in [*changes] if each in FIT_ARGUMENTS}
        few = {"epochs": 3, "batch_size": 64, "dropout": 0.1}
        recipe = Settings().changed(**(few | changes)).recipe
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(weights_from)
            model = build_model(
                name, bands=13, classes=3, patch_size=patch_size, dropout=recipe.dropout
            )
        return model, fit(model, easy.cube, easy.targets, recipe=recipe, **arguments)

    return run


FIT_ARGUMENTS = ("train", "validation", "seed", "device", "progress", "keep")


@pytest.fixture
def field():
    """A labelled scene of 16 bands with ids that leave gaps, and a corner without data."""
    rng = np.random.default_rng(1)
    labels = np.repeat([[IDS[0]] * 5 + [IDS[1]] * 5 + [IDS[2]] * 4], 12, axis=0).astype(np.int32)
    cube = 500 + 90 * rng.standard_normal((15, 16))[labels] + rng.standard_normal((12, 14, 16))
    cube[:2, :3] = -1
    return Scene(
        name="field",
        cube=cube.astype(np.float32),
        labels=labels,
        class_names={3: "Oats", 10: "Grass [mown]"},
        wavelengths=np.linspace(400, 2400, 16),
        nodata=-1,
    )


@pytest.fixture
def classifier(field):
    """A classifier of that scene, never trained."""
    options = {
        "name": "hybridsn-dw", "bands": 13, "classes": 3, "patch_size": 9, "norm": "batch",
        "dropout": 0.4,
    }  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_model(**options)
    return Classifier(
        network=network,
        options=options,
        reduction=BandPCA(13, whiten=True).fit(field.cube, mask=field.valid),
        class_ids=field.class_ids,
        class_names=field.class_names,
        class_colors=field.class_colors,
        wavelengths=field.wavelengths,
    )
