"""Blocks with drawn weights, and images."""

import numpy as np
import pytest
import torch
from torch import nn

from hsi.layers.attention import build_attention


@pytest.fixture(scope="session")
def drawn():
    return _drawn


@pytest.fixture(scope="session")
def image():
    return _image


def _drawn(name, channels, seed=0, **options):
    """Return a block in float64 and evaluation mode, none of whose values is at its start."""
    torch.manual_seed(seed)
    block = build_attention(name, channels=channels, **options).double().eval()
    for value in (*block.parameters(), *block.buffers()):
        if value.is_floating_point() and (value.ndim < 2 or name == "se-var2"):
            nn.init.uniform_(value, 0.2, 1.2)
    return block


def _image(*shape, seed=1):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))
