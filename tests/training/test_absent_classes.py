"""Classes of a scene that have no training pixels, as blocks may leave them."""

import dataclasses

import numpy as np
import pytest
import torch

from hsi.sampling import split_pixels
from hsi.training import Settings
from hsi.workflows.learn import learn


@pytest.mark.parametrize("absent", [3, 10, 14])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_any_class_may_be_absent_from_the_training(field, absent, smoothing):
    """The last of them, too: the targets that are known then end before the network's classes."""
    split = split_pixels(field.labels, train=0.5, seed=0, valid=field.valid)
    train = split.train & (field.labels != absent)
    settings = Settings().changed(
        components=13, patch_size=9, steps=2, label_smoothing=smoothing, batch_size=32
    )
    learned = learn(
        field, dataclasses.replace(split, train=train), settings, device=torch.device("cpu")
    )
    assert learned.classifier.network.classes == 3
    assert np.isfinite(learned.history[-1].loss)
