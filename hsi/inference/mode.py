"""Evaluation mode that cannot be forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from hsi.layers.mode import evaluation_mode


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put `model` in evaluation mode, without gradients, and leave each part as it was found.

    Dropout then passes everything and a batch norm uses its running statistics, so that what is
    predicted for a pixel depends on that pixel's patch alone. Convolutions on CUDA devices keep all
    digits of float32, where PyTorch would drop thirteen bits.
    """
    with (
        evaluation_mode(model),
        torch.inference_mode(),
        torch.backends.cudnn.flags(allow_tf32=False),
    ):
        yield
